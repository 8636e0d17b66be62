import { array, assert, integer, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binomialTail } from '@symmetra/battery';
import {
  AdaptiveProportion,
  ContextPredictor,
  DuplicateBlocks,
  HealthSuite,
  LagPredictor,
  RepetitionCount,
  RollingMinEntropy,
  proportionCutoff,
  repetitionCutoff,
} from '@symmetra/entropy';
import type { Alarm, HealthTest, SourceDescription } from '@symmetra/entropy';
import { Prng } from '@symmetra/testing';

/** The cutoffs of SP 800-90B, 4.4 as they were computed apart from this code: RCT and APT for 2^-20, 2^-30, 2^-40. */
const CUTOFFS: readonly [bits: number, minEntropy: number, rct: number[], apt: number[]][] = [
  [1, 0.1, [201, 301, 401], [991, 999, 1005]],
  [1, 0.2, [101, 151, 201], [941, 952, 961]],
  [1, 0.4, [51, 76, 101], [840, 856, 869]],
  [1, 0.5, [41, 61, 81], [793, 810, 824]],
  [1, 0.6, [35, 51, 68], [748, 766, 780]],
  [1, 0.8, [26, 39, 51], [664, 683, 699]],
  [1, 0.9, [24, 35, 46], [625, 645, 661]],
  [1, 1, [21, 31, 41], [589, 609, 625]],
  [8, 1, [21, 31, 41], [311, 325, 336]],
  [8, 4, [6, 9, 11], [62, 71, 78]],
  [8, 6, [5, 6, 8], [25, 31, 35]],
  [8, 7.5, [4, 5, 7], [15, 19, 22]],
  [8, 8, [4, 5, 6], [13, 16, 19]],
];
const ALPHA_BITS = [20, 30, 40];

describe('cutoffs', () => {
  test.each(CUTOFFS)(
    'of %i-bit samples with %f bits of min-entropy are those of the clause',
    (bits, h, rct, apt) => {
      const window = bits === 1 ? 1024 : 512;
      expect(ALPHA_BITS.map((alphaBits) => repetitionCutoff(h, alphaBits))).toEqual(rct);
      expect(ALPHA_BITS.map((alphaBits) => proportionCutoff(h, alphaBits, window))).toEqual(apt);
    },
  );

  test('the form of the clause alarms no later than the one that counts the first sample apart', () => {
    for (const [bits, h] of CUTOFFS) {
      const window = bits === 1 ? 1024 : 512;
      for (const alphaBits of ALPHA_BITS) {
        const cutoff = proportionCutoff(h, alphaBits, window);
        const falseAlarms = binomialTail(window - 1, 2 ** -h, cutoff - 1);
        const later = binomialTail(window - 1, 2 ** -h, cutoff);
        // One step further the other form would keep to alpha: they differ by a sample at most.
        expect(later).toBeLessThanOrEqual(2 ** -alphaBits);
        expect(falseAlarms).toBeLessThan(2 ** -alphaBits * 64);
      }
    }
  });

  test('a test that cannot fail is an error of configuration', () => {
    expect(() => proportionCutoff(0.01, 60, 1024)).toThrow(
      expect.objectContaining({ code: 'HEALTH_CUTOFF' }),
    );
    expect(() => new AdaptiveProportion(1, 0.01)).toThrow(expect.objectContaining({ code: 'HEALTH_CUTOFF' }));
    expect(() => new LagPredictor(1, 0.0001)).toThrow(expect.objectContaining({ code: 'HEALTH_CUTOFF' }));
    expect(() => repetitionCutoff(0, 30)).toThrow(expect.objectContaining({ code: 'HEALTH_CUTOFF' }));
    expect(() => new HealthSuite(described({ minEntropyPerSample: 0.01 }))).toThrow(
      expect.objectContaining({ code: 'HEALTH_CUTOFF' }),
    );
  });
});

