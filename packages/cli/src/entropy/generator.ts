import type { DrawRandom, RandomBitGenerator } from '@symmetra/entropy';
import { readEntropyConfig } from '@symmetra/runtime';
import type { EntropyConfig } from '@symmetra/runtime';
import type { Option } from 'commander';
import { option } from '../command.js';
import type { Invocation } from '../invocation.js';
import { path } from '../values.js';

/** Where a command takes its entropy from. */
export interface SourcesOptions {
  readonly sources?: string;
}

const READY_MS = 30_000;

export function sourcesOption(): Option {
  return option(
    '--sources <file>',
    'the sources of entropy, as YAML (default: a simulated detector and the operating system)',
    path,
  );
}

/** @throws BAD_CONFIG */
export async function configOf({ sources }: SourcesOptions): Promise<EntropyConfig> {
  return readEntropyConfig(sources);
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

/**
 * {@link openGenerator}, once it can serve.
 * @throws ENTROPY_NOT_READY, and what {@link openGenerator} throws
 */
export async function openReadyGenerator(
  invocation: Invocation,
  options: SourcesOptions,
): Promise<RandomBitGenerator> {
  const generator = await openGenerator(invocation, options);
  const { untilReady } = await import('@symmetra/node');
  await untilReady(generator, invocation.clock, READY_MS);
  return generator;
}

/** Draws of the `drbg` tier, for feeds. @throws what {@link openReadyGenerator} throws */
export async function openDraw(invocation: Invocation, options: SourcesOptions): Promise<DrawRandom> {
  const generator = await openReadyGenerator(invocation, options);
  const { bytes } = generator.drbg();
  return async (length) => bytes(length);
}
