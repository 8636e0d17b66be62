import { wipe } from '@symmetra/crypto';
import { KernelPool } from '@symmetra/hardware';
import { pause, unlessAborted } from '../source/clock.js';
import type { SourceClock } from '../source/clock.js';
import type { DrawRandom } from './draw-random.js';

/** How the kernel is fed. */
export interface KernelFeedOptions {
  readonly draw: DrawRandom;
  readonly clock: SourceClock;
  /** Ends the feed, which is then fulfilled. */
  readonly signal: AbortSignal;
  /** Bytes given at a time, 1 to 65,536. */
  readonly bytes: number;
  /**
   * How much entropy the kernel is to count for the bytes given at a time; 0 by default. Mixing bytes in can never
   * hurt, counting them can: more than 0 is for an operator who answers for every source behind `draw`.
   */
  readonly creditBits?: number;
  /** Milliseconds from one time to the next; without it the kernel is fed once. */
  readonly intervalMs?: number;
  readonly onFed: (fed: KernelFed) => void;
  /** A time that was left out because no random bytes could be drawn; only with `intervalMs`, else the feed fails. */
  readonly onSkipped: (error: unknown) => void;
}

/** What the kernel was given at one time. */
export interface KernelFed {
  readonly bytes: number;
  readonly creditBits: number;
  /** Whether its generator took new seeds at once; false when it had none yet, and takes them when it starts. */
  readonly reseeded: boolean;
  /** The entropy that the kernel counts afterwards, in bits. */
  readonly entropyCount: number;
}

/**
 * Mixes random bytes into the kernel's pool and lets its generator take new seeds at once, so that every program on
 * this host draws from them.
 * @throws HARDWARE_UNAVAILABLE, KERNEL_FEED_DENIED, KERNEL_FEED_SIZE, KERNEL_FEED_FAILED; without `intervalMs` also
 *   what `draw` throws.
 */
export async function feedKernel(options: KernelFeedOptions): Promise<void> {
  const { clock, signal, intervalMs } = options;
  const pool = await KernelPool.open();
  try {
    while (!signal.aborted) {
      const bytes = await drawn(options);
      if (bytes !== undefined) options.onFed(give(pool, bytes, options.creditBits ?? 0));
      if (intervalMs === undefined) return;
      await pause(clock, intervalMs, signal).catch(() => undefined);
    }
  } finally {
    await pool.close();
  }
}

/** The bytes of one time; undefined when there are none or the feed has ended. */
async function drawn(options: KernelFeedOptions): Promise<Uint8Array | undefined> {
  try {
    return await unlessAborted(options.draw(options.bytes), options.signal);
  } catch (error) {
    if (options.signal.aborted) return undefined;
    if (options.intervalMs === undefined) throw error;
    options.onSkipped(error);
    return undefined;
  }
}

function give(pool: KernelPool, bytes: Uint8Array, creditBits: number): KernelFed {
  try {
    pool.add(bytes, creditBits);
  } finally {
    wipe(bytes);
  }
  const reseeded = pool.reseed();
  return { bytes: bytes.length, creditBits, reseeded, entropyCount: pool.entropyCount() };
}