describe('repetition count', () => {
  test('alarms at the very sample that reaches each cutoff', () => {
    const rct = new RepetitionCount(1);
    expect(rct.cutoffs).toEqual({ intermittent: 31, permanent: 61 });
    const noise = alternating(100);
    expect(rct.feed({ samples: noise })).toBeUndefined();
    // The hundredth sample was a 1: the run begins with it.
    expect(rct.feed({ samples: new Uint8Array(29).fill(1) })).toBeUndefined();
    expect(rct.feed({ samples: Uint8Array.of(1) })).toEqual(alarm('repetition-count', 'intermittent', 129));
    expect(rct.feed({ samples: new Uint8Array(40).fill(1) })).toEqual(
      alarm('repetition-count', 'permanent', 159),
    );
  });

  test('a zero at the start begins no run that was there before', () => {
    const rct = new RepetitionCount(1);
    expect(rct.feed({ samples: new Uint8Array(30) })).toBeUndefined();
    rct.reset();
    expect(rct.feed({ samples: new Uint8Array(30) })).toBeUndefined();
    expect(rct.feed({ samples: new Uint8Array(1) })).toEqual(alarm('repetition-count', 'intermittent', 30));
  });
});

describe('adaptive proportion', () => {
  test('counts the first sample of each window and alarms at the very sample', () => {
    const apt = new AdaptiveProportion(8, 8);
    expect(apt.cutoffs).toEqual({ intermittent: 16, permanent: 25 });
    const window = Uint8Array.from({ length: 512 }, (_, i) => i & 0xff);
    // Every 20th sample repeats the first: with the two of the ramp that makes 16 within the window.
    const frequent = window.map((value, i) => (i % 20 === 0 && i < 280 ? 0 : value));
    expect(occurrencesOf(0, frequent.subarray(0, 261))).toBe(15);
    expect(apt.feed({ samples: window })).toBeUndefined();
    expect(apt.feed({ samples: frequent })).toBeUndefined();
    frequent[300] = 0;
    expect(apt.feed({ samples: frequent })).toEqual(alarm('adaptive-proportion', 'intermittent', 1024 + 300));
    expect(apt.feed({ samples: new Uint8Array(512) })).toEqual(
      alarm('adaptive-proportion', 'permanent', 1536 + 24),
    );
  });
});

describe('rolling min-entropy', () => {
  test('the estimate is the most common value estimate of SP 800-90B, 6.3.1', () => {
    const rolling = new RollingMinEntropy(1, 0.5);
    const { window } = rolling.rule;
    const samples = Uint8Array.from({ length: window }, (_, i) => (i % 5 < 3 ? 1 : 0));
    expect(rolling.estimate).toBeUndefined();
    expect(rolling.feed({ samples })).toBeUndefined();
    const share = occurrencesOf(1, samples) / window;
    const bound = share + 2.576 * Math.sqrt((share * (1 - share)) / (window - 1));
    expect(rolling.estimate).toBeCloseTo(-Math.log2(bound), 12);
  });

  test.each([
    [1, 0.9],
    [1, 0.5],
    [4, 3.5],
    [6, 5.5],
    [8, 7],
  ])('%i bits with %f claimed: what lies halfway passes, what falls to the claim does not', (bits, h) => {
    const { rule } = new RollingMinEntropy(bits, h);
    expect(rule.assured).toBe(true);
    const halfway = (2 ** -bits + 2 ** -h) / 2;
    expect(2 ** bits * binomialTail(rule.window, halfway, rule.intermittent)).toBeLessThanOrEqual(2 ** -30);
    expect(1 - binomialTail(rule.window, 2 ** -h, rule.intermittent)).toBeLessThanOrEqual(2 ** -30);
    expect(2 ** bits * binomialTail(rule.window, 2 ** -h, rule.permanent)).toBeLessThanOrEqual(2 ** -60);
    expect(rule.permanent).toBeLessThan(rule.window);
  });

  test('a claim next to full entropy cannot be assured by counting, only refuted', () => {
    const { rule } = new RollingMinEntropy(8, 7.99);
    expect(rule).toMatchObject({ assured: false, window: 2 ** 17 });
    expect(256 * binomialTail(rule.window, 2 ** -7.99, rule.intermittent)).toBeLessThanOrEqual(2 ** -30);
  });

  test('noise that sinks to the claim is seen within the span, however it is placed', () => {
    const rolling = new RollingMinEntropy(1, 0.8);
    const random = new Prng('sinking');
    const good = biased(random, 5 * rolling.rule.window + 777, 0.52);
    expect(rolling.feed({ samples: good })).toBeUndefined();
    const found = rolling.feed({ samples: biased(random, rolling.span, 2 ** -0.8) });
    expect(found).toMatchObject({ test: 'rolling-min-entropy', level: 'intermittent' });
    expect((found as Alarm).sample - good.length).toBeLessThan(rolling.span);
  });
});

