import { RandomBitGenerator, SourcePipeline } from '@symmetra/entropy';
import type { RandomBytes } from '@symmetra/entropy';
import { ManualClock, Prng } from '@symmetra/testing';
import { afterEach, expect, test } from 'vitest';
import { ScriptedSource, until } from './faults-source.js';
import { fair } from './pipeline-world.js';

const STRETCH_BYTES = 2 ** 14;
/** More seeds than one block gives. */
const DRAW_BYTES = 4 * STRETCH_BYTES;

let generator: RandomBitGenerator | undefined;
afterEach(async () => generator?.close());

test('a draw of several seeds is never refused for good, however many blocks a window gives', async () => {
  const prng = new Prng('supply');
  const random: RandomBytes = (length) => prng.bytes(length);
  const clock = new ManualClock();
  // A window of 65,536 bytes gives 256 blocks, as many as the least pool holds.
  const noise = new ScriptedSource('supply', fair(8), { bitsPerSample: 8, minEntropyPerSample: 6 });
  const opened = new RandomBitGenerator({
    os: random,
    clock,
    open: (onEvent) => [new SourcePipeline(noise, { random, clock, onEvent })],
  });
  generator = opened;
  await until(() => opened.status().availableSeeds >= 2 * 256, 'seeds');
  const { bytes } = opened.drbg();
  let drawn = 0;
  await until(() => {
    if (opened.status().availableSeeds >= 4) drawn += bytes(DRAW_BYTES).length;
    return drawn >= 300 * DRAW_BYTES;
  }, 'more than two windows');
  expect(opened.status().ledger.refusals).toBe(0);
});
