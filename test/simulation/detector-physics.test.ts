import { assessNonIid } from '@symmetra/battery';
import {
  ARRIVAL_TIME_SETUP,
  BEAM_SPLITTER_SETUP,
  SimulatedDetector,
  claimedMinEntropy,
  sampleBits,
  trueMinEntropy,
} from '@symmetra/entropy';
import type { DetectorParameters, DetectorSetup } from '@symmetra/entropy';
import { describe, expect, test } from 'vitest';

/** Half-width of the intervals below, in standard deviations: left by chance once in 2.6e7. The seeds are fixed. */
const SIGMAS = 5.5;

const seed = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(32, '.'));

/** Clicks of a detector: intervals in nanoseconds, for every setup here has ticks of one. */
function observe(setup: DetectorSetup, text: string, clicks: number) {
  const { samples, clicks: seen } = new SimulatedDetector(setup, seed(text)).read(clicks);
  return { samples, intervals: seen.intervals, detectors: seen.detectors };
}

const single = (change: Partial<DetectorParameters>): DetectorSetup => ({
  ...ARRIVAL_TIME_SETUP,
  parameters: { ...ARRIVAL_TIME_SETUP.parameters, ...change },
});

const paths = (change: Partial<DetectorParameters>, guardPs = 0): DetectorSetup => ({
  parameters: { ...BEAM_SPLITTER_SETUP.parameters, ...change },
  digitisation: { kind: 'beam-splitter', guardPs },
});

function moments(values: Uint8Array | Uint32Array) {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const deviation = Math.sqrt(squares / values.length - mean * mean);
  return { mean, error: deviation / Math.sqrt(values.length) };
}

/** How many standard errors a value lies from what it should be. */
const deviations = (value: number, expected: number, error: number): number =>
  Math.abs(value - expected) / error;

/** Minus log2 of the most frequent value's frequency. */
function plainMinEntropy(values: Uint8Array | Uint32Array, size: number): number {
  const counts = new Uint32Array(size);
  for (const value of values) counts[value]! += 1;
  return -Math.log2(Math.max(...counts) / values.length);
}

describe('rate', () => {
  test.each([1e4, 1e5, 1e6, 1e7, 1e8])('is lambda / (1 + lambda tau) at lambda = %d per second', (lambda) => {
    const quiet = { afterpulseProbability: 0, darkRate: [0, 0] as const };
    const { intervals } = observe(single({ ...quiet, photonRate: 2 * lambda }), `rate ${lambda}`, 200_000);
    const { mean, error } = moments(intervals);
    expect(deviations(mean, 1e9 * ((1 + lambda * 45e-9) / lambda), error)).toBeLessThan(SIGMAS);
  });

  test('is 6.9 million clicks per second at 20 million photons, 45 ns and 3 % of afterpulses', () => {
    const { intervals } = observe(ARRIVAL_TIME_SETUP, 'section 5', 1_000_000);
    expect(1e3 / moments(intervals).mean).toBeCloseTo(6.9, 1);
  });

  test('dark counts double with every eight degrees', () => {
    const dark = { photonRate: 0, darkRate: [1000, 0] as const, afterpulseProbability: 0, celsius: 36 };
    const { mean, error } = moments(observe(single(dark), 'dark', 50_000).intervals);
    expect(deviations(mean, 1e9 / 4000 + 45, error)).toBeLessThan(SIGMAS);
  });

  test('afterpulses beyond the dead time come as often as the law says', () => {
    const faint = { photonRate: 2000, darkRate: [0, 0] as const, afterpulseProbability: 0.1 };
    const { intervals } = observe(single(faint), 'afterpulse', 400_000);
    const early = intervals.reduce((count, interval) => count + (interval < 45 + 250 ? 1 : 0), 0);
    const expected = 0.1 * Math.exp(-45 / 50) * (1 - Math.exp(-5)) + 1e3 * 250e-9;
    expect(deviations(early / 400_000, expected, Math.sqrt(expected / 400_000))).toBeLessThan(SIGMAS);
  });

  test('no interval of one detector is shorter than the dead time less jitter and a tick', () => {
    const { intervals } = observe(ARRIVAL_TIME_SETUP, 'floor', 500_000);
    expect(Math.min(...smallest(intervals))).toBeGreaterThanOrEqual(45 - 1 - 3);
  });
});

/** The smallest of each thousand: spreading the whole would need too many arguments. */
function smallest(values: Uint32Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < values.length; at += 1000) found.push(Math.min(...values.subarray(at, at + 1000)));
  return found;
}

