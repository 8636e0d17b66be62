/**
 * The binary digits of pi, e, sqrt(2) and sqrt(3), integer part first, as NIST's program ships them:
 * reference data for statistical tests that needs no file.
 */
export const constantNames = ['pi', 'e', 'sqrt2', 'sqrt3'] as const;

export type ConstantName = (typeof constantNames)[number];

/** Bits beyond those asked for, so that rounding inside never reaches them. */
const guardBits = 64;

const scaled: Readonly<Record<ConstantName, (bits: number) => bigint>> = {
  pi: scaledPi,
  e: scaledE,
  sqrt2: (bits) => squareRoot(2n << BigInt(2 * bits)),
  sqrt3: (bits) => squareRoot(3n << BigInt(2 * bits)),
};

/** The first `bits` binary digits, most significant first in each byte; the last byte is filled up with zeros. */
export function constantBits(name: ConstantName, bits: number): Uint8Array {
  const value = scaled[name](bits + guardBits);
  const surplus = bitLength(value) - bits;
  const length = Math.ceil(bits / 8);
  const digits = (value >> BigInt(surplus)) << BigInt(length * 8 - bits);
  const hex = digits.toString(16).padStart(length * 2, '0');
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.slice(0, 1), 16)));
}

/** floor(sqrt(value)) by Newton's steps at doubling precision. */
function squareRoot(value: bigint): bigint {
  const bits = bitLength(value);
  if (bits <= 52) return BigInt(Math.floor(Math.sqrt(Number(value))));
  const shift = BigInt(Math.floor((bits - 1) / 4));
  const start = (squareRoot(value >> (2n * shift)) + 1n) << shift;
  let root = (start + value / start) >> 1n;
  while (root * root > value) root = (root + value / root) >> 1n;
  return root;
}

interface Split {
  readonly p: bigint;
  readonly q: bigint;
  readonly t: bigint;
}

/** Binary splitting: combines terms from `from` up to, not including, `to`. */
function split(from: number, to: number, term: (k: number) => Split): Split {
  if (to - from === 1) return term(from);
  const middle = (from + to) >>> 1;
  const left = split(from, middle, term);
  const right = split(middle, to, term);
  return {
    p: left.p * right.p,
    q: left.q * right.q,
    t: left.t * right.q + left.p * right.t,
  };
}

/** floor(pi 2^bits), nearly: the series of David and Gregory Chudnovsky, 47.1 bits a term. */
function scaledPi(bits: number): bigint {
  const { q, t } = split(0, Math.ceil(bits / 47) + 1, (k) => {
    const n = BigInt(k);
    const linear = 13591409n + 545140134n * n;
    if (k === 0) return { p: 1n, q: 1n, t: linear };
    const p = -(6n * n - 5n) * (2n * n - 1n) * (6n * n - 1n);
    return { p, q: (n * n * n * 640320n ** 3n) / 24n, t: p * linear };
  });
  return (426880n * squareRoot(10005n << BigInt(2 * bits)) * q) / t;
}

/** floor(e 2^bits), nearly: the sum of 1/k! until k! outgrows 2^bits. */
function scaledE(bits: number): bigint {
  let terms = 2;
  for (let sum = 0; sum < bits; terms++) sum += Math.log2(terms);
  const { q, t } = split(1, terms + 2, (k) => ({ p: 1n, q: BigInt(k), t: 1n }));
  return ((q + t) << BigInt(bits)) / q;
}
