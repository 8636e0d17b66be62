import { stateAt } from './fault.js';
import type { DetectorState, Fault } from './fault.js';
import { IntervalLaw } from './interval-law.js';
import { PS_PER_SECOND, darkRates, lateAfterpulses, photonRates } from './parameters.js';
import type { DetectorParameters, DetectorSetup, Digitisation } from './parameters.js';

/** The part of the model's min-entropy that is claimed; what the monitors cannot see has to fit into the rest. */
const CLAIMED_PERCENT = 80;
/** With fewer photons per second nothing is left to count on. */
const FAINT_RATE = 1e-3;

/**
 * The min-entropy that a setup may claim for a sample: 80 % of what the model gives, cut to hundredths of a bit.
 * It comes from physics alone and never from the data that it is held against.
 */
export function claimedMinEntropy({ parameters, digitisation }: DetectorSetup): number {
  const state: DetectorState = { parameters, blinded: false, stuck: [] };
  return Math.floor(CLAIMED_PERCENT * stateMinEntropy(state, digitisation)) / 100;
}

/** The bits that a sample of this digitisation has. */
export function sampleBits(digitisation: Digitisation): number {
  return digitisation.kind === 'beam-splitter' ? 1 : Math.log2(digitisation.bins);
}

/**
 * The min-entropy of the sample that a click makes, the faults being what they are: what an adversary who knows all
 * earlier tags, and each click that is not a photon's, can not guess on average. It is a lower bound.
 */
export function trueMinEntropy(setup: DetectorSetup, faults: readonly Fault[], click: number): number {
  return stateMinEntropy(stateAt(setup.parameters, faults, click), setup.digitisation);
}

/** The same for a detector that stays as it is. */
function stateMinEntropy(state: DetectorState, digitisation: Digitisation): number {
  if (state.blinded || state.replay !== undefined) return 0;
  if (sum(photonRates(state.parameters)) < FAINT_RATE) return 0;
  const guess =
    digitisation.kind === 'beam-splitter'
      ? guessPath(state, digitisation.guardPs)
      : guessBin(state, digitisation.binPs, digitisation.bins);
  return Math.max(0, -Math.log2(Math.min(1, guess)));
}

/** Clicks per picosecond of each detector. */
function clickRates(parameters: DetectorParameters): readonly [number, number] {
  return [1 / new IntervalLaw(parameters, 0).meanPs, 1 / new IntervalLaw(parameters, 1).meanPs];
}

/** How many of the clicks in one, afterpulses left out, are not photons. */
function foreign({ parameters, interference }: DetectorState): number {
  const photons = sum(photonRates(parameters));
  const pulses =
    interference === undefined ? 0 : (interference.probability * PS_PER_SECOND) / interference.periodPs;
  const rates = photonRates(parameters);
  const others = sum(darkRates(parameters)) + pulses * rates.filter((rate) => rate > 0).length;
  return others / (photons + others);
}

function guessPath(state: DetectorState, guardPs: number): number {
  const { parameters, stuck } = state;
  if (stuck.some(({ bit }) => bit === 0)) return 1;
  const [first, second] = photonRates(parameters);
  const { deadTimePs, afterpulseTauPs } = parameters;
  const residue = Math.exp(-Math.max(0, guardPs - deadTimePs) / afterpulseTauPs);
  const known = Math.min(1, foreign(state) + 2 * lateAfterpulses(parameters) * residue);
  const overlap = Math.max(0, deadTimePs - guardPs) / PS_PER_SECOND;
  const likeliest = Math.max(
    ...[first, second].map((rate) => {
      const alone = Math.exp(-rate * overlap);
      return 1 - alone + (alone * rate) / (first + second);
    }),
  );
  return known + (1 - known) * likeliest;
}

function guessBin(state: DetectorState, binPs: number, bins: number): number {
  const { parameters } = state;
  const photons = sum(photonRates(parameters)) / PS_PER_SECOND;
  const rates = clickRates(parameters);
  const afterpulses =
    (rates[0] * new IntervalLaw(parameters, 0).afterpulses +
      rates[1] * new IntervalLaw(parameters, 1).afterpulses) /
    sum(rates);
  const once = -Math.expm1(-photons * binPs);
  const reset = -Math.expm1(-photons * Math.max(0, (bins - 1) * binPs - parameters.deadTimePs));
  const merged = state.stuck.reduce(
    (product, { bit }) => product * (1 + Math.exp(-photons * binPs * 2 ** bit)),
    1,
  );
  return Math.min(1, afterpulses + foreign(state)) + (merged * once) / reset;
}

function sum(pair: readonly [number, number]): number {
  return pair[0] + pair[1];
}
