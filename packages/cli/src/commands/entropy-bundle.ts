import { SymmetraError } from '@symmetra/crypto';
import type { NoiseSource } from '@symmetra/entropy';
import type { EntropySourceConfig } from '@symmetra/runtime/configuration';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { ESV_SIZES, assessBundle, collectBundle, writeBundle } from '../entropy/bundle.js';
import { configOf, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { withSource } from '../entropy/source-failure.js';
import { simulatedNotes } from '../entropy/source-record.js';
import { threadedBatteries } from '../entropy/threaded-batteries.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { requireFree } from '../output-file.js';
import { Progress } from '../progress.js';
import { name, path } from '../values.js';

interface BundleOptions extends SourcesOptions {
  readonly out: string;
  readonly source?: string;
}

export function addEntropyBundle(entropy: Command, invocation: Invocation): void {
  addCommand<BundleOptions>(entropy, invocation, {
    name: 'bundle',
    summary: 'collect what an Entropy Source Validation (NIST ESV) asks for',
    details:
      'Of one raw source: 1,000,000 consecutive samples, the first 1,000 samples after each of 1,000 restarts, ' +
      '1,000,000 bytes behind the extractor, the assessment of SP 800-90B over them, and metadata.json with the ' +
      'fields of the ESV protocol. A restart opens the device or connection, or the process of the simulator, anew. ' +
      'It takes some minutes.',
    options: [
      required(option('--out <dir>', 'a new directory for the files', path)),
      option('--source <name>', 'which source (default: the only raw one)', name),
      sourcesOption(),
    ],
    examples: [
      'symmetra entropy bundle --out esv',
      'symmetra entropy bundle --out esv --sources sources.yaml --source card',
    ],
    run: bundle,
  });
}

async function bundle(invocation: Invocation, options: BundleOptions): Promise<void> {
  const { openNoise } = await import('@symmetra/node');
  const open = (config: EntropySourceConfig): NoiseSource => openNoise(config, invocation.clock);
  const config = await rawSource(options, open);
  await requireFree(options.out);
  const { description } = open(config);
  const progress = new Progress(invocation.output, invocation.clock);
  const end = new AbortController();
  const collecting = collectBundle(
    () => open(config),
    ESV_SIZES,
    (stage) => ({
      signal: end.signal,
      onProgress: (done, total) => progress.step(stage, done, total),
    }),
  ).finally(() => progress.end());
  invocation.onEnd(`source ${description.name}`, async () => {
    end.abort();
    await collecting.catch(() => undefined);
  });
  const batteries = threadedBatteries(invocation, progress);
  const collected = await withSource(description.name, async () => collecting);
  const findings = await assessBundle(description, collected, batteries);
  await writeBundle(options.out, description, collected, findings);
  const { raw, restarts, conditioned } = findings;
  const { simulated, minEntropyPerSample: claimed } = description;
  invocation.output.result(
    {
      out: options.out,
      source: description.name,
      simulated,
      claimed,
      minEntropy: raw.minEntropy,
      restarts,
      conditionedMinEntropy: conditioned.minEntropy,
    },
    [
      `source ${description.name}: claimed ${claimed} bits a sample, assessed ${raw.minEntropy.toFixed(4)}`,
      ...simulatedNotes([description]),
      `restarts: ${restarts.verdict}, ${restarts.minEntropy.toFixed(4)} bits a sample`,
      `behind the extractor: ${conditioned.minEntropy.toFixed(4)} bits a byte`,
      `the files lie in ${options.out}; sha256sum -c SHA256SUMS checks them there`,
    ],
  );
}

/** @throws SOURCE_UNKNOWN, USAGE when the command line names no raw source. */
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
