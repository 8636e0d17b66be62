/** Bits with a flaw each, most significant first: what a battery must find, and how NIST's program rates it. */
export function flawedBits(kind: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 8));
  if (kind === 'low-rank') return lowRank(bytes);
  const bit = bitOf(kind);
  for (let i = 0; i < bytes.length * 8; i++) bytes[i >>> 3]! |= bit(i) << (7 - (i & 7));
  return bytes;
}

function bitOf(kind: string): (i: number) => number {
  switch (kind) {
    case 'zeros':
      return () => 0;
    case 'ones':
      return () => 1;
    case 'alternating':
      return (i) => i & 1;
    case 'period-7':
      return (i) => (i % 7 === 0 || i % 7 === 3 ? 1 : 0);
    case 'late-one':
      return (i) => (i % 500 === 499 ? 1 : 0);
    case 'lcg': {
      const draw = generator(2n);
      return () => draw() >>> 31;
    }
    case 'biased': {
      const draw = generator(1n);
      return () => (draw() >>> 26 < 33 ? 1 : 0);
    }
    case 'sticky': {
      const draw = generator(3n);
      let last = 0;
      return () => {
        if (draw() >>> 26 >= 33) last ^= 1;
        return last;
      };
    }
    default:
      throw new Error(`no such flaw: ${kind}`);
  }
}

/** The upper 31 bits of a 64-bit linear congruential generator. */
function generator(seed: bigint): () => number {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 33n);
  };
}

/** 32x32 matrices with dependent rows or an empty column. */
function lowRank(bytes: Uint8Array): Uint8Array {
  const draw = generator(4n);
  const half = (): number => (draw() >>> 15) & 0xffff;
  for (let matrix = 0; matrix * 128 < bytes.length; matrix++) {
    const rows = Array.from({ length: 32 }, () => {
      const high = half();
      return ((high << 16) | half()) >>> 0;
    });
    if (matrix % 3 === 0) {
      rows[30] = rows[0]! ^ rows[1]!;
      rows[31] = rows[2]! ^ rows[3]!;
    }
    if (matrix % 3 === 1) rows[31] = rows[5]! ^ rows[7]!;
    for (const [i, row] of rows.entries()) {
      const word = matrix % 3 === 2 ? row & 0xfffeffff : row;
      for (let j = 0; j < 4; j++) {
        const at = matrix * 128 + i * 4 + j;
        if (at < bytes.length) bytes[at] = word >>> (24 - 8 * j);
      }
    }
  }
  return bytes;
}
