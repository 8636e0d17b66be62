import {
  FIRST_PREVIOUS,
  REPORT_FORMAT,
  collectSamples,
  examineOutput,
  examineSource,
  reportHash,
  signReport,
  signerFingerprint,
} from '@symmetra/entropy';
import type { Batteries, OutputEvidence, SourceEvidence } from '@symmetra/entropy';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { drawBytes } from '../entropy/draw.js';
import { configOf, openReadyGenerator, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { ReportDirectory } from '../entropy/report-directory.js';
import { FINDING_HEADINGS, findingRow, sourceFinding } from '../entropy/report-record.js';
import { withSource } from '../entropy/source-failure.js';
import { simulatedNotes } from '../entropy/source-record.js';
import { threadedBatteries } from '../entropy/threaded-batteries.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { Progress } from '../progress.js';
import { path, wholeNumber } from '../values.js';
import { version } from '../version.js';

interface ReportOptions extends SourcesOptions {
  readonly dir: string;
  readonly samples?: number;
}

/** SP 800-90B, 3.1.3: the assessment takes a million. */
const DEFAULT_SAMPLES = 1_000_000;
/** An assessment of fewer says nothing. */
const LEAST_SAMPLES = 10_000;
/** Of noise that is conditioned already nothing is assessed; so much shows whether the way from it is whole. */
const CONDITIONED_SAMPLES = 16_384;
/** A million bits of each tier. */
const OUTPUT_BYTES = 125_000;

export function addEntropyReport(entropy: Command, invocation: Invocation): void {
  addCommand<ReportOptions>(entropy, invocation, {
    name: 'report',
    summary: 'examine the sources and sign what was found',
    details:
      'Takes consecutive raw samples of each source, which nobody else is given, runs the health tests and the ' +
      'assessment of SP 800-90B over them, and the batteries for output over bytes of both tiers. The report ' +
      'carries the samples, so that `symmetra entropy verify` computes everything again.\n\n' +
      'DIR holds the chain of reports and the key that signs them (ML-DSA-65), which is made with the first. It ' +
      'takes some ten seconds for each raw source.',
    options: [
      required(option('--dir <dir>', 'where the chain of reports lives', path)),
      option(
        '--samples <count>',
        'samples of each raw source (default: 1000000; fewer make a quicker report that says less)',
        wholeNumber(LEAST_SAMPLES, DEFAULT_SAMPLES),
      ),
      sourcesOption(),
    ],
    examples: [
      'symmetra entropy report --dir reports',
      'symmetra entropy report --dir reports --samples 100000',
    ],
    run: report,
  });
}

async function report(invocation: Invocation, options: ReportOptions): Promise<void> {
  const { output, clock } = invocation;
  const directory = await ReportDirectory.open(options.dir);
  const { createSigningKey } = await import('@symmetra/node');
  const { osRandom } = await import('@symmetra/entropy');
  await directory.last();
  const signer = await createSigningKey(directory.keyFile, osRandom().bytes);
  const progress = new Progress(output, clock);
  const batteries = threadedBatteries(invocation, progress);
  const sources = await examineSources(invocation, options, batteries, progress);
  const outputs = await examineTiers(invocation, options, batteries);
  const time = new Date(clock.now()).toISOString();
  const software = { symmetra: version(), node: process.version };
  const { file, made } = await directory.add((last) => {
    const number = (last?.number ?? 0) + 1;
    const previous = last === undefined ? FIRST_PREVIOUS : reportHash(last);
    return signReport({ format: REPORT_FORMAT, number, previous, time, software, sources, outputs }, signer);
  });
  signer.secretKey.fill(0);
  const fingerprint = signerFingerprint(signer.publicKey);
  output.result(
    {
      file,
      number: made.number,
      previous: made.previous,
      hash: reportHash(made),
      signer: fingerprint,
      sources: sources.map(sourceFinding),
    },
    [
      ...columns([FINDING_HEADINGS, ...sources.map(findingRow)]),
      '',
      'claimed, assessed: bits of min-entropy in a sample, the latter by SP 800-90B (of raw noise only).',
      ...simulatedNotes(sources.map(({ description }) => description)),
      `report ${made.number}: ${file}`,
      `signed by ${fingerprint}`,
      `check it:  symmetra entropy verify ${file}`,
    ],
  );
}

/** Nobody but the report is given these samples. */
async function examineSources(
  invocation: Invocation,
  options: ReportOptions,
  batteries: Batteries,
  progress: Progress,
): Promise<readonly SourceEvidence[]> {
  const { openNoise } = await import('@symmetra/node');
  const { sources } = await configOf(options);
  const evidence: SourceEvidence[] = [];
  for (const config of sources) {
    const source = openNoise(config, invocation.clock);
    invocation.onEnd(`source ${config.name}`, async () => source.close());
    const { description } = source;
    const count = description.raw ? (options.samples ?? DEFAULT_SAMPLES) : CONDITIONED_SAMPLES;
    const evidenceOf = async (): Promise<SourceEvidence> => {
      const samples = await collectSamples(source, count, {
        signal: new AbortController().signal,
        onProgress: (done, total) => progress.step(`reading ${description.name}`, done, total),
      }).finally(() => progress.end());
      await source.close();
      return examineSource(description, samples, batteries);
    };
    evidence.push(await withSource(description.name, evidenceOf));
  }
  return evidence;
}

async function examineTiers(
  invocation: Invocation,
  options: ReportOptions,
  batteries: Batteries,
): Promise<readonly OutputEvidence[]> {
  const generator = await openReadyGenerator(invocation, options);
  const full = await drawBytes(invocation, generator, 'full', OUTPUT_BYTES);
  const drbg = await drawBytes(invocation, generator, 'drbg', OUTPUT_BYTES);
  await generator.close();
  return [await examineOutput('full', full, batteries), await examineOutput('drbg', drbg, batteries)];
}
