import { SymmetraError } from '@symmetra/crypto';

const seedBytes = 16;

/**
 * Random permutations by Fisher and Yates, drawn from xoshiro128** (Blackman, Vigna): the same seed
 * gives the same permutations everywhere. It is a generator for statistics, not for secrets.
 */
export class Shuffle {
  static readonly generator = 'xoshiro128**';
  private s0: number;
  private s1: number;
  private s2: number;
  private s3: number;

  /**
   * `seed`: the four words of the state, each with its low byte first.
   *
   * @throws SymmetraError BATTERY_BAD_ARGUMENT unless the seed has 16 bytes, not all zero
   */
  constructor(seed: Uint8Array) {
    if (seed.length !== seedBytes || seed.every((byte) => byte === 0)) {
      throw new SymmetraError(
        'BATTERY_BAD_ARGUMENT',
        'the permutations need a seed of 16 bytes, not all zero',
        {
          bytes: seed.length,
        },
      );
    }
    const words = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
    this.s0 = words.getInt32(0, true);
    this.s1 = words.getInt32(4, true);
    this.s2 = words.getInt32(8, true);
    this.s3 = words.getInt32(12, true);
  }

  /** Puts the values into another order, every order equally likely. */
  permute(values: Uint8Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
  }

  /** A whole number below `limit` without bias: as many bits as it needs, again while too large. */
  private below(limit: number): number {
    const mask = 0xffffffff >>> Math.clz32(limit - 1);
    let draw = this.next() & mask;
    while (draw >= limit) draw = this.next() & mask;
    return draw;
  }

  private next(): number {
    const times5 = Math.imul(this.s1, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9);
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result;
  }
}
