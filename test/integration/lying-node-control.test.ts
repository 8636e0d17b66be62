import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fromBase32, signatureKeygen } from '@symmetra/crypto';
import { signEvent } from '@symmetra/protocol';
import type { ControlBody, SignedEvent } from '@symmetra/protocol';
import { encode } from '@symmetra/rpc';
import { LiarsFleet } from './lying-node-fleet.js';
import { honest, lie } from './lying-node.js';
import { agree } from './sdk-fleet.js';

const LIAR = 'node-2';
const MALLORY = signatureKeygen(new Uint8Array(32).fill(66));

let world: LiarsFleet;
beforeAll(async () => {
  world = await LiarsFleet.start();
});
afterEach(() => honest());
afterAll(async () => world.stop());

/** The next control event, with Mallory's signature instead of the administrator's, and in the administrator's name. */
async function forged(body: ControlBody): Promise<SignedEvent> {
  const { administrator, descriptor } = world.fleet.network;
  const { event } = administrator.sign(body, await administrator.head());
  const { signature } = signEvent(event, MALLORY.secretKey, MALLORY.publicKey);
  const own = signEvent(event, MALLORY.secretKey, descriptor.administrators[0] ?? MALLORY.publicKey);
  return { event, signatures: [{ administrator: own.administrator, signature }] };
}

function revocationOf(device: string): ControlBody {
  return { kind: 'device-revoke', deviceId: fromBase32(device), reason: 'a lie' };
}

describe('CTL-3, CTL-4: one of three nodes lies about what administrators decided', () => {
  test('a forged revocation of the peer, to a device: nothing is erased', async () => {
    const { ours } = await agree(world.alice, world.bob);
    const notice = await forged(revocationOf(world.alice.id));
    const revoked: unknown[] = [];
    world.bob.on('revoked', (revocation) => revoked.push(revocation));
    let sent = 0;
    await world.agreeWhile(LIAR, {
      event: (event, _device, send) => {
        send({ notice: { event: notice.event, signatures: [...notice.signatures] } });
        sent += 1;
        send(event);
      },
    });
    expect(sent).toBeGreaterThan(0);
    expect(revoked).toEqual([]);
    expect(world.bob.key(ours.keyId).fingerprint).toBe(ours.fingerprint);
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('a forged event to the other nodes, and an old head with no events behind it', async () => {
    const { network } = world.fleet;
    const { event, signatures } = await forged(revocationOf(world.bob.id));
    await network.stopNode(LIAR);
    const liar = network.wire.join(LIAR);
    liar.serve('log', async () => encode('symmetra.admin.v1.ListEventsResponse', { events: [] }));
    liar.serve('control', async () => new Uint8Array(0));
    const before = network.node('node-1').logNumber();
    const payload = encode('symmetra.link.v1.ControlNotice', { event, signatures: [...signatures] });
    for (const node of ['node-1', 'node-3']) {
      await expect(liar.request(node, 'control', payload, { timeoutMs: 5000 })).rejects.toMatchObject({
        code: 'BAD_SIGNATURE',
      });
      await network.node(node).follow();
      expect(network.node(node).logNumber()).toBe(before);
    }
    const told = network.log.filter(({ event: name }) => name === 'control-forged');
    expect(told).toMatchObject([
      { node: 'node-1', accused: LIAR, code: 'BAD_SIGNATURE' },
      { node: 'node-3', accused: LIAR, code: 'BAD_SIGNATURE' },
    ]);
    // The two others go on without it: an event is in force there, and keys come about.
    await network.administrator.createToken();
    expect(network.node('node-1').logNumber()).toBe(before + 1);
    expect(network.node('node-3').logNumber()).toBe(before + 1);
    const { ours, theirs } = await agree(world.alice, world.bob);
    expect(ours.fingerprint).toBe(theirs.fingerprint);
    expect(ours.nodes.toSorted()).toEqual(['node-1', 'node-3']);
    await liar.close();
    await network.startNode(LIAR);
    expect(network.node(LIAR).logNumber()).toBe(before + 1);
  });

  test('a forged descriptor to one device, the true one to another: both enrol and agree', async () => {
    lie('node-1', { descriptor: (reply) => ({ ...reply, signature: new Uint8Array(3309) }) });
    const carol = await world.fleet.join('carol');
    honest();
    const dave = await world.fleet.join('dave');
    const { ours, theirs } = await agree(carol, dave);
    expect(ours.fingerprint).toBe(theirs.fingerprint);
  });
});
