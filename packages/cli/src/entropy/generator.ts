import { SymmetraError } from '@symmetra/crypto';
import type { DrawRandom, GeneratorStatus, RandomBitGenerator } from '@symmetra/entropy';
import type { EntropyConfig } from '@symmetra/runtime/configuration';
import type { Option } from 'commander';
import { option } from '../command.js';
import type { Invocation } from '../invocation.js';
import { path } from '../values.js';
import { standingOf } from './source-record.js';

/** Where a command takes its entropy from. */
export interface SourcesOptions {
  readonly sources?: string;
}

/** Seeds for a generator and its first reseeds. */
const FIRST_WAIT: Wait = { seeds: 8, ms: 30_000 };

export function sourcesOption(): Option {
  return option(
    '--sources <file>',
    'the sources of entropy, as YAML (default: a simulated detector and the operating system)',
    path,
  );
}

/** @throws BAD_CONFIG */
export async function configOf({ sources }: SourcesOptions): Promise<EntropyConfig> {
  try {
    const { readEntropyConfig } = await import('@symmetra/runtime/configuration');
    return await readEntropyConfig(sources);
  } catch (error) {
    if (!(error instanceof SymmetraError) || sources === undefined) throw error;
    throw new SymmetraError(
      error.code,
      `${error.message} (${sources})`,
      { ...error.details },
      { cause: error },
    );
  }
}

/**
 * The generator over the sources that the command line names; it ends with the command.
 * @throws BAD_CONFIG, HEALTH_CUTOFF, EXTRACTOR_SIZE
 */
export async function openGenerator(
  invocation: Invocation,
  options: SourcesOptions,
): Promise<RandomBitGenerator> {
  const config = await configOf(options);
  const node = await import('@symmetra/node');
  const generator = node.openGenerator({ config, clock: invocation.clock });
  invocation.onEnd('entropy', async () => generator.close());
  return generator;
}

/** How much a command waits for, and for how long. */
export interface Wait {
  readonly seeds: number;
  readonly ms: number;
}

/**
 * {@link openGenerator}, once so many seeds can be made.
 * @throws ENTROPY_NOT_READY, ENTROPY_SHORT, and what {@link openGenerator} throws
 */
export async function openReadyGenerator(
  invocation: Invocation,
  options: SourcesOptions,
  { seeds, ms }: Wait = FIRST_WAIT,
): Promise<RandomBitGenerator> {
  const generator = await openGenerator(invocation, options);
  const limit = limitedWait(invocation, generator, ms);
  try {
    await generator.untilAvailable(seeds, limit.signal);
  } finally {
    limit.cancel();
  }
  return generator;
}

/**
 * A signal that is aborted after so many milliseconds, with the reason why there is not enough entropy then.
 * @throws ENTROPY_NOT_READY at once where waiting is in vain, because no source claims anything.
 */
export function limitedWait(
  { clock }: Invocation,
  generator: RandomBitGenerator,
  ms: number,
): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const claims = generator.status().sources.map(({ description }) => description.minEntropyPerSample);
  if (claims.every((claim) => claim === 0)) {
    throw new SymmetraError(
      'ENTROPY_NOT_READY',
      'no source claims any entropy, so that none can be credited',
    );
  }
  const limit = new AbortController();
  const timer = clock.setTimer(ms, () => limit.abort(shortage(generator.status(), ms)));
  return { signal: limit.signal, cancel: () => timer.cancel() };
}

function shortage({ state, sources }: GeneratorStatus, ms: number): SymmetraError {
  if (state === 'ready') {
    return new SymmetraError('ENTROPY_SHORT', 'the sources did not give enough entropy in time', { ms });
  }
  const standing = sources.map((status) => `${status.description.name} is ${standingOf(status)}`);
  return new SymmetraError(
    'ENTROPY_NOT_READY',
    `no source that is credited passed its tests in time: ${standing.join(', ')}`,
    { ms },
  );
}

/** Draws of the `drbg` tier, for feeds. @throws what {@link openReadyGenerator} throws */
export async function openDraw(invocation: Invocation, options: SourcesOptions): Promise<DrawRandom> {
  const generator = await openReadyGenerator(invocation, options);
  const { bytes } = generator.drbg();
  return async (length) => bytes(length);
}
