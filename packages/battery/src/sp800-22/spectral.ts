import { erfc } from '../special/normal.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';
import { fourierTransform, zeroPoints, type FourierTransform, type Points } from './fourier.js';

/** ln(1/0.05) as STS has it: 95 % of the peaks of a random sequence lie below sqrt(2.995732274 n). */
const threshold = 2.995732274;

/**
 * SP 800-22 2.6: do 95 % of the first half of the spectrum's peaks lie below the threshold? Both
 * profiles are the same. Not applicable to one bit.
 */
export function spectralTest(sequence: BitSequence): number[] {
  const { length } = sequence;
  if (length < 2) return [];
  const plan = planFor(length);
  const { points } = plan;
  const below = length % 2 === 0 ? peaksBelowEven(sequence, plan) : peaksBelowOdd(sequence, plan);
  points.real.fill(0);
  points.imaginary.fill(0);
  const deviation = (below - 0.475 * length) / Math.sqrt((length / 4) * 0.95 * 0.05);
  return [erfc(Math.abs(deviation) / Math.SQRT2)];
}

/** What a length of sequence needs: a transform of half the length where that is whole, and its arrays. */
interface SpectralPlan {
  readonly bits: number;
  readonly transform: FourierTransform;
  readonly points: Points;
  /** e^(-2 pi i k / bits) for k up to a quarter of the bits. */
  readonly turns: Points;
}

/** The plan of the last length: batteries run over buffers of one size. */
const latestPlan: { plan?: SpectralPlan } = {};

function planFor(bits: number): SpectralPlan {
  if (latestPlan.plan?.bits === bits) return latestPlan.plan;
  const size = bits % 2 === 0 ? bits / 2 : bits;
  const turns = zeroPoints((bits >>> 2) + 1);
  for (let k = 0; k < turns.real.length; k++) {
    turns.real[k] = Math.cos((2 * Math.PI * k) / bits);
    turns.imaginary[k] = -Math.sin((2 * Math.PI * k) / bits);
  }
  const plan = { bits, transform: fourierTransform(size), points: zeroPoints(size), turns };
  latestPlan.plan = plan;
  return plan;
}

/** Even bits as real, odd bits as imaginary parts: one transform of half the length, then taken apart. */
function peaksBelowEven({ words, length }: BitSequence, plan: SpectralPlan): number {
  const { real, imaginary } = plan.points;
  const half = length / 2;
  for (let j = 0; j < half; j++) {
    const pair = words[j >>> 4]! >>> (30 - 2 * (j & 15));
    real[j] = (pair & 2) - 1;
    imaginary[j] = 2 * (pair & 1) - 1;
  }
  plan.transform.transform(plan.points);
  const limit = threshold * length;
  let below = (real[0]! + imaginary[0]!) ** 2 < limit ? 1 : 0;
  if (half % 2 === 0) {
    const middle = half / 2;
    if (real[middle]! ** 2 + imaginary[middle]! ** 2 < limit) below++;
  }
  const { real: cosine, imaginary: minusSine } = plan.turns;
  for (let k = 1, mirror = half - 1; k < mirror; k++, mirror--) {
    const evenReal = real[k]! + real[mirror]!;
    const evenImaginary = imaginary[k]! - imaginary[mirror]!;
    const oddReal = imaginary[k]! + imaginary[mirror]!;
    const oddImaginary = real[mirror]! - real[k]!;
    const turnedReal = oddReal * cosine[k]! - oddImaginary * minusSine[k]!;
    const turnedImaginary = oddReal * minusSine[k]! + oddImaginary * cosine[k]!;
    const upper = (evenReal + turnedReal) ** 2 + (evenImaginary + turnedImaginary) ** 2;
    const lower = (evenReal - turnedReal) ** 2 + (evenImaginary - turnedImaginary) ** 2;
    if (upper < 4 * limit) below++;
    if (lower < 4 * limit) below++;
  }
  return below;
}

function peaksBelowOdd({ words, length }: BitSequence, plan: SpectralPlan): number {
  const { real, imaginary } = plan.points;
  for (let j = 0; j < length; j++) real[j] = 2 * bitsAt(words, j, 1) - 1;
  imaginary.fill(0);
  plan.transform.transform(plan.points);
  const limit = threshold * length;
  let below = 0;
  for (let k = 0; k < length >>> 1; k++) {
    if (real[k]! ** 2 + imaginary[k]! ** 2 < limit) below++;
  }
  return below;
}
