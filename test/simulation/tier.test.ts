import { createHash } from 'node:crypto';
import { SymmetraError, toHex } from '@symmetra/crypto';
import { DrbgTier, FullTier } from '@symmetra/entropy';
import type { SeedSupply } from '@symmetra/entropy';
import { array, assert, constant, integer, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';

const SEED = 48;
/** 2^17 bits. */
const STRETCH = 16_384;

/** Seeds come in and dry up; none is ever given twice. */
class Supply implements SeedSupply {
  available = 0;
  taken = 0;

  take(): Uint8Array | undefined {
    if (this.available === 0) return undefined;
    this.available -= 1;
    this.taken += 1;
    return new Uint8Array(createHash('sha384').update(`seed ${this.taken}`).digest());
  }
}

interface Event {
  readonly kind: string;
  readonly count: number;
}

/** What happens: seeds arrive or are lost, a few or up to `seeds`; bytes are drawn, a few or many. */
function events(seeds: number) {
  const happens = (kind: string, most: number) =>
    record({ kind: constant(kind), count: integer({ min: 0, max: most }) });
  const event = oneof(
    happens('arrive', seeds),
    happens('arrive', Math.ceil(seeds / 10)),
    happens('lose', seeds),
    happens('draw', 200),
    happens('draw', 3 * STRETCH),
  );
  return array(event, { minLength: 25, maxLength: 60 });
}

/** The code with which a draw is refused; undefined when it is not. */
function refusal(action: () => void): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return undefined;
}

/** Plays the events; `draw` is called for each draw, with the supply as it is then. */
function play(script: readonly Event[], supply: Supply, draw: (length: number) => void): void {
  for (const { kind, count } of script) {
    if (kind === 'arrive') supply.available += count;
    else if (kind === 'lose') supply.available = Math.max(0, supply.available - count);
    else draw(count);
  }
}

describe('with a supply that comes and goes', () => {
  it('the drbg tier takes exactly one seed for each 2^17 bits, and refuses exactly when there are too few', () => {
    let refused = 0;
    assert(
      property(events(4), (script) => {
        const supply = new Supply();
        supply.available = 1;
        const tier = new DrbgTier(supply);
        const seen = new Set<string>();
        let sampled = 0;
        let out = 0;
        play(script, supply, (length) => {
          const { available, taken } = supply;
          const needed = Math.max(1, Math.ceil((out + length) / STRETCH)) - taken;
          const code = refusal(() => {
            const bytes = tier.bytes(length);
            expect(bytes).toHaveLength(length);
            for (let at = 0; at + 16 <= length; at += 1024) {
              seen.add(toHex(bytes.subarray(at, at + 16)));
              sampled += 1;
            }
          });
          expect(code).toBe(needed > available ? 'ENTROPY_EXHAUSTED' : undefined);
          if (code === undefined) out += length;
          else refused += 1;
          expect(supply.taken - taken).toBe(code === undefined ? Math.max(0, needed) : 0);
          // Never more than 2^17 bits on one seed.
          expect(out).toBeLessThanOrEqual(supply.taken * STRETCH);
        });
        expect(seen.size).toBe(sampled);
        expect(tier.ledger).toEqual({ seedBitsIn: supply.taken * SEED * 8, maskBitsIn: 0, bitsOut: out * 8 });
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('the full tier gives as many bits as it has taken, and refuses exactly when it can not', () => {
    let refused = 0;
    assert(
      property(events(900), (script) => {
        const supply = new Supply();
        const tier = new FullTier(supply);
        let out = 0;
        play(script, supply, (length) => {
          const { available, taken } = supply;
          const total = Math.ceil((out + length) / SEED) + Math.ceil((out + length) / STRETCH);
          const code = refusal(() => {
            expect(tier.bytes(length)).toHaveLength(length);
          });
          expect(code).toBe(total - taken > available ? 'ENTROPY_SHORT' : undefined);
          if (code === undefined) out += length;
          else refused += 1;
          expect(supply.taken).toBe(code === undefined ? total : taken);
          const { seedBitsIn, maskBitsIn, bitsOut } = tier.ledger;
          expect(seedBitsIn + maskBitsIn).toBe(supply.taken * SEED * 8);
          expect(bitsOut).toBe(out * 8);
          // Every byte out has a byte of full entropy of its own; less than one seed waits.
          expect(maskBitsIn).toBeGreaterThanOrEqual(bitsOut);
          expect(maskBitsIn - bitsOut).toBeLessThan(SEED * 8);
        });
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('tiers on one supply share no seed and no output', () => {
    assert(
      property(array(integer({ min: 0, max: 2 }), { minLength: 30, maxLength: 60 }), (turns) => {
        const supply = new Supply();
        supply.available = 2;
        const tiers = [new DrbgTier(supply), new DrbgTier(supply), new FullTier(supply)] as const;
        supply.available = 400;
        const seen = new Set<string>();
        for (const turn of turns) seen.add(toHex((tiers[turn] as DrbgTier | FullTier).bytes(48)));
        expect(seen.size).toBe(turns.length);
        const seeds = tiers.map(({ ledger }) => (ledger.seedBitsIn + ledger.maskBitsIn) / (SEED * 8));
        expect(seeds.reduce((sum, count) => sum + count, 0)).toBe(supply.taken);
      }),
      { numRuns: 50 },
    );
  });
});
