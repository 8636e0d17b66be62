import type { DetectorParameters } from './parameters.js';

/**
 * What goes wrong with a simulated detector, from click `at` (counted from 0 over the life of the source) to before
 * click `until`, or for good. Severity is stated with each.
 */
export type Fault = Span & Defect;

interface Span {
  readonly at: number;
  readonly until?: number;
}

export type Defect =
  /** The lamp shines with another power: 0 is off, 0.5 dim. */
  | { readonly kind: 'lamp'; readonly power: number }
  /** The laser dies: its power halves every so many clicks. */
  | { readonly kind: 'laser-decay'; readonly halfLife: number }
  /** Somebody floods the detectors with this many times the light; nothing that they show is a photon's choice. */
  | { readonly kind: 'blinding'; readonly factor: number }
  /** The efficiency of detector 1 goes to this part of what it was, linearly over so many clicks. */
  | { readonly kind: 'efficiency-drift'; readonly clicks: number; readonly factor: number }
  /** The dead time becomes this many times what it was. */
  | { readonly kind: 'dead-time'; readonly factor: number }
  /** The probability of a trapped carrier becomes this. */
  | { readonly kind: 'afterpulse'; readonly probability: number }
  /** The detectors become warmer by so many degrees: dark counts rise. */
  | { readonly kind: 'heating'; readonly celsius: number }
  /** A clock couples in: at each of its periods every live detector clicks with this probability. */
  | { readonly kind: 'interference'; readonly periodPs: number; readonly probability: number }
  /** The firmware sends the last so many tags again and again. */
  | { readonly kind: 'replay'; readonly length: number }
  /** The beam splitter drifts so that the min-entropy of its bit goes linearly from one figure to the other. */
  | { readonly kind: 'entropy-drift'; readonly clicks: number; readonly from: number; readonly to: number }
  /** A bit of the digitiser, 0 the lowest, always reads this. */
  | { readonly kind: 'stuck-bit'; readonly bit: number; readonly value: 0 | 1 }
  /** The tagger stops in the middle of a frame, once. */
  | { readonly kind: 'short-read' }
  /** The tagger falls silent, once, and stays so until it is started again. */
  | { readonly kind: 'silence' };

/** A detector as it is while nothing about it changes. */
export interface DetectorState {
  readonly parameters: DetectorParameters;
  readonly blinded: boolean;
  readonly interference?: { readonly periodPs: number; readonly probability: number };
  /** Clicks of the buffer that is sent again. */
  readonly replay?: number;
  readonly stuck: readonly { readonly bit: number; readonly value: 0 | 1 }[];
}

/** How often, in clicks, a drift moves on. */
const DRIFT_STEP = 256;

const DRIFTS = new Set<Defect['kind']>(['laser-decay', 'efficiency-drift', 'entropy-drift']);

/** The detector as it is when it makes a click, the faults being what they are. */
export function stateAt(
  parameters: DetectorParameters,
  faults: readonly Fault[],
  click: number,
): DetectorState {
  let state: DetectorState = { parameters, blinded: false, stuck: [] };
  for (const fault of faults) {
    if (fault.at <= click && click < (fault.until ?? Infinity)) {
      state = suffer(state, fault, click - fault.at);
    }
  }
  return state;
}

/** The first click after this one at which the detector may be another. */
export function nextChange(faults: readonly Fault[], click: number): number {
  let next = Infinity;
  for (const { at, until = Infinity, kind } of faults) {
    if (until <= click) continue;
    next = Math.min(next, at > click ? at : until);
    if (at <= click && DRIFTS.has(kind)) {
      next = Math.min(next, at + (Math.floor((click - at) / DRIFT_STEP) + 1) * DRIFT_STEP);
    }
  }
  return next;
}

function suffer(state: DetectorState, fault: Fault, since: number): DetectorState {
  const { parameters } = state;
  const changed = (change: Partial<DetectorParameters>): DetectorState => ({
    ...state,
    parameters: { ...parameters, ...change },
  });
  const drifted = since - (since % DRIFT_STEP);
  switch (fault.kind) {
    case 'lamp':
      return changed({ photonRate: parameters.photonRate * fault.power });
    case 'laser-decay':
      return changed({ photonRate: parameters.photonRate * 2 ** (-drifted / fault.halfLife) });
    case 'blinding':
      return { ...changed({ photonRate: parameters.photonRate * fault.factor }), blinded: true };
    case 'efficiency-drift': {
      const factor = 1 + (fault.factor - 1) * Math.min(1, drifted / fault.clicks);
      return changed({ efficiency: [parameters.efficiency[0], parameters.efficiency[1] * factor] });
    }
    case 'dead-time':
      return changed({ deadTimePs: parameters.deadTimePs * fault.factor });
    case 'afterpulse':
      return changed({ afterpulseProbability: fault.probability });
    case 'heating':
      return changed({ celsius: parameters.celsius + fault.celsius });
    case 'interference':
      return { ...state, interference: { periodPs: fault.periodPs, probability: fault.probability } };
    case 'replay':
      return { ...state, replay: fault.length };
    case 'entropy-drift': {
      const entropy = fault.from + (fault.to - fault.from) * Math.min(1, drifted / fault.clicks);
      return changed({ split: evenShare(parameters, 2 ** -entropy) });
    }
    case 'stuck-bit':
      return { ...state, stuck: [...state.stuck, { bit: fault.bit, value: fault.value }] };
    case 'short-read':
    case 'silence':
      return state;
  }
}

/** The split at which detector 0 makes this part of the photons' clicks, whatever the efficiencies. */
function evenShare({ efficiency }: DetectorParameters, share: number): number {
  const [own, other] = [share * efficiency[1], (1 - share) * efficiency[0]];
  return own / (own + other);
}
