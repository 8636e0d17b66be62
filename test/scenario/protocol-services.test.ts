import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Device, Endpoint } from '@symmetra/sdk';
import { NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, agree } from '../integration/sdk-fleet.js';

const CLOSE = '/symmetra.session.v1.SessionService/Close';
const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const REPORT = '/symmetra.pairwise.v1.PairwiseService/Report';

describe('two devices and three nodes', () => {
  let network: NodeNetwork;
  let alice: TestDevice;
  let bob: TestDevice;

  beforeAll(async () => {
    network = await NodeNetwork.start();
    const token = await network.administrator.createToken({ uses: 2 });
    [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
  });

  afterAll(async () => {
    alice.close();
    bob.close();
    await network.stop();
  });

  test('SES-7: whoever attaches gets the policy first and then the shares that wait, at the home that it names', async () => {
    for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    await bob.connect('node-2');
    await bob.received((event) => event.event === 'delivery', 3);
    for (const nodeId of bob.nodeIds) {
      const kinds = bob.events.filter(({ node }) => node === nodeId).map(({ event }) => event);
      expect(kinds).toEqual(['notice', 'delivery']);
    }
    const [request] = alice.startNegotiation(bob.deviceId).requests;
    if (request === undefined) throw new Error('there are nodes');
    expect(await alice.ask(request)).toMatchObject({ responder: { online: true } });
  });

  test('PAIR-10: a message goes by the home of the one device to the home of the other, unread', async () => {
    await alice.connect('node-1');
    const message = fresh(64);
    expect(await alice.call('node-1', RELAY, { peer: bob.deviceId, message })).toEqual({ handedOver: true });
    const [event] = await bob.received(({ event: kind }) => kind === 'message');
    expect(event?.node).toBe('node-2');
    expect(Buffer.from(event?.message?.message ?? [])).toEqual(Buffer.from(message));
  });

  test('PAIR-11: a report is written down and neither accused party is treated otherwise', async () => {
    const report = {
      keyId: fresh(16),
      node: 'node-3',
      initiator: bob.deviceId,
      reason: 'DELIVERY_MISSING',
      headerHash: fresh(32),
      evidence: fresh(0),
    };
    await alice.call('node-1', REPORT, report);
    expect(network.log).toContainEqual(expect.objectContaining({ event: 'report', device: alice.id }));
    for (const request of bob.startNegotiation(alice.deviceId).requests) {
      expect(await bob.ask(request)).toMatchObject({ responder: { online: true } });
    }
  });

  test('SES-8: a session that the device closes answers nothing any more; the next one does', async () => {
    const session = await alice.openSession('node-3');
    expect(await alice.call('node-3', CLOSE, {})).toEqual({});
    alice.sessions.set('node-3', session);
    await expect(alice.call('node-3', CLOSE, {})).rejects.toMatchObject({ code: 'SESSION_LOST' });
    await alice.openSession('node-3');
    expect(await alice.call('node-3', CLOSE, {})).toEqual({});
  });
});

describe('a key and its connections', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let port: Endpoint;
  let keyId: string;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice');
    bob = await fleet.enrol('bob');
    port = await bob.listen();
    await bob.connect();
    ({ keyId } = (await agree(alice, bob)).ours);
  });

  afterAll(async () => {
    await fleet.stop();
  });

  /** Connects as a TLS client outside the SDK. @returns the protocol that was agreed on, or `refused` */
  const connects = async (
    identity: string,
    psk: Uint8Array,
    options: ConnectionOptions = {},
  ): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({
        host: port.host,
        port: port.port,
        minVersion: 'TLSv1.3',
        ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ identity, psk }),
        ...options,
      });
      socket.once('error', () => resolve('refused'));
      socket.once('secureConnect', () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`);
        socket.destroy();
      });
    });

  test('CHN-2: no counter is given out twice, and one that was skipped still counts', async () => {
    const [first, skipped, third] = [
      await alice.exportPsk(keyId, 'client'),
      await alice.exportPsk(keyId, 'client'),
      await alice.exportPsk(keyId, 'client'),
    ];
    expect(new Set([first.identity, skipped.identity, third.identity]).size).toBe(3);
    expect(await connects(third.identity, third.psk)).toMatch(/^TLSv1\.3/);
    expect(await connects(skipped.identity, skipped.psk)).toMatch(/^TLSv1\.3/);
    expect(await connects('f'.repeat(32), first.psk)).toBe('refused');
  });

  test('CHN-3: TLS 1.3 with one cipher suite and a PSK, or no connection', async () => {
    const { identity, psk } = await alice.exportPsk(keyId, 'client');
    const old: ConnectionOptions = {
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'PSK-CHACHA20-POLY1305',
    };
    expect(await connects(identity, psk, old)).toBe('refused');
    expect(await connects(identity, psk, { ciphers: 'TLS_AES_128_GCM_SHA256' })).toBe('refused');
    expect(await connects(identity, fresh(32))).toBe('refused');
    expect(await connects(identity, psk)).toBe('TLSv1.3 TLS_CHACHA20_POLY1305_SHA256');
  });
});
