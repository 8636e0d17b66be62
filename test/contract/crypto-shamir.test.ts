import { combine, split } from '@symmetra/crypto';
import type { Share } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });
const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i);
const shareAt = (shares: readonly Uint8Array[], x: number): Share => ({
  x,
  bytes: shares[x - 1] as Uint8Array,
});

/** Multiplication in GF(2^8) modulo 0x11b by logarithms to the base 3, unlike the code under test. */
function fieldByLogarithms(): (a: number, b: number) => number {
  const powers: number[] = [];
  const logarithms = new Map<number, number>();
  let power = 1;
  for (let i = 0; i < 255; i++) {
    powers.push(power);
    logarithms.set(power, i);
    const doubled = power << 1;
    power ^= doubled > 0xff ? doubled ^ 0x11b : doubled;
  }
  return (a, b) => {
    if (a === 0 || b === 0) return 0;
    const sum = (logarithms.get(a) as number) + (logarithms.get(b) as number);
    return powers[sum % 255] as number;
  };
}

describe('split', () => {
  it('multiplies in the AES field: every slope at every point', () => {
    const multiply = fieldByLogarithms();
    const shares = split(new Uint8Array(256), 2, 255, allBytes);
    for (let x = 1; x <= 255; x++) {
      const expected = allBytes.map((slope) => multiply(slope, x));
      expect(shares[x - 1]).toEqual(expected);
    }
  });

  it('evaluates the polynomials whose coefficients are the coins, in the documented order', () => {
    const multiply = fieldByLogarithms();
    const secret = Uint8Array.of(10, 200, 3, 77, 5);
    const coins = Uint8Array.of(1, 2, 3, 4, 5, 250, 251, 252, 253, 254);
    const shares = split(secret, 3, 6, coins);
    for (let x = 1; x <= 6; x++) {
      const expected = secret.map((s, i) => {
        const [linear, quadratic] = [coins[i] as number, coins[5 + i] as number];
        return s ^ multiply(linear, x) ^ multiply(quadratic, multiply(x, x));
      });
      expect(shares[x - 1]).toEqual(expected);
    }
  });

  it('says nothing in one share of two: every secret fits it with exactly one coin', () => {
    for (const x of [1, 2, 3, 128, 255]) {
      for (const secret of [0, 1, 0x53, 255]) {
        const seen = new Set<number>();
        const shares = split(new Uint8Array(256).fill(secret), 2, 255, allBytes);
        for (const value of shares[x - 1] as Uint8Array) seen.add(value);
        expect(seen.size).toBe(256);
      }
    }
  });

  it('says nothing in two shares of three: over all coins each pair of values comes up once', () => {
    const slopes = new Uint8Array(65_536).map((_, i) => i & 0xff);
    const curvatures = new Uint8Array(65_536).map((_, i) => i >>> 8);
    const coins = new Uint8Array(131_072);
    coins.set(slopes);
    coins.set(curvatures, 65_536);
    for (const secret of [0, 0xc4]) {
      const [first, second] = split(new Uint8Array(65_536).fill(secret), 3, 3, coins);
      const pairs = new Set(pairUp(first as Uint8Array, second as Uint8Array));
      expect(pairs.size).toBe(65_536);
    }
  });

  it('gives fresh shares and leaves its inputs alone', () => {
    const secret = Uint8Array.of(1, 2, 3);
    const coins = Uint8Array.of(4, 5, 6);
    const [first] = split(secret, 2, 3, coins);
    first?.fill(0);
    expect(secret).toEqual(Uint8Array.of(1, 2, 3));
    expect(coins).toEqual(Uint8Array.of(4, 5, 6));
  });

  it('refuses thresholds that are none, and coins of another length', () => {
    const secret = new Uint8Array(4);
    const thresholds = [
      [1, 3],
      [0, 3],
      [4, 3],
      [2, 256],
      [2.5, 3],
      [2, 3.5],
      [Number.NaN, 3],
    ] as const;
    for (const [k, n] of thresholds) {
      expect(() => split(secret, k, n, new Uint8Array(4))).toThrow(code('BAD_THRESHOLD'));
    }
    expect(() => split(secret, 2, 3, new Uint8Array(3))).toThrow(code('BAD_COINS'));
    expect(() => split(secret, 3, 3, new Uint8Array(4))).toThrow(code('BAD_COINS'));
    expect(() => split(new Uint8Array(0), 2, 3, new Uint8Array(0))).toThrow(code('BAD_SHARE'));
  });
});

describe('combine', () => {
  const secret = Uint8Array.from({ length: 37 }, (_, i) => i * 5);
  const coins = Uint8Array.from({ length: 74 }, (_, i) => i * 11 + 1);
  const shares = split(secret, 3, 5, coins);

  it('gives the secret back from any threshold of shares, in any order, and from more', () => {
    for (let a = 1; a <= 5; a++) {
      for (let b = 1; b <= 5; b++) {
        for (let c = 1; c <= 5; c++) {
          if (a === b || b === c || a === c) continue;
          expect(combine([a, b, c].map((x) => shareAt(shares, x)))).toEqual(secret);
        }
      }
    }
    expect(combine([5, 1, 4, 2, 3].map((x) => shareAt(shares, x)))).toEqual(secret);
  });

  it('gives another value from fewer, and from a changed share', () => {
    expect(combine([shareAt(shares, 1), shareAt(shares, 2)])).not.toEqual(secret);
    const changed = shareAt(shares, 3).bytes.slice();
    changed[36] = (changed[36] as number) ^ 1;
    expect(combine([shareAt(shares, 1), shareAt(shares, 2), { x: 3, bytes: changed }])).not.toEqual(secret);
  });

  it('refuses shares that can not belong together', () => {
    const one = shareAt(shares, 1);
    const bad: readonly (readonly Share[])[] = [
      [],
      [one],
      [one, one],
      [one, { x: 1, bytes: shareAt(shares, 2).bytes }],
      [one, { x: 0, bytes: one.bytes }],
      [one, { x: 256, bytes: one.bytes }],
      [one, { x: 1.5, bytes: one.bytes }],
      [one, { x: 2, bytes: one.bytes.subarray(1) }],
      [
        { x: 1, bytes: new Uint8Array(0) },
        { x: 2, bytes: new Uint8Array(0) },
      ],
    ];
    for (const list of bad) expect(() => combine(list)).toThrow(code('BAD_SHARE'));
  });
});

function pairUp(first: Uint8Array, second: Uint8Array): number[] {
  return Array.from(first, (value, i) => (value << 8) | (second[i] as number));
}
