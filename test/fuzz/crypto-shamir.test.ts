import { combine, split } from '@symmetra/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

/** A sharing, and k distinct points out of its n. */
const sharing = fc
  .record({ n: fc.integer({ min: 2, max: 255 }), length: fc.integer({ min: 1, max: 70 }) })
  .chain(({ n, length }) =>
    fc.record({
      n: fc.constant(n),
      length: fc.constant(length),
      k: fc.integer({ min: 2, max: Math.min(n, 9) }),
    }),
  )
  .chain(({ n, k, length }) => {
    const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    return fc.record({
      k: fc.constant(k),
      n: fc.constant(n),
      secret: bytes(length),
      otherSecret: bytes(length),
      coins: bytes((k - 1) * length),
      points: fc.uniqueArray(fc.integer({ min: 1, max: n }), { minLength: k, maxLength: k }),
    });
  });

describe('secret sharing, fuzzed', () => {
  it('gives the secret back from any k of n shares', () => {
    fc.assert(
      fc.property(sharing, ({ k, n, secret, coins, points }) => {
        const shares = split(secret, k, n, coins);
        expect(shares.length).toBe(n);
        expect(combine(points.map((x) => ({ x, bytes: shares[x - 1] as Uint8Array })))).toEqual(secret);
      }),
      effort(200),
    );
  });

  it('leaves every other secret possible for k - 1 shares', () => {
    fc.assert(
      fc.property(sharing, ({ k, n, secret, otherSecret, coins, points }) => {
        const shares = split(secret, k, n, coins);
        const known = points.slice(1);
        // With x = 0 standing for the secret, the k - 1 known points and any secret fix the missing share.
        const missing = points[0] as number;
        const forged = completeShare(otherSecret, known, shares, missing);
        const all = [
          ...known.map((x) => ({ x, bytes: shares[x - 1] as Uint8Array })),
          { x: missing, bytes: forged },
        ];
        expect(combine(all)).toEqual(otherSecret);
      }),
      effort(200),
    );
  });
});

/**
 * The share at `missing` that makes the known ones belong to `secret`: combining is linear, so the
 * difference to the secret that a zero share gives is the wanted share times a public weight.
 */
function completeShare(
  secret: Uint8Array,
  known: readonly number[],
  shares: readonly Uint8Array[],
  missing: number,
): Uint8Array {
  const rest = known.map((x) => ({ x, bytes: shares[x - 1] as Uint8Array }));
  const withZero = combine([...rest, { x: missing, bytes: new Uint8Array(secret.length) }]);
  const wanted = secret.map((byte, i) => byte ^ (withZero[i] as number));
  const zeros = rest.map(({ x }) => ({ x, bytes: new Uint8Array(256) }));
  const weighted = combine([...zeros, { x: missing, bytes: Uint8Array.from({ length: 256 }, (_, i) => i) }]);
  return wanted.map((byte) => weighted.indexOf(byte));
}
