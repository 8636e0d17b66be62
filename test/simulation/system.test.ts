import { DISK_EVENTS, LIES, LINE_EVENTS, LOG_EVENTS, Occurrences } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { CHANGES } from './system-changes.js';
import { HAPPENINGS } from './system-happenings.js';
import { runSeed } from './system-seeds.js';
import { TASKS } from './system-work.js';

/** Few, for the time that they take; among them everything occurs at least twice. */
const SEEDS = [1, 3, 4, 6, 9, 15, 18, 19].map((number) => `system/${number}`);
const [FIRST_SEED = ''] = SEEDS;
const SEEDS_PER_TEST = 4;
/** What is done so often that a test which sees less of it is out of order. */
const OFTEN = {
  negotiate: 50,
  ratchet: 15,
  'group-rotate': 4,
  'group-send': 8,
  'revoke-device': 2,
} as const;

const chosen = process.env['SIM_SEED'];
const own = chosen?.startsWith('system/') === true ? chosen : undefined;
const occurrences = new Occurrences();
const traces = new Map<string, string>();

/** Everything that must occur in the seeds of this test. */
const EXPECTED = [
  ...TASKS.map((task) => `did:${task}`),
  ...HAPPENINGS.map((happening) => `happening:${happening}`),
  'introduced',
  ...CHANGES.map((change) => `change:${change}`),
  ...LIES.map((lie) => `lie:${lie}`),
  ...DISK_EVENTS.map((event) => `disk:${event}`),
  ...LINE_EVENTS.map((event) => `line:${event}`),
  ...LOG_EVENTS.map((event) => `log:${event}`),
];

describe('a whole system: nodes, devices and an administrator in one process', () => {
  for (let from = 0; from < SEEDS.length; from += SEEDS_PER_TEST) {
    const seeds = SEEDS.slice(from, from + SEEDS_PER_TEST);
    test.skipIf(chosen !== undefined)(`seeds ${seeds.join(', ')}`, async () => {
      for (const seed of seeds) {
        const { trace } = await runSeed(seed, occurrences);
        traces.set(seed, trace);
      }
      expect(seeds.every((seed) => traces.has(seed))).toBe(true);
    });
  }

  test.skipIf(chosen !== undefined)('one seed decides everything', async () => {
    const { trace } = await runSeed(FIRST_SEED, new Occurrences());
    expect(trace).toBe(traces.get(FIRST_SEED));
    expect(new Set(traces.values()).size).toBe(SEEDS.length);
  });

  test.skipIf(chosen !== undefined)('every task succeeded, and everything that befalls a system did', () => {
    expect({ missing: occurrences.missing(EXPECTED), of: occurrences.all() }).toMatchObject({ missing: [] });
    const rare = Object.entries(OFTEN).filter(([task, least]) => occurrences.count(`did:${task}`) < least);
    expect(rare).toEqual([]);
  });

  test.for(own === undefined ? [] : [own])('seed %s', async (seed) => {
    await expect(runSeed(seed, occurrences)).resolves.toMatchObject({ violations: [] });
  });
});
