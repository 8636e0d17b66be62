import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Writer } from '@symmetra/crypto';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import type { ControlBody, LogHead } from '@symmetra/protocol';
import { ManualClock, NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import type { ReceivedEvent } from '@symmetra/testing';

const POLICY: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };
const MAX_STALENESS_MS = 5000;

let clock: ManualClock;
let network: NodeNetwork;
let alice: TestDevice;
let bob: TestDevice;

beforeEach(async () => {
  clock = new ManualClock();
  network = await NodeNetwork.start({}, clock);
  const token = await network.administrator.createToken({ uses: 3 });
  [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
});

afterEach(async () => {
  alice.close();
  bob.close();
  await network.stop();
});

const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
};

/** Lets time pass in steps in which answers come. */
const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await turns();
  }
};

const linkOf = (device: TestDevice) => device.link;
const isFresh = (node: string): boolean => network.node(node).control().isFresh;
const told = (event: string) => network.log.filter((line) => line.event === event);
const alone = async (): Promise<void> => {
  await network.stopNode('node-2');
  await network.stopNode('node-3');
  await pass(MAX_STALENESS_MS);
};
const isDelivery = ({ delivery }: ReceivedEvent): boolean => delivery !== null && delivery !== undefined;
const heartbeat = ({ number, hash }: LogHead, clockMs = clock.now()): Uint8Array =>
  new Writer().u64(number).raw(hash).u64(clockMs).u64(1).finish();

describe('CTL-7: a node that is cut off', () => {
  test('deals no keys and enrols nobody, says so, and resumes by itself', async () => {
    expect(await alice.client('node-1').health()).toBe('SERVING');
    await alone();
    expect(isFresh('node-1')).toBe(false);
    expect(await alice.client('node-1').health()).toBe('NOT_SERVING');
    const request = alice.startNegotiation(bob.deviceId).requests.find(({ nodeId }) => nodeId === 'node-1');
    if (request === undefined) throw new Error('node-1 has no part');
    await expect(alice.ask(request)).rejects.toMatchObject({ code: 'NODE_STALE' });
    const carol = await TestDevice.meet(network.administrator.issueToken().text);
    await expect(carol.offer('node-1')).rejects.toMatchObject({ code: 'NODE_STALE' });
    carol.close();
    await network.startNode('node-3');
    await turns();
    expect(await alice.client('node-1').health()).toBe('SERVING');
    await alice.ask(request);
  });

  test('opens sessions, takes steps and revokes; a device that it revokes is told', async () => {
    await alone();
    await alice.openSession('node-1');
    await alice.ratchet('node-1');
    const revoke: ControlBody = { kind: 'device-revoke', deviceId: bob.deviceId, reason: 'stolen' };
    const { receipts } = await network.administrator.submit(revoke, 'node-1');
    expect(receipts.map(({ applied }) => applied)).toEqual([true, false, false]);
    await expect(bob.openSession('node-1')).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
  });

  test('does not seem stale for a new event, about which it asks the others at once', async () => {
    const health = async (): Promise<string> => alice.client('node-1').health();
    const seen: (string | boolean)[] = [];
    const { submit } = network.node('node-1');
    const { administrator } = network;
    for (let i = 0; i < 3; i++) {
      await submit(administrator.sign(POLICY, await administrator.head('node-1')));
      seen.push(isFresh('node-1'), await health());
      await turns();
    }
    expect(seen).toEqual([true, 'SERVING', true, 'SERVING', true, 'SERVING']);
    // No second has passed: nobody waited for the next heartbeat.
    for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    await network.stopNode('node-2');
    await network.stopNode('node-3');
    await submit(administrator.sign(POLICY, await administrator.head('node-1')));
    expect(isFresh('node-1')).toBe(true);
    await pass(1500);
    expect(isFresh('node-1')).toBe(false);
    expect(await health()).toBe('NOT_SERVING');
  });

  test('hands out what waits only when it is fresh', async () => {
    for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    await alone();
    await bob.connect('node-1', ['node-1']);
    await pass(2000);
    expect(bob.events.filter(isDelivery)).toEqual([]);
    await network.startNode('node-2');
    const [delivered] = await bob.received(isDelivery);
    expect(delivered?.node).toBe('node-1');
  });

  test('lets its devices go, once: one that comes back stays', async () => {
    await bob.connect('node-1');
    const former = bob.link;
    await alone();
    expect(await former?.closed).toMatchObject({ code: 'NODE_ISOLATED' });
    bob.link = undefined;
    await bob.connect('node-1', ['node-1']);
    const link = linkOf(bob);
    await pass(2 * MAX_STALENESS_MS);
    await bob.attach('node-1', 'node-1');
    await network.startNode('node-2');
    await pass(2000);
    await network.stopNode('node-2');
    await pass(MAX_STALENESS_MS + 1000);
    await bob.attach('node-1', 'node-1');
    // At most once a minute.
    await network.startNode('node-2');
    await pass(60_000);
    await network.stopNode('node-2');
    await pass(MAX_STALENESS_MS + 1000);
    expect(await link?.closed).toMatchObject({ code: 'NODE_ISOLATED' });
  });

  test('and only by others that stand elsewhere in the log keeps its devices', async () => {
    await bob.connect('node-1');
    const { number } = await network.administrator.head('node-1');
    await network.stopNode('node-2');
    await network.stopNode('node-3');
    const liar = network.wire.join('node-2');
    liar.serve('heartbeat', async () => heartbeat({ number, hash: fresh(32) }));
    await pass(2 * MAX_STALENESS_MS);
    expect(isFresh('node-1')).toBe(false);
    await bob.attach('node-1', 'node-1');
    await liar.close();
  });

  test('asks before it refuses: nobody notices that the clock of the test jumps', async () => {
    clock.advance(3_600_000);
    expect(isFresh('node-1')).toBe(false);
    for (const request of alice.startNegotiation(bob.deviceId).requests) await alice.ask(request);
    expect(isFresh('node-1')).toBe(true);
  });

  test('a node that starts alone is stale; one that was behind has everything before it is fresh', async () => {
    await network.stopNode('node-1');
    await network.administrator.submit(POLICY, 'node-2');
    await network.stopNode('node-2');
    await network.stopNode('node-3');
    network.stream.recreate();
    await network.startNode('node-1');
    expect(isFresh('node-1')).toBe(false);
    expect(network.node('node-1').logNumber()).toBe(2);
    await network.startNode('node-2');
    await turns();
    expect(isFresh('node-1')).toBe(true);
    expect(network.node('node-1').logNumber()).toBe(3);
  });
});

