import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import {
  ESV_SAMPLES,
  RESTARTS,
  collectExtracted,
  collectRestarts,
  collectSamples,
  esvMetadata,
  osRandom,
} from '@symmetra/entropy';
import type { CollectionOptions, NoiseSource } from '@symmetra/entropy';
import type { EntropySourceConfig } from '@symmetra/runtime';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { configOf, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { threadedBatteries } from '../entropy/threaded-batteries.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { requireFree, writeNewFile } from '../output-file.js';
import { Progress } from '../progress.js';
import { name, path } from '../values.js';

interface BundleOptions extends SourcesOptions {
  readonly out: string;
  readonly source?: string;
}

const PRIVATE_DIRECTORY = 0o700;

export function addEntropyBundle(entropy: Command, invocation: Invocation): void {
  addCommand<BundleOptions>(entropy, invocation, {
    name: 'bundle',
    summary: 'collect what an Entropy Source Validation (NIST ESV) asks for',
    details:
      'Of one raw source: 1,000,000 consecutive samples, the first 1,000 samples after each of 1,000 restarts, ' +
      '1,000,000 bytes behind the extractor, the assessment of SP 800-90B over them, and metadata.json with the ' +
      'fields of the ESV protocol. A restart opens the device or connection, or the process of the simulator, anew.',
    options: [
      required(option('--out <dir>', 'a new directory for the files', path)),
      option('--source <name>', 'which source (default: the only raw one)', name),
      sourcesOption(),
    ],
    examples: ['symmetra entropy bundle --out esv'],
    run: bundle,
  });
}

async function bundle(invocation: Invocation, options: BundleOptions): Promise<void> {
  const { openNoise } = await import('@symmetra/node');
  const open = (config: EntropySourceConfig): NoiseSource => openNoise(config, invocation.clock);
  const config = await rawSource(options, open);
  await requireFree(options.out);
  const { raw, restarts, extracted } = await collect(invocation, config, () => open(config));
  const { description } = open(config);
  const { bitsPerSample } = description;
  const batteries = threadedBatteries(invocation);
  const assessment = await batteries.nonIid(raw, bitsPerSample);
  const conditioned = await batteries.nonIid(extracted, 8);
  const restartTest = await batteries.restarts({
    matrix: restarts,
    bitsPerSample,
    initialEntropy: assessment.minEntropy,
  });
  const files: Readonly<Record<string, Uint8Array | string>> = {
    'raw-samples.bin': raw,
    'restart-samples.bin': restarts,
    'conditioned-samples.bin': extracted,
    'metadata.json': json(esvMetadata(description, conditioned.minEntropy / 8)),
    'assessment.json': json({ source: description, raw: assessment, restarts: restartTest, conditioned }),
  };
  await mkdir(options.out, { mode: PRIVATE_DIRECTORY });
  const sums: string[] = [];
  for (const [file, content] of Object.entries(files)) {
    await writeNewFile(join(options.out, file), content);
    sums.push(`${createHash('sha256').update(content).digest('hex')}  ${file}\n`);
  }
  await writeNewFile(join(options.out, 'SHA256SUMS'), sums.join(''));
  invocation.output.result(
    {
      out: options.out,
      source: description.name,
      simulated: description.simulated,
      claimed: description.minEntropyPerSample,
      minEntropy: assessment.minEntropy,
      restarts: restartTest,
      conditionedMinEntropy: conditioned.minEntropy,
    },
    [
      `source ${description.name}${description.simulated ? ' (simulated)' : ''}: claimed ` +
        `${description.minEntropyPerSample} bits a sample, assessed ${assessment.minEntropy.toFixed(4)}`,
      `restarts: ${restartTest.verdict}, ${restartTest.minEntropy.toFixed(4)} bits a sample`,
      `behind the extractor: ${conditioned.minEntropy.toFixed(4)} bits a byte`,
      `the files lie in ${options.out}; sha256sum -c SHA256SUMS checks them`,
    ],
  );
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** @throws USAGE when the command line names no raw source. */
async function rawSource(
  options: BundleOptions,
  open: (config: EntropySourceConfig) => NoiseSource,
): Promise<EntropySourceConfig> {
  const { sources } = await configOf(options);
  const raw = sources.filter((config) => open(config).description.raw);
  const named = options.source === undefined ? raw : raw.filter((config) => config.name === options.source);
  const [first, second] = named;
  if (first !== undefined && second === undefined) return first;
  const names = raw.map((config) => config.name).join(', ');
  throw first === undefined
    ? new SymmetraError('SOURCE_UNKNOWN', `there is no such raw source; there are: ${names || 'none'}`)
    : new UsageError(`name one with --source: ${names}`);
}

async function collect(
  invocation: Invocation,
  config: EntropySourceConfig,
  open: () => NoiseSource,
): Promise<{ readonly raw: Uint8Array; readonly restarts: Uint8Array; readonly extracted: Uint8Array }> {
  const { signal } = new AbortController();
  const follow = async <Result>(
    what: string,
    work: (options: CollectionOptions) => Promise<Result>,
  ): Promise<Result> => {
    const progress = new Progress(invocation.output, invocation.clock);
    const onProgress = (done: number, total: number): void => progress.step(what, done, total);
    return work({ signal, onProgress }).finally(() => progress.end());
  };
  const source = open();
  invocation.onEnd(`source ${config.name}`, async () => source.close());
  const raw = await follow('reading samples', async (how) => collectSamples(source, ESV_SAMPLES, how));
  const { bytes: random } = osRandom();
  const extracted = await follow('extracting', async (how) =>
    collectExtracted(source, ESV_SAMPLES, random, how),
  );
  await source.close();
  const restarts = await follow('restarting', async (how) =>
    collectRestarts(async () => open(), RESTARTS, how),
  );
  return { raw, restarts, extracted };
}
