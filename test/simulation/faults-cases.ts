import { ARRIVAL_TIME_SETUP, BEAM_SPLITTER_SETUP, DetectorMonitor } from '@symmetra/entropy';
import type { Defect, DetectorSetup, HealthTest, SourceDescription } from '@symmetra/entropy';
import { FaultyDetector, LawSource } from './faults-noise.js';
import type { KnownSource, NoiseLaw } from './faults-noise.js';

/** One row of the table. */
export interface FaultCase {
  readonly source: string;
  readonly fault: string;
  readonly open: () => KnownSource;
  readonly monitors: () => readonly HealthTest[];
}

/** Clicks before a detector fails: its pipeline has been serving for a while by then. */
const DETECTOR_FAILS_AT = 800_000;
/** Samples before any other source fails; not at the start of a window. */
const RAW_FAILS_AT = 600_123;
const CONDITIONED_FAILS_AT = 100_123;

interface NamedDefect {
  readonly named: string;
  readonly defect: Defect;
}

/** Every kind of fault that the simulator knows: the compiler refuses a list in which one is missing. */
const DEFECTS: { readonly [Kind in Defect['kind']]: readonly NamedDefect[] } = {
  lamp: [
    { named: 'lamp off', defect: { kind: 'lamp', power: 0 } },
    { named: 'lamp at a half', defect: { kind: 'lamp', power: 0.5 } },
    { named: 'lamp at a hundredth', defect: { kind: 'lamp', power: 0.01 } },
  ],
  'laser-decay': [
    {
      named: 'laser dies, half its power in 50,000 clicks',
      defect: { kind: 'laser-decay', halfLife: 50_000 },
    },
  ],
  blinding: [{ named: 'blinded with 30 times the light', defect: { kind: 'blinding', factor: 30 } }],
  'efficiency-drift': [
    {
      named: 'efficiency of one detector sinks to 0.3 over 200,000 clicks',
      defect: { kind: 'efficiency-drift', clicks: 200_000, factor: 0.3 },
    },
  ],
  'dead-time': [{ named: 'dead time doubled', defect: { kind: 'dead-time', factor: 2 } }],
  afterpulse: [{ named: 'afterpulses at 0.3', defect: { kind: 'afterpulse', probability: 0.3 } }],
  heating: [{ named: '80 degrees warmer', defect: { kind: 'heating', celsius: 80 } }],
  interference: [
    {
      named: 'a clock of 1 MHz couples in with 0.5',
      defect: { kind: 'interference', periodPs: 1e6, probability: 0.5 },
    },
  ],
  replay: [{ named: 'the last 4,096 tags again and again', defect: { kind: 'replay', length: 4096 } }],
  'entropy-drift': [
    {
      named: 'min-entropy of the path drifts from 0.9 to 0.6 over 1,000,000 clicks',
      defect: { kind: 'entropy-drift', clicks: 1_000_000, from: 0.9, to: 0.6 },
    },
  ],
  'stuck-bit': [{ named: 'lowest bit stuck at 1', defect: { kind: 'stuck-bit', bit: 0, value: 1 } }],
  'short-read': [{ named: 'stops within a frame', defect: { kind: 'short-read' } }],
  silence: [{ named: 'falls silent', defect: { kind: 'silence' } }],
};

const SETUPS: readonly (readonly [string, DetectorSetup])[] = [
  ['simulated detector, beam splitter', BEAM_SPLITTER_SETUP],
  ['simulated detector, arrival time', ARRIVAL_TIME_SETUP],
];

/** With one detector there is no path whose efficiency or share could drift. */
const OF_TWO_DETECTORS = new Set<Defect['kind']>(['efficiency-drift', 'entropy-drift']);

function detectorCases(): FaultCase[] {
  return SETUPS.flatMap(([source, setup]) =>
    Object.values(DEFECTS)
      .flat()
      .filter(({ defect }) => setup === BEAM_SPLITTER_SETUP || !OF_TWO_DETECTORS.has(defect.kind))
      .map(({ named, defect }) => ({
        source,
        fault: named,
        open: () => new FaultyDetector('detector', setup, { at: DETECTOR_FAILS_AT, ...defect }),
        monitors: () => [new DetectorMonitor(setup)],
      })),
  );
}

/** Independent samples: 0 with this probability, else any other value. */
function biased(bits: number, share: (position: number) => number): NoiseLaw {
  const others = 2 ** bits - 1;
  return {
    sample: (position, _ago, random) =>
      random.chance(share(position)) ? 0 : others === 1 ? 1 : 1 + random.below(others),
    trueMinEntropy: (position) => {
      const p = share(position);
      return -Math.log2(Math.max(p, (1 - p) / others));
    },
  };
}