describe('lag predictor', () => {
  test('finds noise that repeats itself at a distance of 1 to 8', () => {
    for (let lag = 1; lag <= 8; lag++) {
      const predictor = new LagPredictor(8, 6);
      const random = new Prng(`lag ${lag}`);
      const samples = random.bytes(predictor.rule.window);
      for (let i = lag; i < samples.length; i++) {
        if (random.chance(0.1)) samples[i] = samples[i - lag] as number;
      }
      expect(predictor.feed({ samples })?.level, `lag ${lag}`).toBe('permanent');
    }
  });

  test('uniform samples in which each is the one of 8 before are predicted within the run of the cutoff', () => {
    const predictor = new LagPredictor(8, 6);
    const samples = new Uint8Array(4096).map((_, i) => [7, 200, 13, 44, 91, 160, 2, 78][i % 8] as number);
    const found = predictor.feed({ samples });
    expect(found).toMatchObject({ test: 'lag-predictor', level: 'permanent' });
    expect((found as Alarm).sample).toBeLessThan(256 + 8 + predictor.cutoffs.run.permanent);
  });

  test('finds bits that tend to differ from an earlier one as well as bits that tend to agree', () => {
    for (const agrees of [0.4, 0.6]) {
      const predictor = new LagPredictor(1, 0.9);
      const random = new Prng('opposites');
      const samples = biased(random, predictor.span, 0.5);
      for (let i = 3; i < samples.length; i++) {
        const before = samples[i - 3] as number;
        samples[i] = random.chance(agrees) ? before : 1 - before;
      }
      expect(predictor.feed({ samples })?.level, `agreeing with ${agrees}`).toBe('permanent');
    }
  });

  test('its cutoffs are those of 2^-22 and 2^-44 over 2^17 samples', () => {
    const { cutoffs, rule } = new LagPredictor(1, 0.8);
    expect(rule.window).toBe(2 ** 17);
    for (const [level, alpha] of [
      ['intermittent', 2 ** -22],
      ['permanent', 2 ** -44],
    ] as const) {
      expect(binomialTail(2 ** 17, 2 ** -0.8, cutoffs.correct[level])).toBeLessThanOrEqual(alpha);
      expect(binomialTail(2 ** 17, 2 ** -0.8, cutoffs.correct[level] - 1)).toBeGreaterThan(alpha);
      expect(2 ** 17 * 2 ** (-0.8 * cutoffs.run[level])).toBeLessThanOrEqual(alpha);
    }
  });
});

describe('context predictor', () => {
  test('finds what depends on several earlier bits and on none of them alone', () => {
    const random = new Prng('contexts');
    const predictor = new ContextPredictor(0.9);
    const lags = new LagPredictor(1, 0.9);
    const samples = biased(random, predictor.span, 0.5);
    for (let i = 8; i < samples.length; i++) {
      const likely = (samples[i - 2] as number) ^ (samples[i - 5] as number) ^ (samples[i - 8] as number);
      samples[i] = random.chance(0.6) ? likely : 1 - likely;
    }
    expect(lags.feed({ samples })).toBeUndefined();
    expect(predictor.feed({ samples })).toMatchObject({ test: 'context-predictor', level: 'permanent' });
  });

  test('good bits pass, those that lie halfway to the claim, too', () => {
    const random = new Prng('halfway');
    const predictor = new ContextPredictor(0.9);
    for (const ones of [0.5, (0.5 + 2 ** -0.9) / 2]) {
      predictor.reset();
      expect(predictor.feed({ samples: biased(random, 2 * predictor.span, ones) })).toBeUndefined();
    }
  });
});

