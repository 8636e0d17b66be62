import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import { NodeNetwork, TestDevice, TestLink, fresh } from '@symmetra/testing';
import type { ReceivedEvent } from '@symmetra/testing';

const ACKNOWLEDGE = '/symmetra.pairwise.v1.PairwiseService/Acknowledge';
const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const CLOSE = '/symmetra.session.v1.SessionService/Close';

let network: NodeNetwork;
let alice: TestDevice;
let bob: TestDevice;

const refusal = (code: string) => ({ code });

beforeAll(async () => {
  network = await NodeNetwork.start();
});

afterAll(async () => {
  await network.stop();
});

beforeEach(async () => {
  const token = await network.administrator.createToken({ uses: 2 });
  [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
});

afterEach(() => {
  alice.close();
  bob.close();
});

describe('a node decides on its own', () => {
  const one = (responder: Uint8Array, changes = {}) => {
    const { requests } = alice.startNegotiation(responder, changes);
    const [request] = requests;
    if (request === undefined) throw new Error('there are no nodes');
    return request;
  };

  test('a peer that is not enrolled is PEER_UNKNOWN', async () => {
    await expect(alice.ask(one(fresh(32)))).rejects.toMatchObject(refusal('PEER_UNKNOWN'));
  });

  test('a peer that was revoked before it enrolled here is PEER_REVOKED', async () => {
    const deviceId = fresh(32);
    await network.administrator.submit({ kind: 'device-revoke', deviceId, reason: 'lost' });
    await expect(alice.ask(one(deviceId))).rejects.toMatchObject(refusal('PEER_REVOKED'));
  });

  test('a key with oneself is BAD_HEADER', async () => {
    const { nodeId, header, share } = one(bob.deviceId);
    // version, network id, suite, initiator, then the responder.
    const own = Uint8Array.from(header);
    own.set(alice.deviceId, 1 + 16 + 1 + 32);
    const call = alice.call(nodeId, NEGOTIATE, { header: own, share });
    await expect(call).rejects.toMatchObject(refusal('BAD_HEADER'));
  });

  test('a header in the name of another device is INITIATOR_MISMATCH', async () => {
    const { nodeId, header, share } = one(bob.deviceId);
    const other = Uint8Array.from(header);
    other.set(fresh(32), 1 + 16 + 1);
    const call = alice.call(nodeId, NEGOTIATE, { header: other, share });
    await expect(call).rejects.toMatchObject(refusal('INITIATOR_MISMATCH'));
  });

  test('a share that is not the one committed to is SHARE_MISMATCH', async () => {
    const request = one(bob.deviceId);
    await expect(alice.ask({ ...request, share: fresh(32) })).rejects.toMatchObject(
      refusal('SHARE_MISMATCH'),
    );
  });

  test('fewer nodes than the descriptor asks are BELOW_FLOOR', async () => {
    const request = one(bob.deviceId, { nodes: ['node-1', 'node-2'] });
    await expect(alice.ask(request)).rejects.toMatchObject(refusal('BELOW_FLOOR'));
  });

  test('policy decides on suite, purpose, direct KEM and limits, from one event to the next', async () => {
    const { administrator } = network;
    const set = async (changes: Partial<typeof DEFAULT_POLICY>) =>
      administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, ...changes } });
    await set({ purposes: ['camera'] });
    await expect(alice.ask(one(bob.deviceId))).rejects.toMatchObject(refusal('PURPOSE_FORBIDDEN'));
    await set({ requireDirectKem: true });
    await expect(alice.ask(one(bob.deviceId))).rejects.toMatchObject(refusal('DIRECT_KEM_REQUIRED'));
    await set({ allowedSuites: [1, 3] });
    await expect(alice.ask(one(bob.deviceId, { suiteId: 2 }))).rejects.toMatchObject(
      refusal('SUITE_FORBIDDEN'),
    );
    await set({ maximum: { lifetimeSeconds: 60, uses: 5 } });
    expect(await alice.ask(one(bob.deviceId))).toMatchObject({ granted: { lifetimeSeconds: 60, uses: 5 } });
    await set({ keyStages: ['retired'] });
    await expect(alice.ask(one(bob.deviceId))).rejects.toMatchObject(refusal('STAGE_TOO_EARLY'));
    await set({});
  });

  test('the identical header gets the same receipt; another one with its key id is KEY_ID_USED', async () => {
    const request = one(bob.deviceId);
    const receipt = await alice.ask(request);
    expect(await alice.ask(request)).toEqual(receipt);
    const { keyId } = alice.startNegotiation(bob.deviceId);
    await alice.ask(one(bob.deviceId, { keyId }));
    const other = one(bob.deviceId, { keyId, purpose: 'another' });
    await expect(alice.ask(other)).rejects.toMatchObject(refusal('KEY_ID_USED'));
  });

  test('a share that was acknowledged does not come back with a repeated request', async () => {
    const { requests, keyId } = alice.startNegotiation(bob.deviceId);
    const [request] = requests;
    if (request === undefined) throw new Error('there are no nodes');
    await alice.ask(request);
    const mallory = bob.call('node-1', ACKNOWLEDGE, { keyIds: [Buffer.alloc(3)] });
    await expect(mallory).rejects.toMatchObject(refusal('BAD_MESSAGE'));
    const waiting = async () =>
      network.store('node-1').scan(`share/${Buffer.from(bob.deviceId).toString('hex')}/`);
    await alice.call('node-1', ACKNOWLEDGE, { keyIds: [Buffer.from(keyId)] });
    expect(await waiting()).toHaveLength(1);
    await bob.call('node-1', ACKNOWLEDGE, { keyIds: [Buffer.from(keyId)] });
    expect(await waiting()).toHaveLength(0);
    await alice.ask(request);
    expect(await waiting()).toHaveLength(0);
  });
});

