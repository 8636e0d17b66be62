import { wipe } from '@symmetra/crypto';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { drawBytes } from '../entropy/draw.js';
import type { Tier } from '../entropy/draw.js';
import { openGenerator, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { drawnFrom, labelsOf } from '../entropy/source-record.js';
import type { Invocation } from '../invocation.js';
import { requireFree, writeNewFile } from '../output-file.js';
import { oneOf, path, positiveDuration, wholeNumber } from '../values.js';

interface GetOptions extends SourcesOptions {
  readonly bytes: number;
  readonly tier?: Tier;
  readonly encoding?: 'base64' | 'hex';
  readonly out?: string;
  readonly wait?: number;
}

const MAX_BYTES = 2 ** 24;

export function addEntropyGet(entropy: Command, invocation: Invocation): void {
  addCommand<GetOptions>(entropy, invocation, {
    name: 'get',
    summary: 'draw random bytes',
    details:
      'The tier `full` gives full entropy: each byte rests on fresh noise. `drbg` gives the output of a generator ' +
      'that is seeded anew after every 2^17 bits. `full` is never replaced by `drbg`: when the sources do not give ' +
      'enough within --wait, which begins with the start of the sources, the command fails and gives nothing.\n\n' +
      'Whoever sees standard output sees the bytes; --out writes them raw to a new file (0600) instead.',
    options: [
      required(option('--bytes <count>', 'how many, at most 16,777,216', wholeNumber(1, MAX_BYTES))),
      option('--tier <tier>', 'full or drbg (default: full)', oneOf(['full', 'drbg'] as const)),
      option('--encoding <form>', 'hex or base64 (default: hex)', oneOf(['hex', 'base64'] as const)),
      option('--out <file>', 'write them to a new file, raw bytes, 0600', path),
      option('--wait <duration>', 'how long all of it may take (default: 30s)', positiveDuration),
      sourcesOption(),
    ],
    examples: [
      'symmetra entropy get --bytes 32',
      'symmetra entropy get --bytes 1000000 --tier drbg --out random.bin',
      'symmetra entropy get --bytes 32 --encoding base64 --sources sources.yaml --json',
    ],
    run: get,
  });
}

async function get(invocation: Invocation, options: GetOptions): Promise<void> {
  const { output } = invocation;
  const { bytes: count, tier = 'full', encoding = 'hex', out } = options;
  if (out !== undefined) await requireFree(out);
  const generator = await openGenerator(invocation, options);
  const bytes = await drawBytes(invocation, generator, tier, count, options.wait);
  const sources = drawnFrom(generator.status().sources);
  const origin = sources
    .map(({ description }) => `${description.name} (${labelsOf(description)})`)
    .join('; ');
  const record = {
    tier,
    bytes: count,
    sources: sources.map(({ description: { name, quantum, simulated } }) => ({ name, quantum, simulated })),
  };
  if (out === undefined) {
    const value = Buffer.from(bytes).toString(encoding);
    output.progress(`${count} bytes of the tier ${tier}, from ${origin}`);
    output.result({ ...record, encoding, value }, [value]);
  } else {
    await writeNewFile(out, bytes);
    output.result({ ...record, out }, [`${count} bytes of the tier ${tier}, from ${origin}: ${out}`]);
  }
  wipe(bytes);
}
