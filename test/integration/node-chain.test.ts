import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeState, encodeState, proveState } from '@symmetra/protocol';
import type { DeviceChain } from '@symmetra/protocol';
import { ManualClock, NodeNetwork, TestDevice, fresh } from '@symmetra/testing';

const HOUR = 3_600_000;
const CLOSE = '/symmetra.session.v1.SessionService/Close';
const REPORT = '/symmetra.pairwise.v1.PairwiseService/Report';

describe('a device and a node', () => {
  const clock = new ManualClock();
  let network: NodeNetwork;
  let alice: TestDevice;

  beforeAll(async () => {
    network = await NodeNetwork.start({}, clock);
  });

  beforeEach(async () => {
    alice = await TestDevice.meet(await network.administrator.createToken());
    await alice.enrolAt('node-1');
    return () => alice.close();
  });

  afterAll(async () => {
    await network.stop();
  });

  const admin = async (device: TestDevice) => {
    const request = { deviceId: Buffer.from(device.deviceId) };
    const reply = await network.administrator.call(
      'node-1',
      '/symmetra.admin.v1.AdminService/GetDevice',
      request,
    );
    return reply.device;
  };

  test('a repeated R1 gets the same R2, and a repeated R3 the same R4', async () => {
    const r1 = alice.startStep('node-1');
    const { r2 } = await alice.client('node-1').step({ node: '', r1 });
    expect((await alice.client('node-1').step({ node: '', r1 })).r2).toEqual(r2);
    const r3 = alice.receiveR2('node-1', r2 ?? fresh(0));
    const { r4 } = await alice.client('node-1').commit({ node: '', r3 });
    expect((await alice.client('node-1').commit({ node: '', r3 })).r4).toEqual(r4);
    alice.receiveR4('node-1', r4);
    expect(await admin(alice)).toMatchObject({ epoch: 1, stage: 'production' });
  });

  test('one R1 sent many times at once gets one R2', async () => {
    const r1 = alice.startStep('node-1');
    const replies = await Promise.all(
      Array.from({ length: 6 }, async () => alice.client('node-1').step({ node: '', r1 })),
    );
    expect(new Set(replies.map(({ r2 }) => Buffer.from(r2 ?? []).toString('hex'))).size).toBe(1);
    const r3 = alice.receiveR2('node-1', replies[0]?.r2 ?? fresh(0));
    alice.receiveR4('node-1', (await alice.client('node-1').commit({ node: '', r3 })).r4);
    await alice.openSession('node-1');
  });

  test('a session under the pending epoch commits it', async () => {
    const { r2 } = await alice.client('node-1').step({ node: '', r1: alice.startStep('node-1') });
    alice.receiveR2('node-1', r2 ?? fresh(0));
    await alice.openSession('node-1');
    expect(await admin(alice)).toMatchObject({ epoch: 1 });
  });

  test('a device that is not enrolled there is DEVICE_UNKNOWN', async () => {
    const r1 = alice.startStep('node-1');
    const stranger = new TestDevice(alice.descriptor, network.administrator.issueToken().text);
    const { r2 } = await alice.client('node-1').step({ node: '', r1 });
    alice.receiveR2('node-1', r2 ?? fresh(0));
    const { open } = alice.makeOpen('node-1');
    // version, network id, suite, then the device id, behind the length of the body.
    const forged = Uint8Array.from(open);
    forged.set(stranger.deviceId, 2 + 1 + 16 + 1);
    await expect(alice.client('node-1').open({ node: '', open: forged })).rejects.toMatchObject({
      code: 'DEVICE_UNKNOWN',
    });
    await expect(alice.client('node-2').step({ node: '', r1 })).rejects.toMatchObject({
      code: 'DEVICE_UNKNOWN',
    });
  });

  test('a stolen earlier state is challenged, its proof marks the device, and the true device goes on', async () => {
    await alice.ratchet('node-1');
    const stolen = alice.chains.get('node-1') as DeviceChain;
    const copy = decodeState<DeviceChain>(encodeState(stolen));
    await alice.ratchet('node-1');
    const own = alice.chains.get('node-1') as DeviceChain;

    alice.chains.set('node-1', copy);
    const { open } = alice.makeOpen('node-1');
    const { challenge } = await alice.client('node-1').open({ node: '', open });
    expect(challenge).toHaveLength(32);
    const proof = proveState(alice.context, copy, Uint8Array.from(challenge ?? []));
    expect(await admin(alice)).toMatchObject({ cloneSuspected: false });
    await alice.client('node-1').prove({ node: '', proof });
    expect(await admin(alice)).toMatchObject({ cloneSuspected: true });
    expect(network.log).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'clone-suspected', device: alice.id }),
    );

    alice.chains.set('node-1', own);
    await alice.openSession('node-1');
  });

  test('a proof that nobody asked for is dropped silently', async () => {
    await alice.ratchet('node-1');
    const chain = alice.chains.get('node-1') as DeviceChain;
    const proof = proveState(alice.context, chain, fresh(32));
    expect(await alice.client('node-1').prove({ node: '', proof })).toEqual({});
    expect(await admin(alice)).toMatchObject({ cloneSuspected: false });
  });

  test('a device has at most four sessions: the oldest is lost', async () => {
    await alice.ratchet('node-1');
    const first = await alice.openSession('node-1');
    for (let i = 0; i < 4; i++) await alice.openSession('node-1');
    await alice.call('node-1', REPORT, report());
    alice.sessions.set('node-1', first);
    await expect(alice.call('node-1', REPORT, report())).rejects.toMatchObject({ code: 'SESSION_LOST' });
  });

  test('a session ends after an hour, and when the device closes it', async () => {
    await alice.ratchet('node-1');
    await alice.openSession('node-1');
    clock.advance(HOUR - 1);
    await alice.call('node-1', REPORT, report());
    clock.advance(2);
    await expect(alice.call('node-1', REPORT, report())).rejects.toMatchObject({ code: 'SESSION_LOST' });
    await alice.openSession('node-1');
    expect(await alice.call('node-1', CLOSE, {})).toEqual({});
    await expect(alice.call('node-1', REPORT, report())).rejects.toMatchObject({ code: 'SESSION_LOST' });
  });

  test('a sealed message counts once, and only as the method that it was sealed for', async () => {
    await alice.ratchet('node-1');
    const session = await alice.openSession('node-1');
    const sealed = { session: session.sessionId, ...session.seal(CLOSE, fresh(0)), node: '' };
    await expect(alice.client('node-1').sealed(REPORT, sealed)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    await alice.client('node-1').sealed('/symmetra.session.v1.SessionService/Close', sealed);
    await alice.openSession('node-1');
    const again = alice.client('node-1').sealed(CLOSE, sealed);
    await expect(again).rejects.toMatchObject({ code: 'SESSION_LOST' });
  });

  test('a replayed sealed message is MESSAGE_REPLAYED', async () => {
    await alice.ratchet('node-1');
    const session = await alice.openSession('node-1');
    const ATTACH = '/symmetra.session.v1.SessionService/Attach';
    const sealed = { session: session.sessionId, ...session.seal(ATTACH, fresh(0)), node: '' };
    await alice.client('node-1').sealed(ATTACH, sealed);
    const again = alice.client('node-1').sealed(ATTACH, sealed);
    await expect(again).rejects.toMatchObject({ code: 'MESSAGE_REPLAYED' });
  });

  test('a report leaves an audited line and changes nothing', async () => {
    await alice.ratchet('node-1');
    await alice.call('node-1', REPORT, report());
    expect(network.log).toContainEqual(expect.objectContaining({ event: 'report', device: alice.id }));
    const nonsense = alice.call('node-1', REPORT, { ...report(), reason: 'BECAUSE' });
    await expect(nonsense).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  });
});

function report() {
  return {
    keyId: Buffer.alloc(16, 1),
    node: 'node-2',
    initiator: Buffer.alloc(32, 2),
    reason: 'DELIVERY_MISSING',
    headerHash: Buffer.alloc(32),
    evidence: Buffer.alloc(0),
  };
}
