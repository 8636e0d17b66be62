import { SymmetraError } from '@symmetra/crypto';

/** A conditioning component as SP 800-90B, 3.1.5 describes it. All in bits. */
export type ConditioningComponent = {
  readonly nIn: number;
  readonly nOut: number;
  /** The narrowest internal width. */
  readonly nw: number;
  /** The min-entropy of the whole input. */
  readonly hIn: number;
} & (
  | { readonly vetted: true }
  | {
      readonly vetted: false;
      /** The min-entropy per bit that was measured on the conditioned output (3.1.5.2). */
      readonly hMeasured: number;
    }
);

/** What comes out of a conditioning component. */
export interface ConditionedEntropy {
  /** The min-entropy of the output, in bits. */
  readonly bits: number;
  /** log2 of epsilon in `bits = (1 - epsilon) nOut`, exact where `bits` is rounded to `nOut`. At most 0. */
  readonly epsilonLog2: number;
}

/** What SP 800-90B, 3.1.5.2 leaves at most of the output of a function that is not vetted. */
const UNVETTED_CAP = 0.999;

/**
 * Output_Entropy of SP 800-90B, 3.1.5.1.2, and for a function that is not vetted the minimum of 3.1.5.2. The powers of
 * two in it lie far outside the range of doubles: the sum stays in logarithms, as the excess over 2^-n.
 * @throws CONDITIONING_BAD_FIGURES
 */
export function outputEntropy(component: ConditioningComponent): ConditionedEntropy {
  const { nIn, nOut, nw, hIn } = component;
  const sound =
    [nIn, nOut, nw].every((bits) => Number.isInteger(bits) && bits > 0) &&
    hIn >= 0 &&
    hIn <= nIn &&
    (component.vetted || (component.hMeasured >= 0 && component.hMeasured <= 1));
  if (!sound) {
    throw new SymmetraError('CONDITIONING_BAD_FIGURES', 'no conditioning component has these figures', {
      nIn,
      nOut,
      nw,
      hIn,
    });
  }
  const width = Math.min(nOut, nw);
  // max(psi, omega) = 2^-width (1 + 2^excess)
  const excess = Math.max(psiExcessLog2(nIn, width, hIn), omegaExcessLog2(nIn, width, hIn));
  const loss = log2OnePlusExp2(excess);
  const bits = Math.max(0, width - loss);
  if (!component.vetted) {
    const capped = Math.min(bits, UNVETTED_CAP * nOut, component.hMeasured * nOut);
    return { bits: capped, epsilonLog2: Math.log2(1 - capped / nOut) };
  }
  // A loss that rounds to nothing is its excess over 1, taken from the natural logarithm.
  const lossLog2 = excess < -1000 ? excess + Math.log2(Math.LOG2E) : Math.log2(loss);
  const epsilonLog2 = width === nOut ? lossLog2 - Math.log2(nOut) : Math.log2(1 - bits / nOut);
  return { bits, epsilonLog2 };
}

/**
 * log2(psi 2^n - 1) with psi = 2^(nIn - n) P_low + P_high, P_high = 2^-hIn and P_low = (1 - P_high) / (2^nIn - 1).
 * Multiplied out: 2^(n - hIn) - (2^-hIn - 2^-nIn) / (1 - 2^-nIn).
 */
function psiExcessLog2(nIn: number, n: number, hIn: number): number {
  return n - hIn + Math.log2(1 - 2 ** -n * lowShare(nIn, hIn));
}

/**
 * log2(omega 2^n - 1) with omega = U P_low and U = 2^(nIn - n) + sqrt(2 n 2^(nIn - n) ln 2); minus infinity where
 * omega lies below 2^-n, and psi decides.
 */
function omegaExcessLog2(nIn: number, n: number, hIn: number): number {
  // omega 2^n = (1 + u)(1 - a), u = sqrt(2 n ln 2 / 2^(nIn - n)), a = (2^-hIn - 2^-nIn) / (1 - 2^-nIn).
  const share = lowShare(nIn, hIn);
  const aLog2 = -hIn + Math.log2(share);
  const uLog2 = (Math.log2(2 * n * Math.LN2) + n - nIn) / 2 + Math.log2(1 - 2 ** aLog2);
  return uLog2 > aLog2 ? uLog2 + Math.log2(1 - 2 ** (aLog2 - uLog2)) : -Infinity;
}

/** (1 - 2^(hIn - nIn)) / (1 - 2^-nIn), from 0 to 1. */
function lowShare(nIn: number, hIn: number): number {
  return (1 - 2 ** (hIn - nIn)) / (1 - 2 ** -nIn);
}

/** log2(1 + 2^x). */
function log2OnePlusExp2(x: number): number {
  return x > 0 ? x + Math.log1p(2 ** -x) / Math.LN2 : Math.log1p(2 ** x) / Math.LN2;
}
