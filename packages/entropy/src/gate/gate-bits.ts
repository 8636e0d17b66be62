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
      const changes = word ^ ((word >>> 1) | (before << 31));
      before = word & 1;
      if (changes === 0) {
        run += 32;
        continue;
      }
      longest = Math.max(longest, run + Math.clz32(changes));
      // What lies between two changes in this word is longer than 14 bits only where a whole byte has none.
      if (longest < 16 || hasZeroByte(changes)) longest = Math.max(longest, longestInside(changes));
      run = 1 + trailingZeros(changes);
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
    const bytes = new Uint32Array(256);
    for (const word of this.words) {
      bytes[word >>> 24] = (bytes[word >>> 24] as number) + 1;
      bytes[(word >>> 16) & 255] = (bytes[(word >>> 16) & 255] as number) + 1;
      bytes[(word >>> 8) & 255] = (bytes[(word >>> 8) & 255] as number) + 1;
      bytes[word & 255] = (bytes[word & 255] as number) + 1;
    }
    const counts = new Uint32Array(16);
    for (const [byte, count] of bytes.entries()) {
      counts[byte >> 4] = (counts[byte >> 4] as number) + count;
      counts[byte & 15] = (counts[byte & 15] as number) + count;
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

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function hasZeroByte(word: number): boolean {
  return ((word - 0x01010101) & ~word & 0x80808080) !== 0;
}

/** The longest run that begins with one change of the word and ends before the next. */
function longestInside(changes: number): number {
  let longest = 0;
  let rest = changes;
  while ((rest & (rest - 1)) !== 0) {
    const last = trailingZeros(rest);
    rest &= rest - 1;
    longest = Math.max(longest, trailingZeros(rest) - last);
  }
  return longest;
}
