import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GeneratorEvent, RandomBitGenerator } from '@symmetra/entropy';
import { openGenerator, untilReady } from '@symmetra/node';
import { systemClock } from '@symmetra/runtime';
import { parseEntropyConfig } from '@symmetra/runtime/configuration';
import { afterEach, expect, test } from 'vitest';

const READY_MS = 60_000;
const WARM_UP_MS = 5000;
const LOAD_MS = 20_000;
/** An assessment of the detector's samples begins within the load and may end after it. */
const ASSESSED_MS = 60_000;
const BREAK_MS = 20;
const DRAW_BYTES = 2 ** 16;
const FULL_BYTES = 480;
const GROWTH_BYTES = 2 ** 24;

let generator: RandomBitGenerator | undefined;
afterEach(async () => generator?.close());

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this thread holds once everything that can go is gone. */
function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('the generator of a network grows by nothing under load, and its detector is assessed meanwhile', async () => {
  const events: GeneratorEvent[] = [];
  const opened = openGenerator({
    config: parseEntropyConfig(undefined),
    clock: systemClock,
    onEvent: (event) => events.push(event),
  });
  generator = opened;
  await untilReady(opened, systemClock, READY_MS);
  const { bytes } = opened.drbg();
  const detector = () => opened.status().sources.find(({ description }) => description.name === 'detector');

  const load = async (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      if (opened.status().availableSeeds > 64) {
        bytes(DRAW_BYTES);
        for (let i = 0; i < 4; i++) opened.full(FULL_BYTES);
      }
      await setTimeout(BREAK_MS);
    }
  };
  await load(WARM_UP_MS);
  const before = held();
  await load(LOAD_MS);
  expect(held() - before).toBeLessThan(GROWTH_BYTES);

  for (const end = performance.now() + ASSESSED_MS; performance.now() < end;) {
    if (detector()?.assessed !== undefined && detector()?.outputChecked !== undefined) break;
    await load(200);
  }
  expect(detector()).toMatchObject({ state: 'qualified', alarms: 0, assessed: { passed: true } });
  expect(detector()?.assessed?.minEntropy).toBeGreaterThan(2.61);
  expect(detector()?.outputChecked?.leastP).toBeGreaterThan(2 ** -40);
  expect(detector()?.gate).toMatchObject({ rejected: 0, shut: false });
  expect(events.map(({ kind }) => kind).toSorted()).toEqual(['assessed', 'qualified', 'qualified', 'ready']);
  expect(opened.status().ledger.refusals).toBe(0);
});
