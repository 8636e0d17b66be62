import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, NodeNetwork, TestDevice } from '@symmetra/testing';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const MAX_PENDING = 1024;

let clock: ManualClock;
let network: NodeNetwork;
let alice: TestDevice;
let bob: TestDevice;

beforeEach(async () => {
  clock = new ManualClock();
  network = await NodeNetwork.start({}, clock);
  const token = await network.administrator.createToken({ uses: 2 });
  [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
});

afterEach(async () => {
  alice.close();
  bob.close();
  await network.stop();
});

const rows = async (prefix: string): Promise<number> => (await network.store('node-1').scan(prefix)).length;

const ask = async (lifetimeSeconds: number): Promise<void> => {
  const [request] = alice.startNegotiation(bob.deviceId, { limits: { lifetimeSeconds, uses: 0 } }).requests;
  if (request === undefined) throw new Error('there are no nodes');
  await alice.ask(request);
};

describe('what waits at a node', () => {
  test('expires with the key, is not delivered then, and is swept', async () => {
    await ask(60);
    await ask(3600);
    expect(await rows('share/')).toBe(2);
    clock.advance(2 * MINUTE);
    await bob.connect('node-1');
    expect(await bob.received((event) => event.event === 'delivery')).toHaveLength(1);
    await network.node('node-1').sweep();
    expect(await rows('share/')).toBe(1);
    expect(bob.events.filter((event) => event.event === 'delivery')).toHaveLength(1);
  });

  test('is kept for seven days at most, and the key id until no key of it can be in use', async () => {
    await ask(30 * 24 * 3600);
    clock.advance(7 * DAY - MINUTE);
    await network.node('node-1').sweep();
    expect([await rows('share/'), await rows('key/'), await rows('pair/')]).toEqual([1, 1, 2]);
    clock.advance(2 * MINUTE);
    await network.node('node-1').sweep();
    expect([await rows('share/'), await rows('key/'), await rows('pair/')]).toEqual([0, 1, 2]);
    clock.advance(31 * DAY);
    await network.node('node-1').sweep();
    expect([await rows('share/'), await rows('key/'), await rows('pair/')]).toEqual([0, 0, 0]);
  });

  test('is bounded for each responder: PEER_BUSY', async () => {
    await alice.openSession('node-1');
    await Promise.all(Array.from({ length: MAX_PENDING }, async () => ask(3600)));
    await expect(ask(3600)).rejects.toMatchObject({ code: 'PEER_BUSY' });
    await network.stopNode('node-1');
    await network.startNode('node-1');
    alice.sessions.clear();
    await expect(ask(3600)).rejects.toMatchObject({ code: 'PEER_BUSY' });
    await bob.connect('node-1');
    expect(await bob.received((event) => event.event === 'delivery', MAX_PENDING)).toHaveLength(MAX_PENDING);
  });
});