/** Bits that are the one of `lag` before with this probability. */
function correlated(lag: number, share: number): NoiseLaw {
  return {
    sample: (_position, ago, random) => (random.chance(share) ? ago(lag) : 1 - ago(lag)),
    trueMinEntropy: () => -Math.log2(Math.max(share, 1 - share)),
  };
}

/** Bits that depend on the exclusive or of two earlier ones, and on neither of them alone. */
const HIDDEN: NoiseLaw = {
  sample: (_position, ago, random) => ago(2) ^ ago(5) ^ (random.chance(0.6) ? 0 : 1),
  trueMinEntropy: () => -Math.log2(0.6),
};

/** The samples of `distance` before: for so many samples, then others of the law. */
function repeated(distance: number, length: number, after: NoiseLaw): NoiseLaw {
  return {
    sample: (position, ago, random) =>
      position < length ? ago(distance) : after.sample(position, ago, random),
    trueMinEntropy: (position) => (position < length ? 0 : after.trueMinEntropy(position)),
  };
}

function failing(code: string): NoiseLaw {
  return { sample: () => 0, trueMinEntropy: () => 0, error: () => code };
}

/** Min-entropy that sinks evenly, as a bias that grows. */
function sinking(from: number, to: number, over: number): NoiseLaw {
  return biased(1, (position) => 2 ** -(from + (to - from) * Math.min(1, position / over)));
}

const BIT = biased(1, () => 0.503);
const BYTE = biased(8, () => 2 ** -8);

const RAW_BITS: readonly (readonly [string, NoiseLaw])[] = [
  ['stands still', biased(1, () => 1)],
  ['bias: one value with 0.75', biased(1, () => 0.75)],
  ['bias just below the claim: one value with 0.54', biased(1, () => 0.54)],
  ['min-entropy drifts from 0.98 to 0.6 over 1,000,000 samples', sinking(0.98, 0.6, 1_000_000)],
  ['agrees with the sample before with 0.6', correlated(1, 0.6)],
  ['differs from the sample before with 0.6', correlated(1, 0.4)],
  ['agrees with the sample 7 before with 0.55', correlated(7, 0.55)],
  ['is the exclusive or of those 2 and 5 before with 0.6', HIDDEN],
  ['a buffer of 4,096 samples once more', repeated(4096, 4096, BIT)],
  ['a buffer of 30,000 samples again and again', repeated(30_000, Infinity, BIT)],
];
const RAW_BYTES: readonly (readonly [string, NoiseLaw])[] = [
  ['stands still', biased(8, () => 1)],
  ['one bit stuck', { sample: (_p, _ago, random) => random.below(256) & 0xf7, trueMinEntropy: () => 7 }],
  ['one value with 0.02', biased(8, () => 0.02)],
  ['a buffer of 4,096 samples once more', repeated(4096, 4096, BYTE)],
];
const CONDITIONED: readonly (readonly [string, NoiseLaw])[] = [
  ['stands still', biased(8, () => 1)],
  ['a reply of 8,192 bytes once more', repeated(8192, 8192, BYTE)],
  ['a reply that is no noise', failing('SOURCE_BAD_PAYLOAD')],
  ['replies that end early', failing('SOURCE_SHORT_READ')],
  ['no reply', failing('SOURCE_SILENT')],
  ['no connection', failing('SOURCE_UNREACHABLE')],
];

function lawCases(
  source: string,
  description: SourceDescription,
  good: NoiseLaw,
  at: number,
  laws: readonly (readonly [string, NoiseLaw])[],
): FaultCase[] {
  return laws.map(([fault, law]) => ({
    source,
    fault,
    open: () => new LawSource(description, good, law, at),
    monitors: () => [],
  }));
}

function describeNoise(bitsPerSample: number, minEntropyPerSample: number, raw: boolean): SourceDescription {
  return {
    name: `noise-${bitsPerSample}${raw ? '-raw' : ''}`,
    kind: raw ? 'serial' : 'http',
    physical: true,
    quantum: false,
    simulated: true,
    raw,
    bitsPerSample,
    minEntropyPerSample,
  };
}

/** All faults of all sources, in the order of the table. */
export function faultCases(): readonly FaultCase[] {
  return [
    ...detectorCases(),
    ...lawCases('raw bits', describeNoise(1, 0.9, true), BIT, RAW_FAILS_AT, RAW_BITS),
    ...lawCases('raw bytes', describeNoise(8, 7.5, true), BYTE, RAW_FAILS_AT, RAW_BYTES),
    ...lawCases('conditioned bytes', describeNoise(8, 8, false), BYTE, CONDITIONED_FAILS_AT, CONDITIONED),
  ];
}
