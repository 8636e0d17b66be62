import { SymmetraError } from '@symmetra/crypto';
import { ByteFrequencies } from './byte-frequencies.js';
import type { ChiSquare } from './byte-frequencies.js';

/** The five figures of the `ent` program over bytes. */
export interface EntResult {
  readonly bytes: number;
  /** Shannon entropy of the byte frequencies, bits per byte: 8 for good data. */
  readonly entropy: number;
  /** Of the 256 byte values, 255 degrees of freedom. */
  readonly chiSquare: ChiSquare;
  /** Arithmetic mean of the bytes: 127.5 for good data. */
  readonly mean: number;
  /** Pi from points of 24-bit coordinates, 6 bytes each; NaN for less than 6 bytes. */
  readonly monteCarloPi: number;
  /** Of each byte with the next one, the last with the first: 0 for good data; NaN when all bytes are equal. */
  readonly serialCorrelation: number;
}

const COORDINATE_BYTES = 3;
const POINT_BYTES = 2 * COORDINATE_BYTES;
/** The largest coordinate, squared: the circle's radius. */
const RADIUS_SQUARED = (2 ** (8 * COORDINATE_BYTES) - 1) ** 2;

/**
 * ENT's five tests, as the program computes them.
 * @throws SymmetraError BATTERY_TOO_FEW_BITS for no bytes.
 */
export function ent(bytes: Uint8Array): EntResult {
  if (bytes.length === 0) {
    throw new SymmetraError('BATTERY_TOO_FEW_BITS', 'ENT needs at least one byte', { bits: 0 });
  }
  const frequencies = new ByteFrequencies();
  frequencies.add(bytes);
  const { ofValues, ofSquares } = frequencies.sums();
  return {
    bytes: bytes.length,
    entropy: frequencies.entropy(),
    chiSquare: frequencies.chiSquare(),
    mean: ofValues / bytes.length,
    monteCarloPi: monteCarloPi(bytes),
    serialCorrelation: correlation(bytes.length, ofValues, ofSquares, sumOfProducts(bytes)),
  };
}

/** Four times the share of points of the unit square that lie in the quarter of a circle. */
function monteCarloPi(bytes: Uint8Array): number {
  const points = Math.floor(bytes.length / POINT_BYTES);
  let inside = 0;
  for (let i = 0; i < points * POINT_BYTES; i += POINT_BYTES) {
    const x = coordinate(bytes, i);
    const y = coordinate(bytes, i + COORDINATE_BYTES);
    if (x * x + y * y <= RADIUS_SQUARED) inside += 1;
  }
  return (4 * inside) / points;
}

function coordinate(bytes: Uint8Array, i: number): number {
  return ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number);
}

/** The sum of each byte times the next one, the last times the first. */
function sumOfProducts(bytes: Uint8Array): number {
  let sum = (bytes.at(-1) ?? 0) * (bytes[0] ?? 0);
  for (let i = 1; i < bytes.length; i += 1) sum += (bytes[i - 1] as number) * (bytes[i] as number);
  return sum;
}

/** The serial correlation coefficient (Knuth, volume 2, 3.3.2 K) from its sums. */
function correlation(n: number, ofValues: number, ofSquares: number, ofProducts: number): number {
  return (n * ofProducts - ofValues ** 2) / (n * ofSquares - ofValues ** 2);
}
