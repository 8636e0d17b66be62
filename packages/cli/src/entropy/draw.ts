import { wipe } from '@symmetra/crypto';
import type { NodeRandomness, RandomBitGenerator } from '@symmetra/entropy';
import type { Invocation } from '../invocation.js';
import { Progress } from '../progress.js';
import { limitedWait } from './generator.js';

export type Tier = 'drbg' | 'full';

const DEFAULT_WAIT_MS = 30_000;
/** Bytes that are drawn at a time, so that no draw asks for more than is kept ready. */
const DRAW_BYTES = { full: 4096, drbg: 2 ** 18 } as const;
/** Bytes that a seed yields: itself in `full`, 2^17 bits in `drbg`. */
const SEED_YIELD = { full: 48, drbg: 2 ** 14 } as const;
/** Seeds for the generator of the tier itself. */
const SPARE_SEEDS = 2;

/**
 * Bytes of a tier, which the caller owns; all of them or none.
 * @param waitMs how long the sources may take for all of them.
 * @throws ENTROPY_NOT_READY, ENTROPY_SHORT when there is not enough in time.
 */
export async function drawBytes(
  invocation: Invocation,
  generator: RandomBitGenerator,
  tier: Tier,
  count: number,
  waitMs = DEFAULT_WAIT_MS,
): Promise<Uint8Array> {
  const drawn = new Uint8Array(count);
  const limit = limitedWait(invocation, generator, waitMs);
  const progress = new Progress(invocation.output, invocation.clock);
  let drbg: NodeRandomness | undefined;
  try {
    for (let at = 0; at < count;) {
      const length = Math.min(DRAW_BYTES[tier], count - at);
      await generator.untilAvailable(Math.ceil(length / SEED_YIELD[tier]) + SPARE_SEEDS, limit.signal);
      if (tier === 'drbg') drbg ??= generator.drbg();
      const part = drbg?.bytes(length) ?? generator.full(length);
      drawn.set(part, at);
      wipe(part);
      at += length;
      progress.step(`drawing from ${tier}`, at, count);
    }
    return drawn;
  } catch (error) {
    wipe(drawn);
    throw error;
  } finally {
    limit.cancel();
    progress.end();
  }
}
