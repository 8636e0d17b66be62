import { createCipheriv } from 'node:crypto';

/** An endless run of good bytes that is always the same: AES-256-CTR keystream. */
export class GoodData {
  readonly #cipher;

  constructor(seed: number) {
    const key = Buffer.alloc(32);
    key.writeUInt32BE(seed);
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  next(length: number): Uint8Array {
    return new Uint8Array(this.#cipher.update(Buffer.alloc(length)));
  }

  /** Whole numbers below 2^16. */
  numbers(count: number): Uint16Array {
    return new Uint16Array(this.next(count * 2).buffer);
  }
}

/** A way in which data can be bad, and how bad. */
export interface Flaw {
  readonly kind: string;
  /** What the strength means, for the table. */
  readonly strength: string;
  make(good: GoodData, bytes: number): Uint8Array;
}

const HALF = 2 ** 15;

/** Bytes of which `bitAt` gives each bit from a good number, the place, and the bit before. */
function fromBits(
  good: GoodData,
  bytes: number,
  bitAt: (number: number, place: number, before: number) => number,
): Uint8Array {
  const made = new Uint8Array(bytes);
  let bit = 0;
  for (const [place, number] of good.numbers(bytes * 8).entries()) {
    bit = bitAt(number, place, bit);
    made[place >> 3] = ((made[place >> 3] as number) << 1) | bit;
  }
  return made;
}

/** Independent bits that are 1 with probability 1/2 + excess. */
export function biased(excess: number): Flaw {
  const threshold = HALF + Math.round(excess * 2 * HALF);
  return {
    kind: 'biased',
    strength: `P(1) = 1/2 + ${excess}`,
    make: (good, bytes) => fromBits(good, bytes, (number) => (number < threshold ? 1 : 0)),
  };
}

/** Bits that equal the one before with probability 1/2 + excess. */
export function correlated(excess: number): Flaw {
  const threshold = HALF + Math.round(excess * 2 * HALF);
  return {
    kind: 'correlated',
    strength: `P(same as the bit before) = 1/2 + ${excess}`,
    make: (good, bytes) =>
      fromBits(good, bytes, (number, _, before) => (number < threshold ? before : before ^ 1)),
  };
}

/** Good bits, of which a share is replaced by a square wave of `period` bits. */
export function periodic(period: number, share: number): Flaw {
  const threshold = Math.round(share * 2 * HALF);
  return {
    kind: 'periodic',
    strength: `${share * 100} % of the bits from a square wave of ${period} bits`,
    make: (good, bytes) =>
      fromBits(good, bytes, (number, place) =>
        number < threshold ? Number(place % period < period / 2) : number & 1,
      ),
  };
}

/** Good bytes, of which the last ones are the first ones again. */
export function repeated(length: number): Flaw {
  return {
    kind: 'repeated',
    strength: `the last ${length} bytes are the first ones`,
    make: (good, bytes) => good.next(bytes).copyWithin(bytes - length, 0, length),
  };
}
