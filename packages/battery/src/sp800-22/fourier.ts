import { butterflies, type Points, type Stage } from './butterflies.js';

export type { Points } from './butterflies.js';

/** A transform of a fixed number of complex points, in place. */
export interface FourierTransform {
  readonly length: number;
  /** Replaces z by the sums over j of z[j] e^(-2 pi i j k / length), k = 0 ... length - 1. */
  transform(points: Points): void;
}

/** The transform for any length: mixed radix where 2, 3 and 5 divide it down to 1, else Bluestein's. */
export function fourierTransform(length: number): FourierTransform {
  const stages = planStages(length);
  return stages === undefined ? new ChirpTransform(length) : new MixedRadixTransform(length, stages);
}

export function zeroPoints(length: number): Points {
  return { real: new Float64Array(length), imaginary: new Float64Array(length) };
}

/** Stockham's self-sorting algorithm: each stage goes from one array to the other, in natural order. */
class MixedRadixTransform implements FourierTransform {
  readonly length: number;
  readonly #stages: readonly Stage[];
  readonly #work: Points;

  constructor(length: number, stages: readonly Stage[]) {
    this.length = length;
    this.#stages = stages;
    this.#work = zeroPoints(length);
  }

  transform(points: Points): void {
    let from = points;
    let to = this.#work;
    for (const stage of this.#stages) {
      butterflies[stage.radix](stage, from, to);
      [from, to] = [to, from];
    }
    if (from !== points) {
      points.real.set(from.real);
      points.imaginary.set(from.imaginary);
    }
    this.#work.real.fill(0);
    this.#work.imaginary.fill(0);
  }
}

/** The stages for `length`, or `undefined` when it has a prime factor above 5. */
function planStages(length: number): Stage[] | undefined {
  const stages: Stage[] = [];
  let rest = length;
  let stride = 1;
  for (const radix of [4, 5, 3, 2] as const) {
    for (; rest % radix === 0; rest /= radix, stride *= radix) {
      stages.push({ radix, parts: rest / radix, stride, twiddles: twiddles(rest, radix) });
    }
  }
  return rest === 1 ? stages : undefined;
}

/** e^(-2 pi i p j / size) for p below size / radix and j from 1 to radix - 1, real and imaginary in turn. */
function twiddles(size: number, radix: number): Float64Array {
  const parts = size / radix;
  const factors = new Float64Array(2 * (radix - 1) * parts);
  let at = 0;
  for (let p = 0; p < parts; p++) {
    for (let j = 1; j < radix; j++) {
      const angle = (-2 * Math.PI * ((p * j) % size)) / size;
      factors[at++] = Math.cos(angle);
      factors[at++] = Math.sin(angle);
    }
  }
  return factors;
}

/** Bluestein's algorithm: any length as a convolution with a chirp, done with powers of two. */
class ChirpTransform implements FourierTransform {
  readonly length: number;
  readonly #inner: FourierTransform;
  readonly #chirp: Points;
  /** Transform of the conjugate chirp on a ring, divided by the inner length. */
  readonly #kernel: Points;
  readonly #work: Points;

  constructor(length: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * length - 1));
    this.length = length;
    this.#inner = fourierTransform(size);
    this.#chirp = zeroPoints(length);
    this.#kernel = zeroPoints(size);
    this.#work = zeroPoints(size);
    const period = BigInt(2 * length);
    for (let j = 0; j < length; j++) {
      const square = j < 2 ** 26 ? (j * j) % (2 * length) : Number((BigInt(j) * BigInt(j)) % period);
      const angle = (-Math.PI * square) / length;
      this.#chirp.real[j] = Math.cos(angle);
      this.#chirp.imaginary[j] = Math.sin(angle);
      for (const at of j === 0 ? [0] : [j, size - j]) {
        this.#kernel.real[at] = this.#chirp.real[j]! / size;
        this.#kernel.imaginary[at] = -this.#chirp.imaginary[j]! / size;
      }
    }
    this.#inner.transform(this.#kernel);
  }

  transform(points: Points): void {
    const work = this.#work;
    work.real.fill(0);
    work.imaginary.fill(0);
    multiply(points, this.#chirp, work, this.length);
    this.#inner.transform(work);
    multiply(work, this.#kernel, work, this.#inner.length);
    invertOrder(work, this.#inner);
    multiply(work, this.#chirp, points, this.length);
  }
}

/** The inverse transform (without its division) is the transform of the points with swapped parts. */
function invertOrder(points: Points, transform: FourierTransform): void {
  transform.transform({ real: points.imaginary, imaginary: points.real });
}

function multiply(a: Points, b: Points, result: Points, length: number): void {
  for (let i = 0; i < length; i++) {
    const real = a.real[i]! * b.real[i]! - a.imaginary[i]! * b.imaginary[i]!;
    result.imaginary[i] = a.real[i]! * b.imaginary[i]! + a.imaginary[i]! * b.real[i]!;
    result.real[i] = real;
  }
}
