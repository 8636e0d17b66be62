import { MAX_READ_SAMPLES, osNoise } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import { describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';

const never = (): AbortSignal => new AbortController().signal;

describeNoiseSource('the operating system', async () => ({ source: osNoise(systemClock) }));

describe('the operating system as a source', () => {
  it('is labelled as what it is, and credited with nothing', () => {
    expect(osNoise(systemClock).description).toEqual({
      name: 'os',
      kind: 'os',
      physical: false,
      quantum: false,
      simulated: false,
      raw: false,
      bitsPerSample: 8,
      minEntropyPerSample: 0,
    });
  });

  it('gives the largest block, and refuses what is none', async () => {
    const source = osNoise(systemClock);
    expect((await source.read(MAX_READ_SAMPLES, never())).samples).toHaveLength(MAX_READ_SAMPLES);
    for (const count of [0, -1, 1.5, Number.NaN, MAX_READ_SAMPLES + 1]) {
      expect(await codeOf(source.read(count, never()))).toBe('SOURCE_BAD_COUNT');
    }
  });
});
