import { FIPS1402_BLOCK_BYTES } from '@symmetra/battery';
import type { Sp80022Profile } from '@symmetra/battery';
import { BatteryThread, osRandom } from '@symmetra/entropy';
import type { BatteryProgress } from '@symmetra/entropy';
import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { entRecord, fips1402Record, iidRecord, nonIidRecord, sp80022Record } from '../battery-record.js';
import type { BatteryRecord } from '../battery-record.js';
import { MAX_TESTED_BYTES, readTested, tooShort } from '../entropy-file.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { Progress } from '../progress.js';
import { oneOf, path, wholeNumber } from '../values.js';

const BATTERIES = ['sp800-22', 'fips140-2', 'ent', 'sp800-90b', 'sp800-90b-iid'] as const;
const PROFILES = ['nist-sts-2.1.2', 'corrected'] as const;
const MAX_BITS_PER_SAMPLE = 8;
const SHUFFLE_SEED_BYTES = 16;

type Battery = (typeof BATTERIES)[number];

interface TestOptions {
  readonly battery?: Battery;
  readonly profile?: Sp80022Profile;
  readonly bytes?: number;
  readonly bitsPerSample?: number;
}

export function addEntropyTest(entropy: Command, invocation: Invocation): void {
  addCommand<TestOptions>(entropy, invocation, {
    name: 'test',
    args: '<file>',
    summary: 'run a statistical battery on a file',
    details:
      'The file is one sequence of all its bits, the most significant bit of each byte first. For SP 800-90B ' +
      'each byte is one sample, in its low bits.\n\n' +
      'The exit code is 0 when the battery ran, whatever it found: a test says how often good data look worse, ' +
      'and of 100 p-values of good data one is below 0.01. Passing a battery proves nothing about a source; ' +
      'only raw noise, tested as such, does.',
    options: [
      option(
        '--battery <name>',
        'sp800-22 (15 tests), fips140-2 (blocks of 20,000 bits), ent (five figures), sp800-90b ' +
          '(min-entropy, ten estimators), sp800-90b-iid (whether samples are independent and alike) ' +
          '(default: sp800-22)',
        oneOf(BATTERIES),
      ),
      option(
        '--profile <name>',
        'of sp800-22: nist-sts-2.1.2 gives the p-values of that program, corrected mends its errors ' +
          '(default: nist-sts-2.1.2)',
        oneOf(PROFILES),
      ),
      option(
        '--bytes <count>',
        'how many bytes, from the start; sp800-22 takes 16 MiB at most (default: all)',
        wholeNumber(1, MAX_TESTED_BYTES),
      ),
      option(
        '--bits-per-sample <count>',
        'of sp800-90b and sp800-90b-iid: the low bits of each byte that make the sample (default: 8)',
        wholeNumber(1, MAX_BITS_PER_SAMPLE),
      ),
    ],
    examples: [
      'symmetra entropy test noise.bin',
      'symmetra entropy test noise.bin --battery fips140-2 --bytes 2500000',
      'symmetra entropy test samples.bin --battery sp800-90b --bits-per-sample 4 --json',
    ],
    run: async (started, options, [file = '']) => test(started, options, path(file)),
  });
}

async function test(invocation: Invocation, options: TestOptions, file: string): Promise<void> {
  const { battery = 'sp800-22', bytes: count } = options;
  requireFitting(options, battery);
  const bytes = await readTested(file, count);
  const { length } = bytes;
  if (battery === 'fips140-2' && length < FIPS1402_BLOCK_BYTES) {
    throw tooShort(
      `a block of FIPS 140-2 has ${FIPS1402_BLOCK_BYTES} bytes`,
      file,
      length,
      FIPS1402_BLOCK_BYTES,
    );
  }
  const thread = new BatteryThread();
  invocation.onEnd('battery', async () => thread.close());
  const progress = new Progress(invocation.output, invocation.clock);
  const { result, sentences } = await run(thread, options, bytes, progress);
  progress.end();
  invocation.output.result({ battery, bits: length * 8, ...result }, sentences);
}

/** Refuses options of another battery. */
function requireFitting({ profile, bitsPerSample }: TestOptions, battery: Battery): void {
  if (profile !== undefined && battery !== 'sp800-22') {
    throw new UsageError('--profile belongs to the battery sp800-22');
  }
  if (bitsPerSample !== undefined && !battery.startsWith('sp800-90b')) {
    throw new UsageError('--bits-per-sample belongs to the batteries sp800-90b and sp800-90b-iid');
  }
}

async function run(
  thread: BatteryThread,
  { battery = 'sp800-22', profile = 'nist-sts-2.1.2', bitsPerSample = MAX_BITS_PER_SAMPLE }: TestOptions,
  bytes: Uint8Array,
  progress: Progress,
): Promise<BatteryRecord> {
  const samples = bytes.length;
  const onProgress = ({ name, done, total }: BatteryProgress): void => progress.step(name, done, total);
  switch (battery) {
    case 'sp800-22':
      return sp80022Record(profile, await thread.run({ battery, profile }, bytes, onProgress));
    case 'fips140-2':
      return fips1402Record(await thread.run({ battery }, bytes, onProgress));
    case 'ent':
      return entRecord(await thread.run({ battery }, bytes, onProgress));
    case 'sp800-90b':
      return nonIidRecord(
        { samples, bitsPerSample },
        await thread.run({ battery, bitsPerSample }, bytes, onProgress),
      );
    case 'sp800-90b-iid': {
      const seed = osRandom().bytes(SHUFFLE_SEED_BYTES);
      return iidRecord(
        { samples, bitsPerSample },
        await thread.run({ battery, bitsPerSample, seed }, bytes, onProgress),
      );
    }
  }
}