describe('delivery', () => {
  test('a responder that was away gets its shares when it attaches, and again when it missed them', async () => {
    const { requests, keyId } = alice.startNegotiation(bob.deviceId);
    for (const request of requests) {
      expect(await alice.ask(request)).toMatchObject({ responder: { online: false, addresses: [] } });
    }
    await bob.connect('node-3');
    const deliveries = await bob.received((event) => event.event === 'delivery', 3);
    expect(deliveries.map(({ node }) => node).toSorted()).toEqual(network.nodeIds);

    const last = bob.events.filter(({ node }) => node === 'node-1').length;
    await bob.attach('node-1', 'node-3', last);
    await bob.attach('node-2', 'node-3', 1);
    const again = await bob.received((event) => event.event === 'delivery', 4);
    expect(again.at(-1)).toMatchObject({ node: 'node-2', number: 3 + 1 });
    for (const nodeId of bob.nodeIds) await bob.call(nodeId, ACKNOWLEDGE, { keyIds: [Buffer.from(keyId)] });
    await bob.attach('node-1', 'node-3');
    await bob.attach('node-2', 'node-3');
    await bob.received((event) => event.event === 'notice' && event.number > 4, 1);
    expect(bob.events.filter((event) => event.event === 'delivery')).toHaveLength(4);
  });

  test('events are numbered from 1 without gaps at each node', async () => {
    await bob.connect('node-2');
    for (let i = 0; i < 5; i++) {
      for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    }
    await bob.received((event) => event.event === 'delivery', 15);
    for (const nodeId of bob.nodeIds) {
      const numbers = bob.events.filter(({ node }) => node === nodeId).map(({ number }) => number);
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    }
  });

  test('a device that moves to another home gets its events there', async () => {
    await bob.connect('node-1');
    bob.link?.close();
    bob.link = undefined;
    await bob.connect('node-2');
    for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    expect(await bob.received((event) => event.event === 'delivery', 3)).toHaveLength(3);
  });

  test('SES-7: what a node could not send while the device had no home follows in the same session', async () => {
    await bob.connect('node-1');
    await bob.received(({ node }) => node === 'node-1', 1);
    const settled = bob.events.length;
    bob.link?.close();
    bob.link = undefined;
    const away = async () => {
      const { requests } = alice.startNegotiation(bob.deviceId);
      const receipts = await Promise.all(requests.map(async (request) => alice.ask(request)));
      return receipts.every(({ responder }) => responder?.online === false);
    };
    let asked = 1;
    while (!(await away()) && asked < 50) asked += 1;
    await bob.connect('node-2', bob.nodeIds, true);
    const isDelivery = ({ event }: ReceivedEvent): boolean => event === 'delivery';
    await bob.received(isDelivery, 3 * asked);
    expect(bob.events.slice(settled).filter(isDelivery)).toHaveLength(3 * asked);
  });

  test('SES-7: an Attach that a former home brings late changes nothing', async () => {
    await bob.connect('node-1');
    const session = bob.sessions.get('node-3');
    if (session === undefined) throw new Error('there is no session');
    const method = '/symmetra.session.v1.SessionService/Attach';
    const request = { home: 'node-1', addresses: [], lastEvent: 0 };
    const { seq, ciphertext } = session.seal(method, encode('symmetra.session.v1.AttachRequest', request));
    bob.link?.close();
    bob.link = undefined;
    await bob.connect('node-2', bob.nodeIds, true);
    const late = { session: session.sessionId, seq, ciphertext, node: 'node-3' };
    const reply = session.open(method, await bob.client('node-1').sealed(method, late), seq);
    const asked = alice.startNegotiation(bob.deviceId).requests.find(({ nodeId }) => nodeId === 'node-3');
    if (asked !== undefined) await alice.ask(asked);
    await bob.received(
      ({ delivery }) =>
        delivery !== null &&
        delivery !== undefined &&
        Buffer.from(delivery.header).equals(asked?.header ?? fresh(0)),
    );
    expect(decode('symmetra.sealed.v1.Refusal', reply.subarray(1)).code).toBe('MESSAGE_REPLAYED');
  });

  test('a home node that no longer has the link is found out', async () => {
    await bob.connect('node-1');
    bob.link?.close();
    bob.link = undefined;
    const online = async () => {
      const [, , request] = alice.startNegotiation(bob.deviceId).requests;
      if (request === undefined) throw new Error('there are no nodes');
      return (await alice.ask(request)).responder?.online;
    };
    for (let i = 0; i < 50 && (await online()); i++);
    expect(await online()).toBe(false);
  });
});