describe('duplicate blocks', () => {
  test('a stretch of the guaranteed length is found at every place and in every cut', () => {
    const random = new Prng('replay');
    for (let round = 0; round < 30; round++) {
      const duplicates = new DuplicateBlocks(6);
      const noise = random.bytes(20_000);
      expect(duplicates.feed({ samples: noise })).toBeUndefined();
      expect(duplicates.feed({ samples: random.bytes(random.below(700)) })).toBeUndefined();
      const start = random.below(noise.length - duplicates.guaranteed);
      const found = duplicates.feed({ samples: noise.slice(start, start + duplicates.guaranteed) });
      expect(found).toMatchObject({ test: 'duplicate-blocks', level: 'permanent' });
    }
  });

  test('the memory outlives a reset, and is bounded', () => {
    const duplicates = new DuplicateBlocks(8);
    const random = new Prng('memory');
    const noise = random.bytes(4096);
    expect(duplicates.feed({ samples: noise })).toBeUndefined();
    duplicates.reset();
    expect(duplicates.feed({ samples: noise })?.level).toBe('permanent');
    duplicates.reset();
    // Two places in 513 are chosen on average: this fills the memory of 65,536 one and a quarter times.
    for (let i = 0; i < 20; i++) expect(duplicates.feed({ samples: random.bytes(2 ** 20) })).toBeUndefined();
    duplicates.reset();
    expect(duplicates.feed({ samples: noise })).toBeUndefined();
  });

  test('a buffer that comes back twice within one block is found', () => {
    const duplicates = new DuplicateBlocks(1);
    const buffer = new Prng('one block').bytes(2048).map((byte) => byte & 1);
    const found = duplicates.feed({ samples: Uint8Array.of(...buffer, ...buffer) });
    expect(found?.level).toBe('permanent');
    expect((found as Alarm).sample).toBeLessThan(2048 + duplicates.guaranteed);
  });
});

describe('cutting the noise', () => {
  const tests: readonly [string, () => HealthTest][] = [
    ['repetition count', () => new RepetitionCount(0.5)],
    ['adaptive proportion', () => new AdaptiveProportion(1, 0.5)],
    ['rolling min-entropy', () => new RollingMinEntropy(1, 0.5)],
    ['lag predictor', () => new LagPredictor(1, 0.5)],
    ['context predictor', () => new ContextPredictor(0.5)],
    ['duplicate blocks', () => new DuplicateBlocks(1)],
  ];

  test.each(tests)('changes nothing for the %s', (_, create) => {
    assert(
      property(string(), array(integer({ min: 0, max: 3000 }), { maxLength: 30 }), (seed, cuts) => {
        const samples = faultyNoise(new Prng(seed));
        expect(firstOfEach(create(), samples, cuts)).toEqual(firstOfEach(create(), samples, []));
      }),
      { numRuns: 25, seed: 90 },
    );
  });
});

