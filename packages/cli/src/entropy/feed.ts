import { feedFifo, feedKernel } from '@symmetra/entropy';
import type { DrawRandom } from '@symmetra/entropy';
import { UsageError, failureOf } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { configOf } from './generator.js';
import type { SourcesOptions } from './generator.js';

/** Bytes that the kernel is given at a time, unless the command line says otherwise: twice the state of its pool. */
export const DEFAULT_FEED_BYTES = 64;
/** As often as the kernel seeds its generator by itself. */
const DEFAULT_INTERVAL_MS = 60_000;

/** What the command line says. */
export interface FeedOptions extends SourcesOptions {
  readonly fifo?: string;
  readonly kernel?: boolean;
  readonly bytes?: number;
  readonly interval?: number;
  readonly once?: boolean;
  readonly creditBits?: number;
}

/** Opens what the random bytes are drawn from, and registers its end with the command. */
export type OpenDraw = (invocation: Invocation, options: FeedOptions) => Promise<DrawRandom>;

/**
 * Feeds until the command is interrupted, or once.
 * @throws USAGE; what opening the source of random bytes and what the feed throws.
 */
export async function runFeed(
  invocation: Invocation,
  options: FeedOptions,
  openDraw: OpenDraw,
): Promise<void> {
  const run = chosenFeed(options);
  if (options.creditBits !== undefined && options.creditBits > 0) await refuseSimulated(options);
  const draw = await openDraw(invocation, options);
  const stop = new AbortController();
  const feeding = run(invocation, draw, stop.signal);
  invocation.onEnd('feed', async () => {
    stop.abort();
    await feeding.catch(() => undefined);
  });
  if (options.once !== true) {
    await Promise.race([feeding, invocation.untilInterrupted()]);
    stop.abort();
  }
  await feeding;
}

type Feed = (invocation: Invocation, draw: DrawRandom, signal: AbortSignal) => Promise<void>;

/** @throws USAGE */
function chosenFeed(options: FeedOptions): Feed {
  const { fifo, kernel, bytes = DEFAULT_FEED_BYTES, creditBits = 0 } = options;
  if ((fifo === undefined) === (kernel === undefined)) throw new UsageError('give either --fifo or --kernel');
  if (fifo !== undefined) {
    const ofKernel = [options.bytes, options.interval, options.once, options.creditBits];
    if (ofKernel.some((value) => value !== undefined)) {
      throw new UsageError('--bytes, --interval, --once and --credit-bits belong to --kernel');
    }
    return async (invocation, draw, signal) => writeFifo(invocation, draw, signal, fifo);
  }
  if (options.once === true && options.interval !== undefined) {
    throw new UsageError('--interval and --once exclude each other');
  }
  if (creditBits > 8 * bytes) throw new UsageError(`--credit-bits can not exceed ${8 * bytes}, 8 a byte`);
  return async (invocation, draw, signal) => giveKernel(invocation, draw, signal, options);
}

/** The kernel counts no entropy that a program computes. @throws USAGE, BAD_CONFIG */
async function refuseSimulated(options: FeedOptions): Promise<void> {
  const { sources } = await configOf(options);
  const simulated = sources.find(
    (source) => source.kind === 'detector' || ('simulated' in source && source.simulated),
  );
  if (simulated === undefined) return;
  throw new UsageError(`--credit-bits needs sources that are not simulated; ${simulated.name} is`);
}

async function giveKernel(
  { output, clock }: Invocation,
  draw: DrawRandom,
  signal: AbortSignal,
  { bytes = DEFAULT_FEED_BYTES, creditBits = 0, interval = DEFAULT_INTERVAL_MS, once = false }: FeedOptions,
): Promise<void> {
  await feedKernel({
    draw,
    clock,
    signal,
    bytes,
    creditBits,
    ...(!once && { intervalMs: interval }),
    onFed: (fed) => {
      const effect = fed.reseeded ? 'its generator took new seeds' : 'its generator has no seed yet';
      output.event({ event: 'fed', ...fed }, `gave the kernel ${fed.bytes} bytes; ${effect}`);
    },
    onSkipped: (error) => output.warning(failureOf(error)),
  });
}

async function writeFifo(
  { output, clock }: Invocation,
  draw: DrawRandom,
  signal: AbortSignal,
  fifo: string,
): Promise<void> {
  await feedFifo({
    path: fifo,
    draw,
    clock,
    signal,
    onReady: (made) => {
      const ready = { event: 'ready', fifo, made };
      output.event(ready, `feeds ${fifo}`);
    },
    onReader: () => output.event({ event: 'reader' }, 'a reader is there'),
    onReaderGone: (bytes) => {
      const gone = { event: 'reader-gone', bytes };
      output.event(gone, `the reader left after at most ${bytes} bytes`);
    },
    onSkipped: (error) => output.warning(failureOf(error)),
  });
}