describe('CTL-7: a node that lies', () => {
  const lieAs = async (answer: () => Uint8Array, log?: () => Promise<Uint8Array>) => {
    await network.stopNode('node-2');
    const liar = network.wire.join('node-2');
    liar.serve('heartbeat', async () => answer());
    if (log !== undefined) liar.serve('log', log);
    return liar;
  };

  test('about a higher number stops nobody, and is reported', async () => {
    const { number } = await network.administrator.head('node-1');
    const liar = await lieAs(
      () => heartbeat({ number: number + 7, hash: fresh(32) }),
      async () => new Uint8Array(0),
    );
    await pass(2000);
    expect(isFresh('node-1')).toBe(true);
    expect(isFresh('node-3')).toBe(true);
    const lines = told('head-unshown');
    expect(new Set(lines.map((line) => line.node))).toEqual(new Set(['node-1', 'node-3']));
    expect(lines).toMatchObject([{ accused: 'node-2' }, { accused: 'node-2' }]);
    await liar.close();
  });

  test('about a higher number, and keeps the others waiting, stops them once and for a bounded time', async () => {
    const { number } = await network.administrator.head('node-1');
    const never = new Promise<Uint8Array>(() => {
      // It stays silent.
    });
    const liar = await lieAs(
      () => heartbeat({ number: number + 1, hash: fresh(32) }),
      async () => never,
    );
    await pass(2000);
    expect(isFresh('node-1')).toBe(false);
    await pass(2 * MAX_STALENESS_MS);
    expect(isFresh('node-1')).toBe(true);
    expect(told('head-unanswered')).toContainEqual(
      expect.objectContaining({ node: 'node-1', peer: 'node-2' }),
    );
    expect(told('head-unshown')).toEqual([]);
    await pass(3 * MAX_STALENESS_MS);
    expect(isFresh('node-1')).toBe(true);
    await liar.close();
  });

  test('about the hash does not count, and is reported', async () => {
    const { number } = await network.administrator.head('node-1');
    await network.stopNode('node-3');
    const liar = await lieAs(
      () => heartbeat({ number, hash: fresh(32) }),
      async () => new Uint8Array(0),
    );
    await pass(MAX_STALENESS_MS);
    expect(isFresh('node-1')).toBe(false);
    expect(told('head-differs')).toMatchObject([{ node: 'node-1', accused: 'node-2' }]);
    expect(network.node('node-1').control().isHalted).toBe(false);
    await liar.close();
  });

  test('about being behind does not count', async () => {
    await network.stopNode('node-3');
    const liar = await lieAs(() => heartbeat({ number: 0, hash: new Uint8Array(32) }));
    await pass(MAX_STALENESS_MS);
    expect(isFresh('node-1')).toBe(false);
    await liar.close();
  });

  test('by telling what was true long ago: what comes unasked does not count', async () => {
    const head = await network.administrator.head('node-1');
    await network.stopNode('node-3');
    await network.stopNode('node-2');
    const liar = network.wire.join('node-2');
    for (let i = 0; i < 8; i++) {
      await pass(1000);
      await liar.request('node-1', 'heartbeat', heartbeat(head), { timeoutMs: 1000 });
    }
    expect(isFresh('node-1')).toBe(false);
    await liar.close();
  });

  test('about the time is reported, and nothing is decided by it', async () => {
    const head = await network.administrator.head('node-1');
    const liar = await lieAs(() => heartbeat(head, clock.now() + 60_000));
    await pass(2000);
    expect(told('clock-skew')).toContainEqual(expect.objectContaining({ node: 'node-1', peer: 'node-2' }));
    const report = network
      .node('node-1')
      .control()
      .peers.find(({ node }) => node === 'node-2');
    expect(report?.skewMs).toBeGreaterThan(59_000);
    expect(isFresh('node-1')).toBe(true);
    await liar.close();
  });
});