describe('the beam splitter', () => {
  test.each([
    [0.5, 0.5],
    [0.6, 0.5],
    [0.8, 0.4],
  ])('efficiencies %d and %d bias the bit to eta1 / (eta0 + eta1)', (eta0, eta1) => {
    const faint = { photonRate: 1e4, efficiency: [eta0, eta1] as const, afterpulseProbability: 0 };
    const { samples } = observe(paths({ ...faint, darkRate: [0, 0] }), `bias ${eta0}`, 400_000);
    const { mean, error } = moments(samples);
    expect(deviations(mean, eta1 / (eta0 + eta1), error + 1e-6)).toBeLessThan(SIGMAS);
  });

  test.each([1e4, 1e5, 1e6, 1e7, 1e8])(
    'bits without a guard time have the serial autocorrelation - r tau over four decades of flux (%d)',
    (lambda) => {
      const quiet = { photonRate: 4 * lambda, afterpulseProbability: 0, darkRate: [0, 0] as const };
      const { samples } = observe(paths(quiet), `serial ${lambda}`, 1_000_000);
      const load = lambda * 45e-9;
      expect(deviations(serial(samples), -load / (1 + load), 1e-3)).toBeLessThan(SIGMAS);
    },
  );

  test('the guard time takes it away, at a price in samples', () => {
    const bright = paths({ photonRate: 1e7 }, 295_000);
    const { samples, intervals } = observe(bright, 'guard', 400_000);
    expect(deviations(serial(samples), 0, 1 / Math.sqrt(400_000))).toBeLessThan(SIGMAS);
    const unguarded = observe(paths({ photonRate: 1e7 }), 'guard', 400_000).samples;
    expect(serial(unguarded)).toBeLessThan(-0.08);
    expect(samples.length / intervals.length).toBeLessThan(0.3);
  });
});

/** Autocorrelation of bits at lag 1. */
function serial(bits: Uint8Array): number {
  const { mean } = moments(bits);
  let sum = 0;
  for (let index = 1; index < bits.length; index += 1) {
    sum += ((bits[index] ?? 0) - mean) * ((bits[index - 1] ?? 0) - mean);
  }
  return sum / (bits.length - 1) / (mean * (1 - mean));
}

describe('the arrival time', () => {
  test('64 bins of 10 ns hold 5.96 of 6 bits when each sample is looked at alone', () => {
    const { samples } = observe(ARRIVAL_TIME_SETUP, 'phase', 2_000_000);
    expect(plainMinEntropy(samples, 64)).toBeGreaterThan(5.95);
  });

  test('but only 3.3 to somebody who knows the sample before', () => {
    const { samples } = observe(ARRIVAL_TIME_SETUP, 'phase', 2_000_000);
    const steps = samples.map((sample, index) => (sample - (samples[index - 1] ?? 0)) & 63);
    const entropy = plainMinEntropy(steps, 64);
    expect(entropy).toBeGreaterThan(3.27);
    expect(entropy).toBeLessThan(3.6);
  });
});

describe('wrong digitisations', () => {
  test('the interval modulo 256 ns has 6.5 of 8 bits', () => {
    const { intervals } = observe(ARRIVAL_TIME_SETUP, 'modulo', 1_000_000);
    expect(
      plainMinEntropy(
        intervals.map((interval) => interval % 256),
        256,
      ),
    ).toBeCloseTo(6.5, 1);
  });

  test.each([
    { lambda: 0.5e6, odd: (1 - Math.exp(-1)) / 2, shown: '0.32', clicks: 300_000 },
    { lambda: 4.878e6, odd: 0.4995, shown: '0.499', clicks: 1_500_000 },
  ])('the parity of clicks in 1 us is odd with probability $shown', ({ lambda, odd, clicks }) => {
    const quiet = { photonRate: 2 * lambda, afterpulseProbability: 0, darkRate: [0, 0] as const };
    const parities = windowParities(observe(single(quiet), `parity ${lambda}`, clicks).intervals, 1000);
    const { mean, error } = moments(parities);
    // Dead time takes a little from the variance of the count: up to 0.008 of the odd windows here.
    expect(Math.abs(mean - odd)).toBeLessThan(SIGMAS * error + 0.008);
  });
});

/** For each window of so many nanoseconds, whether an odd number of clicks fell into it. */
function windowParities(intervals: Uint32Array, window: number): Uint8Array {
  const total = intervals.reduce((sum, interval) => sum + interval, 0);
  const parities = new Uint8Array(Math.floor(total / window));
  let time = 0;
  for (const interval of intervals) {
    time += interval;
    const index = Math.floor(time / window);
    if (index < parities.length) parities[index]! ^= 1;
  }
  return parities;
}

describe('the claim', () => {
  test.each([2e6, 2e7, 5e7])(
    'no tag foretells the next arrival better than the model at %d photons',
    (photonRate) => {
      const setup = single({ photonRate });
      const { intervals } = observe(setup, `foretell ${photonRate}`, 1_000_000);
      const round = new Uint32Array(640);
      for (const interval of intervals) round[interval % 640]! += 1;
      const guesses = Array.from({ length: 640 }, (_, from) => {
        let hits = 0;
        for (let tick = 0; tick < 10; tick += 1) hits += round[(from + tick) % 640] ?? 0;
        return hits / intervals.length;
      });
      const [best, bound] = [Math.max(...guesses), 2 ** -trueMinEntropy(setup, [], 0)];
      expect(best).toBeLessThan(bound + SIGMAS * Math.sqrt(bound / intervals.length));
      expect(best).toBeGreaterThan(0.6 * bound);
    },
  );

  test.each([
    { name: 'beam splitter', setup: BEAM_SPLITTER_SETUP, samples: 1_000_000 },
    { name: 'arrival time', setup: ARRIVAL_TIME_SETUP, samples: 100_000 },
  ])('SP 800-90B assesses no less than is claimed: $name', ({ name, setup, samples }) => {
    const block = observe(setup, `assessed ${name}`, samples);
    const { minEntropy } = assessNonIid(block.samples, sampleBits(setup.digitisation));
    expect(minEntropy).toBeGreaterThan(claimedMinEntropy(setup));
    expect(minEntropy).toBeLessThan(trueMinEntropy(setup, [], 0) + 0.35);
  });
});
