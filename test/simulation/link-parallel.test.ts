import type { LinkedBus } from '@symmetra/bus';
import { NOTHING, SECOND, codeOf } from '../scenario/link-talk.js';
import { CALM, LinkWorld, Prng, SimulatedWires } from '@symmetra/testing';
import { expect, test } from 'vitest';

const SEEDS = 10;
const SECONDS = 200;
/** Below the pause between two requests, so that none overtakes another one. */
const LONGEST_DELAY_MS = 400;
/** What waits for the first link goes out late: nothing is asked that could overtake it. */
const OPENING_SECONDS = 5;
const TURNS = 3;

/** Both ends open at once; then each asks the other every second. @returns the codes of those that failed */
async function run(seed: string): Promise<readonly string[]> {
  const prng = new Prng(seed);
  const world = new LinkWorld(seed);
  const faults = { ...CALM, delay: prng.pick([0.2, 0.5, 0.9]), longestDelay: LONGEST_DELAY_MS };
  const wires = new SimulatedWires({ clock: world.clock, prng, faults });
  const settings = { renewMs: prng.pick([7, 30, 90, 3600]) * SECOND };
  const join = (node: string): LinkedBus => {
    const instance = Buffer.from(prng.bytes(4)).toString('hex');
    const bus = world.join(node, settings, wires.join({ node, instance }));
    bus.serve('ask', async () => NOTHING);
    return bus;
  };
  const [alice, bob] = [join('alice'), join('bob')];
  const failed: string[] = [];
  const ask = async (from: LinkedBus, to: string): Promise<void> => {
    const code = await codeOf(from.request(to, 'ask', NOTHING, { timeoutMs: 10 * SECOND }));
    if (code !== undefined) failed.push(code);
  };
  const asked: Promise<void>[] = [];
  for (let second = 0; second < SECONDS; second++) {
    if (second === 0 || second > OPENING_SECONDS) asked.push(ask(alice, 'bob'), ask(bob, 'alice'));
    for (let step = 0; step < 5; step++) {
      await world.settle(TURNS);
      world.clock.advance(SECOND / 5);
    }
  }
  for (let step = 0; step < 60; step++) {
    await world.settle(TURNS);
    world.clock.advance(SECOND / 5);
  }
  await Promise.all(asked);
  await Promise.all([alice.close(), bob.close()]);
  return failed;
}

test('LINK-7: both open at once, and datagrams take what they like: no request goes unanswered', async () => {
  const chosen = process.env['SIM_SEED'];
  const seeds = Array.from({ length: SEEDS }, (_, i) => `link-parallel/${i}`);
  for (const seed of chosen === undefined ? seeds : seeds.filter((one) => one === chosen)) {
    expect(await run(seed), `SIM_SEED=${seed}`).toEqual([]);
  }
});
