import {
  ARRIVAL_TIME_SETUP,
  BEAM_SPLITTER_SETUP,
  DetectorMonitor,
  SimulatedDetector,
  claimedMinEntropy,
  describeDetector,
  sampleBits,
  trueMinEntropy,
} from '@symmetra/entropy';
import type { Defect, DetectorParameters, DetectorSetup, Fault } from '@symmetra/entropy';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const SETUPS: readonly DetectorSetup[] = [BEAM_SPLITTER_SETUP, ARRIVAL_TIME_SETUP];
const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

const having = (setup: DetectorSetup, change: Partial<DetectorParameters>): DetectorSetup => ({
  ...setup,
  parameters: { ...setup.parameters, ...change },
});

/** The code of the error that a call fails with; `none` when it does not fail. */
function codeOf(call: () => unknown): string {
  try {
    call();
    return 'none';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe.each(SETUPS)('the simulated detector, $digitisation.kind', (setup) => {
  test('makes the same clicks of the same seed, in whatever cut they are read', () => {
    const whole = new SimulatedDetector(setup, seed(1)).read(30_000);
    const parts = new SimulatedDetector(setup, seed(1));
    const blocks = [1, 4095, 4096, 10_000, 11_808].map((count) => parts.read(count));
    expect(Buffer.concat(blocks.map(({ samples }) => samples)).equals(whole.samples)).toBe(true);
    expect(blocks.flatMap(({ clicks }) => Array.from(clicks.intervals))).toEqual([...whole.clicks.intervals]);
    expect(blocks.flatMap(({ clicks }) => Array.from(clicks.detectors))).toEqual([...whole.clicks.detectors]);
  });

  test('makes others of another seed', () => {
    const [first, second] = [1, 2].map((fill) => new SimulatedDetector(setup, seed(fill)).read(1000).samples);
    expect(first).not.toEqual(second);
  });

  test('states the truth of every sample', () => {
    const faults: Fault[] = [{ kind: 'lamp', power: 0, at: 1000, until: 2000 }];
    const { trueMinEntropy: truth } = new SimulatedDetector(setup, seed(3), faults).read(3000);
    const healthy = trueMinEntropy(setup, [], 0);
    const dark = truth.findIndex((entropy) => entropy === 0);
    const light = truth.findLastIndex((entropy) => entropy === 0) + 1;
    expect([truth[0], truth[dark - 1], truth[light], truth.at(-1)]).toEqual(Array(4).fill(healthy));
    expect(truth.slice(dark, light).every((entropy) => entropy === 0)).toBe(true);
    expect(dark).toBeGreaterThan(600);
    expect(light).toBeLessThanOrEqual(2000);
  });

  test('falls silent without light and dark counts, and comes back with the light', () => {
    const dark = having(setup, { darkRate: [0, 0] });
    const off: Fault = { kind: 'lamp', power: 0, at: 100 };
    const silent = new SimulatedDetector(dark, seed(4), [off]);
    expect(codeOf(() => silent.read(1000))).toBe('SOURCE_SILENT');
    expect(codeOf(() => silent.read(1000))).toBe('SOURCE_SILENT');
  });

  test.each([
    ['short-read', 'SOURCE_SHORT_READ'],
    ['silence', 'SOURCE_SILENT'],
  ] as const)('stops once for a %s', (kind, code) => {
    const detector = new SimulatedDetector(setup, seed(5), [{ kind, at: 5000 }]);
    const first = detector.read(3000);
    expect(first.samples).toHaveLength(3000);
    expect(codeOf(() => detector.read(9000))).toBe(code);
    expect(detector.click).toBe(5000);
    expect(detector.read(9000).samples).toHaveLength(9000);
  });

  test('sends the last tags again and again', () => {
    const fault: Fault = { kind: 'replay', length: 50, at: 1000, until: 1125 };
    const { clicks } = new SimulatedDetector(setup, seed(6), [fault]).read(1500);
    const buffer = [...clicks.intervals.subarray(950, 1000)];
    expect([...clicks.intervals.subarray(1000, 1125)]).toEqual([
      ...buffer,
      ...buffer,
      ...buffer.slice(0, 25),
    ]);
    expect([...clicks.intervals.subarray(1125, 1150)]).not.toEqual(buffer.slice(25));
  });

  test.each([31, 33])('refuses a seed of %d bytes', (length) => {
    expect(codeOf(() => new SimulatedDetector(setup, new Uint8Array(length)))).toBe('DETECTOR_SEED');
  });

  test.each<Partial<DetectorParameters>>([
    { photonRate: -1 },
    { photonRate: Number.NaN },
    { split: 1.1 },
    { efficiency: [0.5, 2] },
    { darkRate: [-1, 0] },
    { celsius: 1000 },
    { tickPs: 0.5 },
    { jitterPs: -1 },
    { deadTimePs: 1000 },
    { afterpulseProbability: 0.9 },
    { afterpulseTauPs: 0 },
  ])('refuses %o', (change) => {
    const [parameter] = Object.keys(change);
    for (const use of [
      () => new SimulatedDetector(having(setup, change), seed(0)),
      () => new DetectorMonitor(having(setup, change)),
    ]) {
      expect(use).toThrow(
        expect.objectContaining({ code: 'DETECTOR_PARAMETERS', details: { parameter } }) as Error,
      );
    }
  });

  test('is never without the word "simulated"', () => {
    expect(describeDetector('lamp', setup)).toMatchObject({
      name: 'lamp',
      kind: 'detector',
      simulated: true,
      raw: true,
    });
  });
});

test.each([
  { kind: 'beam-splitter', guardPs: -1 },
  { kind: 'arrival-time', binPs: 1500, bins: 64 },
  { kind: 'arrival-time', binPs: 10_000, bins: 60 },
  { kind: 'arrival-time', binPs: 10_000, bins: 512 },
] as const)('the detector refuses the digitisation %o', (digitisation) => {
  const setup = { ...ARRIVAL_TIME_SETUP, digitisation };
  expect(codeOf(() => new SimulatedDetector(setup, seed(0)))).toBe('DETECTOR_PARAMETERS');
});

describe('the true min-entropy', () => {
  const entropyUnder = (setup: DetectorSetup, defect: Defect): number =>
    trueMinEntropy(setup, [{ at: 0, ...defect }], 1_000_000);

  test('of the two setups, and 80 % of it is claimed', () => {
    expect(trueMinEntropy(BEAM_SPLITTER_SETUP, [], 0)).toBeCloseTo(0.9983, 4);
    expect(trueMinEntropy(ARRIVAL_TIME_SETUP, [], 0)).toBeCloseTo(3.2706, 4);
    expect(SETUPS.map(claimedMinEntropy)).toEqual([0.79, 2.61]);
  });

  test.each<Defect>([
    { kind: 'lamp', power: 0 },
    { kind: 'laser-decay', halfLife: 1000 },
    { kind: 'blinding', factor: 2 },
    { kind: 'replay', length: 10 },
  ])('is nothing under %o', (defect) => {
    for (const setup of SETUPS) expect(entropyUnder(setup, defect)).toBeCloseTo(0, 2);
  });

  test('follows the drift of a beam splitter', () => {
    const drift: Fault = { kind: 'entropy-drift', at: 1000, clicks: 25_600, from: 0.9, to: 0.6 };
    const quiet = having(BEAM_SPLITTER_SETUP, { darkRate: [0, 0], afterpulseProbability: 0 });
    const at = (click: number): number => trueMinEntropy(quiet, [drift], click);
    expect([999, 1000, 1000 + 12_800, 1000 + 25_600, 10 ** 6].map(at)).toEqual(
      [1, 0.9, 0.75, 0.6, 0.6].map((entropy) => expect.closeTo(entropy, 9) as number),
    );
  });

  test('of a stuck bit: nothing of one bit, about half the bins of six', () => {
    expect(entropyUnder(BEAM_SPLITTER_SETUP, { kind: 'stuck-bit', bit: 0, value: 1 })).toBe(0);
    const arrival = [0, 5].map((bit) =>
      entropyUnder(ARRIVAL_TIME_SETUP, { kind: 'stuck-bit', bit, value: 0 }),
    );
    expect(arrival).toEqual([expect.closeTo(2.4, 1), expect.closeTo(3.22, 1)]);
  });

  test('counts known clicks as known: none falls with darkness, afterpulses or a clock', () => {
    for (const setup of SETUPS) {
      for (const worse of [
        (by: number): Defect => ({ kind: 'heating', celsius: 10 * by }),
        (by: number): Defect => ({ kind: 'afterpulse', probability: 0.03 + 0.04 * by }),
        (by: number): Defect => ({ kind: 'interference', periodPs: 1e6, probability: 0.1 * by }),
      ]) {
        const falling = Array.from({ length: 11 }, (_, by) => entropyUnder(setup, worse(by)));
        expect(falling).toEqual(falling.toSorted((first, second) => second - first));
      }
    }
  });

  test('lies between nothing and the bits of a sample, whatever the detector', () => {
    const rate = fc.double({ min: 0, max: 1e10, noNaN: true });
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(rate, part, part, part, rate, fc.nat(400), (photonRate, split, eta, late, dark, deadNs) => {
        for (const setup of SETUPS) {
          const made = having(setup, {
            photonRate,
            split,
            efficiency: [eta, 0.5],
            afterpulseProbability: late / 2,
            darkRate: [dark / 10, 100],
            deadTimePs: 3000 + 1000 * deadNs,
          });
          const entropy = trueMinEntropy(made, [], 0);
          expect(entropy).toBeGreaterThanOrEqual(0);
          expect(entropy).toBeLessThanOrEqual(sampleBits(setup.digitisation));
          expect(claimedMinEntropy(made)).toBeLessThanOrEqual(entropy);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the monitor of a detector', () => {
  test('takes a block without clicks for none of a detector', () => {
    const alarm = new DetectorMonitor(BEAM_SPLITTER_SETUP).feed({ samples: new Uint8Array(10) });
    expect(alarm).toEqual({ test: 'detector-clicks', level: 'permanent', sample: 0 });
  });

  test.each(SETUPS)('sees samples that do not come of the clicks, $digitisation.kind', (setup) => {
    const { samples, clicks } = new SimulatedDetector(setup, seed(7)).read(1000);
    const judge = (seen: Uint8Array) => new DetectorMonitor(setup).feed({ samples: seen, clicks });
    expect(judge(samples)).toBeUndefined();
    const wrong = { test: 'detector-digitiser', level: 'permanent' };
    expect(judge(samples.with(500, samples[500] === 0 ? 1 : 0))).toMatchObject(wrong);
    expect(judge(samples.subarray(1))).toMatchObject(wrong);
    expect(judge(samples.subarray(0, 999))).toMatchObject(wrong);
    expect(judge(Uint8Array.of(...samples, 0))).toMatchObject(wrong);
  });

  test('sees at once a click within the dead time, which no detector can make', () => {
    const { samples, clicks } = new SimulatedDetector(ARRIVAL_TIME_SETUP, seed(10)).read(100_000);
    // A whole round of the bins less: the sample is as it was, and the wait is below 40 ns of 45.
    const round = 640;
    const index = clicks.intervals.findIndex((ticks) => ticks >= round && ticks % round < 39);
    const hasty = clicks.intervals.with(index, (clicks.intervals[index] ?? 0) % round);
    const monitor = new DetectorMonitor(ARRIVAL_TIME_SETUP);
    expect(index).toBeGreaterThan(0);
    expect(monitor.feed({ samples, clicks: { ...clicks, intervals: hasty } })).toEqual({
      test: 'detector-dead-time',
      level: 'permanent',
      sample: index,
    });
  });

  test('sees a click of a detector that can not click', () => {
    const { samples, clicks } = new SimulatedDetector(ARRIVAL_TIME_SETUP, seed(8)).read(1000);
    const foreign = { ...clicks, detectors: clicks.detectors.with(600, 1) };
    expect(new DetectorMonitor(ARRIVAL_TIME_SETUP).feed({ samples, clicks: foreign })).toEqual({
      test: 'detector-dark',
      level: 'permanent',
      sample: 600,
    });
  });

  test('counts samples from the last reset', () => {
    const detector = new SimulatedDetector(ARRIVAL_TIME_SETUP, seed(9), [
      { kind: 'lamp', power: 0, at: 5000 },
    ]);
    const monitor = new DetectorMonitor(ARRIVAL_TIME_SETUP);
    expect(monitor.feed(detector.read(4000))).toBeUndefined();
    const block = detector.read(2000);
    expect(monitor.feed(block)?.sample).toBeGreaterThan(4990);
    monitor.reset();
    expect(monitor.feed(block)?.sample).toBeLessThan(1100);
  });
});
