import { SymmetraError, wipe } from '@symmetra/crypto';
import type { RandomBitGenerator } from '@symmetra/entropy';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { openReadyGenerator, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { labelsOf } from '../entropy/source-record.js';
import type { Invocation } from '../invocation.js';
import { requireFree, writeNewFile } from '../output-file.js';
import { Progress } from '../progress.js';
import { oneOf, path, positiveDuration, wholeNumber } from '../values.js';

interface GetOptions extends SourcesOptions {
  readonly bytes: number;
  readonly tier?: 'drbg' | 'full';
  readonly encoding?: 'base64' | 'hex';
  readonly out?: string;
  readonly wait?: number;
}

const MAX_BYTES = 2 ** 24;
const DEFAULT_WAIT_MS = 30_000;
/** Bytes that are drawn at a time, so that no draw asks for more than is kept ready. */
const DRAW_BYTES = { full: 4096, drbg: 2 ** 18 } as const;
/** Seeds that such a draw may take. */
const DRAW_SEEDS = 100;

export function addEntropyGet(entropy: Command, invocation: Invocation): void {
  addCommand<GetOptions>(entropy, invocation, {
    name: 'get',
    summary: 'draw random bytes',
    details:
      'The tier `full` gives full entropy: each byte rests on fresh noise. `drbg` gives the output of a generator ' +
      'that is seeded anew after every 2^17 bits. `full` is never replaced by `drbg`: when the sources do not give ' +
      'enough within --wait, the command fails.\n\n' +
      'Whoever sees standard output sees the bytes; --out writes them raw to a new file (0600) instead.',
    options: [
      required(option('--bytes <count>', 'how many, at most 16,777,216', wholeNumber(1, MAX_BYTES))),
      option('--tier <tier>', 'full or drbg (default: full)', oneOf(['full', 'drbg'] as const)),
      option('--encoding <form>', 'hex or base64 (default: hex)', oneOf(['hex', 'base64'] as const)),
      option('--out <file>', 'write them to a new file, raw bytes, 0600', path),
      option('--wait <duration>', 'how long to wait for enough entropy (default: 30s)', positiveDuration),
      sourcesOption(),
    ],
    examples: ['symmetra entropy get --bytes 32', 'symmetra entropy get --bytes 1000000 --out noise.bin'],
    run: get,
  });
}

async function get(invocation: Invocation, options: GetOptions): Promise<void> {
  const { output } = invocation;
  const { bytes: count, tier = 'full', encoding = 'hex', out } = options;
  if (out !== undefined) await requireFree(out);
  const generator = await openReadyGenerator(invocation, options);
  const bytes = await draw(invocation, generator, options, tier);
  const sources = generator.status().sources.filter(({ state }) => state === 'qualified');
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

/** @throws ENTROPY_SHORT when there is not enough in time. */
async function draw(
  { output, clock }: Invocation,
  generator: RandomBitGenerator,
  { bytes: count, wait = DEFAULT_WAIT_MS }: GetOptions,
  tier: 'drbg' | 'full',
): Promise<Uint8Array> {
  const drawn = new Uint8Array(count);
  const limit = new AbortController();
  const timer = clock.setTimer(wait, () => {
    limit.abort(
      new SymmetraError('ENTROPY_SHORT', 'the sources did not give enough entropy in time', { ms: wait }),
    );
  });
  const progress = new Progress(output, clock);
  const drbg = tier === 'drbg' ? generator.drbg() : undefined;
  try {
    for (let at = 0; at < count;) {
      const length = Math.min(DRAW_BYTES[tier], count - at);
      await generator.untilAvailable(DRAW_SEEDS, limit.signal);
      const part = drbg?.bytes(length) ?? generator.full(length);
      drawn.set(part, at);
      wipe(part);
      at += length;
      progress.step('drawing', at, count);
    }
    return drawn;
  } catch (error) {
    wipe(drawn);
    throw error;
  } finally {
    timer.cancel();
    progress.end();
  }
}