describe('the tests of a source', () => {
  test('good noise of every kind passes, and its min-entropy is measured', () => {
    const random = new Prng('good');
    for (const [bits, h] of [
      [1, 0.9],
      [4, 3.5],
      [6, 5.5],
      [8, 7],
    ] as const) {
      const suite = new HealthSuite(described({ bitsPerSample: bits, minEntropyPerSample: h }));
      const samples = random.bytes(2 ** 20).map((byte) => byte & (2 ** bits - 1));
      expect(suite.feed({ samples })).toBeUndefined();
      expect(suite.minEntropy).toBeGreaterThan(h);
      expect(suite.minEntropy).toBeLessThanOrEqual(bits);
    }
  });

  test('conditioned bytes are held to full entropy, claimed or not, and nothing is measured', () => {
    const suite = new HealthSuite(described({ raw: false, minEntropyPerSample: 0, bitsPerSample: 8 }));
    expect(suite.feed({ samples: new Prng('os').bytes(2 ** 18) })).toBeUndefined();
    expect(suite.minEntropy).toBeUndefined();
    expect(suite.feed({ samples: new Uint8Array(5) })).toMatchObject({ test: 'repetition-count' });
  });

  test('raw noise without a claim is watched for standing still', () => {
    const suite = new HealthSuite(described({ minEntropyPerSample: 0 }));
    expect(suite.feed({ samples: biased(new Prng('poor'), 2 ** 16, 0.9) })).toBeUndefined();
    expect(suite.feed({ samples: new Uint8Array(1000) })?.level).toBe('permanent');
  });

  test('each test of raw noise is in place: what it finds, the others do not see in time', () => {
    const random = new Prng('each test');
    const periodic = random.bytes(2 ** 18);
    for (let i = 3; i < periodic.length; i++) {
      if (random.chance(0.1)) periodic[i] = periodic[i - 3] as number;
    }
    const contextual = biased(random, 2 ** 19, 0.5);
    for (let i = 8; i < contextual.length; i++) {
      const likely = [2, 5, 8].reduce((sum, lag) => sum ^ (contextual[i - lag] as number), 0);
      contextual[i] = random.chance(0.6) ? likely : 1 - likely;
    }
    const repeated = random.bytes(4096);
    const sinking = random.bytes(2 ** 18).map((byte) => (random.chance(0.01) ? 77 : byte));
    for (const [name, bits, h, samples] of [
      ['lag-predictor', 8, 6, periodic],
      ['context-predictor', 1, 0.9, contextual],
      ['duplicate-blocks', 8, 6, Uint8Array.of(...repeated, ...repeated)],
      ['rolling-min-entropy', 8, 7.5, sinking],
    ] as const) {
      const suite = new HealthSuite(described({ bitsPerSample: bits, minEntropyPerSample: h }));
      expect(suite.feed({ samples })).toMatchObject({ test: name, level: 'permanent' });
    }
  });

  test('a permanent alarm of any test decides over an intermittent one', () => {
    const late: HealthTest = {
      name: 'late',
      span: 12_345_678,
      feed: () => alarm('late', 'permanent', 9),
      reset: () => undefined,
    };
    const suite = new HealthSuite(described({ minEntropyPerSample: 1 }), [late]);
    expect(suite.span).toBe(12_345_678);
    expect(suite.feed({ samples: new Uint8Array(40) })).toEqual(alarm('late', 'permanent', 9));
  });

  test('the test on demand leaves the continuous ones alone', () => {
    const suite = new HealthSuite(described({ minEntropyPerSample: 1 }));
    expect(suite.onDemand({ samples: new Uint8Array(1024) })?.level).toBe('permanent');
    expect(
      suite.onDemand({ samples: new Prng('demand').bytes(1024).map((byte) => byte & 1) }),
    ).toBeUndefined();
    expect(suite.feed({ samples: new Uint8Array(30) })).toBeUndefined();
  });
});

function described(changed: Partial<SourceDescription>): SourceDescription {
  return {
    name: 'scripted',
    kind: 'detector',
    physical: true,
    quantum: true,
    simulated: true,
    raw: true,
    bitsPerSample: 1,
    minEntropyPerSample: 0.8,
    ...changed,
  };
}

function alarm(name: string, level: Alarm['level'], sample: number): Alarm {
  return { test: name, level, sample };
}

function alternating(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i & 1);
}

function biased(random: Prng, length: number, ones: number): Uint8Array {
  return Uint8Array.from({ length }, () => (random.chance(ones) ? 1 : 0));
}

function occurrencesOf(value: number, samples: Uint8Array): number {
  return samples.filter((sample) => sample === value).length;
}

/** Stretches of fair, biased, stuck and repeated bits. */
function faultyNoise(random: Prng): Uint8Array {
  const parts: number[] = [];
  for (let i = 0; i < 12; i++) {
    const ones = random.pick([0.5, 0.5, 0.75, 0.95, 1]);
    const stretch = biased(random, random.between(1, 3000), ones);
    parts.push(...stretch);
    if (random.chance(0.2)) parts.push(...stretch);
  }
  return Uint8Array.from(parts);
}

/** The first alarm of each level when the samples come in blocks of these sizes, the rest in one. */
function firstOfEach(
  health: HealthTest,
  samples: Uint8Array,
  cuts: readonly number[],
): Record<string, number> {
  const first: Record<string, number> = {};
  const remaining = [...cuts];
  for (let at = 0; at < samples.length;) {
    const length = remaining.shift() ?? samples.length - at;
    const found = health.feed({ samples: samples.slice(at, at + length) });
    at += length;
    if (found === undefined) continue;
    first[found.level] ??= found.sample;
  }
  return first['permanent'] === undefined ? first : { permanent: first['permanent'] };
}
