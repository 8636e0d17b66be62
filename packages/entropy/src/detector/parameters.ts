import { SymmetraError } from '@symmetra/crypto';

/** A figure for each of the two detectors. */
export type Pair = readonly [number, number];

/** A lamp, a beam splitter, one or two single-photon detectors and the time tagger behind them. */
export interface DetectorParameters {
  /** Photons per second that reach the beam splitter. */
  readonly photonRate: number;
  /** The part of them that goes to detector 0. With 1, and no dark counts on the other, there is one detector. */
  readonly split: number;
  /** The part of the photons at a detector that start an avalanche. */
  readonly efficiency: Pair;
  /** Dark counts per second at `REFERENCE_CELSIUS`; they double with every `DOUBLING_CELSIUS`. */
  readonly darkRate: Pair;
  readonly celsius: number;
  /** How long after a click a detector sees nothing; what arrives meanwhile does not prolong it. */
  readonly deadTimePs: number;
  /** How many avalanches in one leave a carrier trapped; set free in the dead time it makes no click. */
  readonly afterpulseProbability: number;
  /** The mean time that a carrier stays trapped, counted from the avalanche; exponential. */
  readonly afterpulseTauPs: number;
  /** Standard deviation of a tag against the avalanche; Gaussian. */
  readonly jitterPs: number;
  /** A tick of the tagger's clock. */
  readonly tickPs: number;
}

/** How clicks become samples. Both are functions of the tags alone. */
export type Digitisation =
  /** One bit: which detector clicked, for the clicks that nothing came before within the guard time. */
  | { readonly kind: 'beam-splitter'; readonly guardPs: number }
  /** The bin of an external clock, `bins` of `binPs` each, in which the click fell; `bins` is a power of two. */
  | { readonly kind: 'arrival-time'; readonly binPs: number; readonly bins: number };

/** A detector and its use. */
export interface DetectorSetup {
  readonly parameters: DetectorParameters;
  readonly digitisation: Digitisation;
}

/** The temperature at which dark counts are stated. */
const REFERENCE_CELSIUS = 20;
/** Dark counts of silicon avalanche diodes double about every 8 degrees. */
const DOUBLING_CELSIUS = 8;
export const PS_PER_SECOND = 1e12;
/** The tagger counts an interval in 32 bits and stays at the highest number when it is longer. */
export const LONGEST_INTERVAL = 0xffff_ffff;

const DIODE = {
  efficiency: [0.5, 0.5],
  darkRate: [500, 500],
  celsius: REFERENCE_CELSIUS,
  deadTimePs: 45_000,
  afterpulseTauPs: 50_000,
  jitterPs: 350,
  tickPs: 1000,
} as const;

/** Two detectors behind an even beam splitter at one million clicks per second: one bit per accepted click. */
export const BEAM_SPLITTER_SETUP: DetectorSetup = {
  parameters: { ...DIODE, photonRate: 2e6, split: 0.5, afterpulseProbability: 0.03 },
  digitisation: { kind: 'beam-splitter', guardPs: 295_000 },
};

/** One detector at 6.9 million clicks per second, its clicks placed into 64 bins of 10 ns: six bits per click. */
export const ARRIVAL_TIME_SETUP: DetectorSetup = {
  parameters: { ...DIODE, photonRate: 20e6, split: 1, darkRate: [500, 0], afterpulseProbability: 0.03 },
  digitisation: { kind: 'arrival-time', binPs: 10_000, bins: 64 },
};

/** The dark counts of each detector at the temperature that it has, per second. */
export function darkRates({ darkRate, celsius }: DetectorParameters): Pair {
  const factor = 2 ** ((celsius - REFERENCE_CELSIUS) / DOUBLING_CELSIUS);
  return [darkRate[0] * factor, darkRate[1] * factor];
}

/** The photons of each detector that would start an avalanche if it were never dead, per second. */
export function photonRates({ photonRate, split, efficiency }: DetectorParameters): Pair {
  return [photonRate * split * efficiency[0], photonRate * (1 - split) * efficiency[1]];
}

/** The probability that an avalanche leaves a carrier trapped beyond the dead time. */
export function lateAfterpulses(parameters: DetectorParameters): number {
  return parameters.afterpulseProbability * Math.exp(-parameters.deadTimePs / parameters.afterpulseTauPs);
}

/**
 * Refuses what the model does not cover.
 * @throws DETECTOR_PARAMETERS; `details.parameter` names the figure.
 */
export function checkSetup({ parameters, digitisation }: DetectorSetup): void {
  const { split, efficiency, darkRate, deadTimePs, jitterPs, tickPs } = parameters;
  demand('photonRate', within(parameters.photonRate, 0, 1e12));
  demand('split', within(split, 0, 1));
  demand('efficiency', bothWithin(efficiency, 0, 1));
  demand('darkRate', bothWithin(darkRate, 0, 1e9));
  demand('celsius', within(parameters.celsius, -200, 200));
  demand('tickPs', Number.isInteger(tickPs) && within(tickPs, 1, 1e6));
  demand('jitterPs', within(jitterPs, 0, 1e6));
  demand('deadTimePs', within(deadTimePs, Math.max(8 * jitterPs, 2 * tickPs), 1e9));
  demand('afterpulseProbability', within(parameters.afterpulseProbability, 0, 0.5));
  demand('afterpulseTauPs', within(parameters.afterpulseTauPs, 1, 1e9));
  if (digitisation.kind === 'beam-splitter') {
    demand('guardPs', within(digitisation.guardPs, 0, 1e9));
  } else {
    const { binPs, bins } = digitisation;
    demand('binPs', Number.isInteger(binPs / tickPs) && within(binPs, tickPs, 1e9));
    demand('bins', [2, 4, 8, 16, 32, 64, 128, 256].includes(bins));
  }
}

function within(value: number, lowest: number, highest: number): boolean {
  return typeof value === 'number' && value >= lowest && value <= highest;
}

function bothWithin(pair: Pair, lowest: number, highest: number): boolean {
  return Array.isArray(pair) && pair.length === 2 && pair.every((value) => within(value, lowest, highest));
}

function demand(parameter: string, holds: boolean): void {
  if (!holds) {
    throw new SymmetraError('DETECTOR_PARAMETERS', 'the model of the detector does not cover this figure', {
      parameter,
    });
  }
}
