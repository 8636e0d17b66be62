/** Bytes of one block of FIPS 140-2: 20,000 bits. */
export const FIPS1402_BLOCK_BYTES = 2500;

/** Runs of this many bits or more are counted together. */
const LONGEST_COUNTED_RUN = 6;

/** A run this long fails the long run test. */
const LONG_RUN_BITS = 26;

/** What the tests of FIPS 140-2 look at in one block. */
export interface BlockCounts {
  readonly ones: number;
  /** The sum of the squares of how often each of the 16 nibbles occurs among the 5,000 of the block. */
  readonly nibbleSquares: number;
  /** How many runs of zeros have 1, 2, 3, 4, 5, and 6 or more bits. */
  readonly zeroRuns: readonly number[];
  /** The same of runs of ones. */
  readonly oneRuns: readonly number[];
  /** Whether a run has 26 bits or more. */
  readonly longRun: boolean;
}

/*
 * One pass counts, at each nibble, the 10 bits around it: the bit before it, its own four, the five after it. These
 * 1,024 counters hold all that the tests ask for: the nibbles themselves, hence the ones; and whether a run starts at
 * a bit and how long it is up to six, which its 7 bits (the one before, itself, five after) tell.
 */
const WINDOW_BITS = 10;
const WINDOWS = 1 << WINDOW_BITS;
const RUN_BITS = 7;
const RUN_WINDOWS = 1 << RUN_BITS;

/** Counts blocks. It keeps its counters from block to block, so that no block costs memory. */
export class BlockCounter {
  readonly #windows = new Uint16Array(WINDOWS);
  readonly #nibbles = new Uint16Array(16);
  readonly #runWindows = new Uint16Array(RUN_WINDOWS);

  /** Counts the block that begins at `offset`; bits are taken most significant first. */
  count(bytes: Uint8Array, offset: number): BlockCounts {
    const longRun = this.#countWindows(bytes, offset);
    this.#foldWindows();
    const { ones, nibbleSquares } = this.#nibbleCounts();
    const { zeroRuns, oneRuns } = this.#runCounts();
    return { ones, nibbleSquares, zeroRuns, oneRuns, longRun };
  }

  /** @returns whether the block has a long run, which at least two equal bytes 00 or FF in a row announce. */
  #countWindows(bytes: Uint8Array, offset: number): boolean {
    const windows = this.#windows.fill(0);
    const end = offset + FIPS1402_BLOCK_BYTES;
    let longRun = false;
    let before = 0;
    let byte = bytes[offset] ?? 0;
    // Before the first bit and after the last one stands the opposite: there the run begins, and ends.
    let bitBefore = (byte >> 7) ^ 1;
    for (let next = offset + 1; next < end; next += 1) {
      const after = bytes[next] as number;
      const bits = (bitBefore << 13) | (byte << 5) | (after >> 3);
      windows[bits >> 4] = (windows[bits >> 4] as number) + 1;
      windows[bits & 1023] = (windows[bits & 1023] as number) + 1;
      if (after === byte && (byte === 0 || byte === 255)) {
        longRun ||= runAround(bytes, next, offset, end) >= LONG_RUN_BITS;
      }
      bitBefore = byte & 1;
      before = byte;
      byte = after;
    }
    const bits = ((before & 1) << 13) | (byte << 5) | ((byte & 1) === 1 ? 0 : 31);
    windows[bits >> 4] = (windows[bits >> 4] as number) + 1;
    windows[bits & 1023] = (windows[bits & 1023] as number) + 1;
    return longRun;
  }

  /** Splits the windows into nibbles and into what surrounds each bit. */
  #foldWindows(): void {
    const windows = this.#windows;
    const nibbles = this.#nibbles.fill(0);
    const around = this.#runWindows.fill(0);
    for (let bits = 0; bits < WINDOWS; bits += 1) {
      const times = windows[bits] as number;
      nibbles[(bits >> 5) & 15] = (nibbles[(bits >> 5) & 15] as number) + times;
      around[bits >> 3] = (around[bits >> 3] as number) + times;
      around[(bits >> 2) & 127] = (around[(bits >> 2) & 127] as number) + times;
      around[(bits >> 1) & 127] = (around[(bits >> 1) & 127] as number) + times;
      around[bits & 127] = (around[bits & 127] as number) + times;
    }
  }

  #nibbleCounts(): Pick<BlockCounts, 'ones' | 'nibbleSquares'> {
    let ones = 0;
    let nibbleSquares = 0;
    for (const [nibble, times] of this.#nibbles.entries()) {
      nibbleSquares += times * times;
      ones += times * ((nibble & 1) + ((nibble >> 1) & 1) + ((nibble >> 2) & 1) + (nibble >> 3));
    }
    return { ones, nibbleSquares };
  }

  #runCounts(): Pick<BlockCounts, 'zeroRuns' | 'oneRuns'> {
    const zeroRuns = [0, 0, 0, 0, 0, 0];
    const oneRuns = [0, 0, 0, 0, 0, 0];
    for (let bits = 0; bits < RUN_WINDOWS / 2; bits += 1) {
      // A zero and then ones up to the next zero; its complement is a run of zeros.
      const place = Math.clz32(~(bits << (32 - RUN_BITS + 1)) >>> 0) - 1;
      if (place < 0) continue;
      const length = Math.min(place, LONGEST_COUNTED_RUN - 1);
      oneRuns[length] = (oneRuns[length] as number) + (this.#runWindows[bits] as number);
      zeroRuns[length] = (zeroRuns[length] as number) + (this.#runWindows[RUN_WINDOWS - 1 - bits] as number);
    }
    return { zeroRuns, oneRuns };
  }
}

/** The bits of the run that the byte at `index`, which is 00 or FF, belongs to, inside of its block. */
function runAround(bytes: Uint8Array, index: number, start: number, end: number): number {
  const whole = bytes[index] as number;
  let first = index;
  while (first > start && bytes[first - 1] === whole) first -= 1;
  let past = index + 1;
  while (past < end && bytes[past] === whole) past += 1;
  const left = first > start ? (bytes[first - 1] as number) ^ whole : 255;
  const right = past < end ? (bytes[past] as number) ^ whole : 255;
  return (past - first) * 8 + trailingZeros(left) + Math.clz32(right) - 24;
}

/** The zeros at the low end of a byte that is not zero. */
function trailingZeros(byte: number): number {
  return 31 - Math.clz32(byte & -byte);
}