describe('relaying between devices', () => {
  test('goes through the home of the sender only, to peers that are enrolled', async () => {
    await alice.connect('node-1');
    await bob.connect('node-3');
    const message = fresh(100);
    const relay = async (nodeId: string, peer: Uint8Array) => alice.call(nodeId, RELAY, { peer, message });
    expect(await relay('node-1', bob.deviceId)).toEqual({ handedOver: true });
    const [event] = await bob.received(({ event: kind }) => kind === 'message');
    expect(event?.node).toBe('node-3');
    expect(Buffer.from(event?.message?.message ?? [])).toEqual(Buffer.from(message));
    await expect(relay('node-2', bob.deviceId)).rejects.toMatchObject(refusal('NOT_HOME'));
    await expect(relay('node-1', fresh(32))).rejects.toMatchObject(refusal('PEER_UNKNOWN'));
    await expect(relay('node-1', fresh(5))).rejects.toMatchObject(refusal('BAD_MESSAGE'));
    bob.link?.close();
    bob.link = undefined;
    expect(await relay('node-1', bob.deviceId)).toEqual({ handedOver: false });
  });
});

describe('a link', () => {
  const sealedClose = async (device: TestDevice, nodeId: string) => {
    const session = await device.openSession(nodeId);
    return { session: session.sessionId, ...session.seal(CLOSE, fresh(0)), node: nodeId };
  };

  test('carries nothing before the device attached at its home', async () => {
    const link = new TestLink(alice.client('node-1'), () => undefined);
    const call = link.call(CLOSE, await sealedClose(alice, 'node-1'));
    await expect(call).rejects.toMatchObject(refusal('LINK_NOT_BOUND'));
    link.close();
  });

  test('carries no session of another device', async () => {
    await alice.connect('node-1');
    const call = alice.link?.call(CLOSE, await sealedClose(bob, 'node-1'));
    await expect(call).rejects.toMatchObject(refusal('LINK_NOT_BOUND'));
  });

  test('ends when the device opens another', async () => {
    await alice.connect('node-1');
    const former = alice.link;
    alice.link = undefined;
    await alice.connect('node-1');
    expect(await former?.closed).toMatchObject(refusal('LINK_REPLACED'));
  });

  test('answers SESSION_LOST for a session that is not known, and NODE_UNREACHABLE for a node that is down', async () => {
    await alice.connect('node-1');
    await network.stopNode('node-2');
    await expect(alice.call('node-2', CLOSE, {})).rejects.toMatchObject(refusal('NODE_UNREACHABLE'));
    await network.startNode('node-2');
    await expect(alice.call('node-2', CLOSE, {})).rejects.toMatchObject(refusal('SESSION_LOST'));
  });
});
