/** The bits of a buffer as 32-bit words, first bit most significant; all that the gate's own tests count. */
export class GateBits {
  readonly length: number;
  readonly words: Uint32Array;

  /** @param bytes a multiple of four. */
  constructor(bytes: Uint8Array) {
    this.length = bytes.length * 8;
    this.words = new Uint32Array(bytes.length / 4);
    for (let i = 0, at = 0; i < this.words.length; i += 1, at += 4) {
      this.words[i] =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
    }
  }

  ones(): number {
    let ones = 0;
    for (const word of this.words) ones += popcount(word);
    return ones;
  }

  /** Of the pairs of bits that are `lag` apart (1 to 31, or a multiple of 32), how many differ. */
  differences(lag: number): number {
    const { words } = this;
    const [whole, shift] = [Math.floor(lag / 32), lag % 32];
    const last = words.length - 1 - whole;
    let count = 0;
    for (let i = 0; i < last; i += 1) {
      const near = words[i + whole] as number;
      const ahead =
        shift === 0 ? near : (near << shift) | ((words[i + whole + 1] as number) >>> (32 - shift));
      count += popcount((words[i] as number) ^ ahead);
    }
    const inside = -1 << shift;
    return count + popcount(((words[last] as number) ^ ((words[last + whole] as number) << shift)) & inside);
  }

  /** The longest run of equal bits. */
  longestRun(): number {
    let longest = 0;
    let run = 0;
    let before = ((this.words[0] as number) >>> 31) ^ 1;
    for (const word of this.words) {
      // Ones where a bit differs from the one before it.
      let changes = (word ^ ((word >>> 1) | (before << 31))) >>> 0;
      before = word & 1;
      let left = 32;
      while (changes !== 0) {
        const same = Math.clz32(changes) - (32 - left);
        longest = Math.max(longest, run + same);
        run = 1;
        left -= same + 1;
        changes &= left === 0 ? 0 : -1 >>> (32 - left);
      }
      run += left;
    }
    return Math.max(longest, run);
  }

  /** How many words have been there before: the words less their different values. */
  repeatedWords(): number {
    const slots = 2 ** Math.ceil(Math.log2(this.words.length * 2));
    const table = new Uint32Array(slots);
    let zeros = 0;
    let repeated = 0;
    for (const word of this.words) {
      if (word === 0) {
        zeros += 1;
        continue;
      }
      let slot = Math.imul(word, 0x9e3779b1) & (slots - 1);
      while (table[slot] !== 0 && table[slot] !== word) slot = (slot + 1) & (slots - 1);
      if (table[slot] === word) repeated += 1;
      table[slot] = word;
    }
    table.fill(0);
    return repeated + Math.max(0, zeros - 1);
  }

  /** Chi-square of the 16 nibbles: FIPS 140-2's poker statistic X over the whole buffer. */
  pokerStatistic(): number {
    const counts = new Uint32Array(16);
    for (const word of this.words) {
      for (let shift = 0; shift < 32; shift += 4) {
        const nibble = (word >>> shift) & 15;
        counts[nibble] = (counts[nibble] as number) + 1;
      }
    }
    const expected = this.length / 64;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }

  /** Overwrites the copy. */
  wipe(): void {
    this.words.fill(0);
  }
}

function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
