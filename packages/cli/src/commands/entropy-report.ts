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
import type { Batteries, OutputEvidence, Report, SourceEvidence } from '@symmetra/entropy';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { configOf, openReadyGenerator, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { ReportDirectory } from '../entropy/report-directory.js';
import { sourceFinding } from '../entropy/report-record.js';
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
const TIER_DRAW = 4096;
const DRAW_SEEDS = 100;

export function addEntropyReport(entropy: Command, invocation: Invocation): void {
  addCommand<ReportOptions>(entropy, invocation, {
    name: 'report',
    summary: 'examine the sources and sign what was found',
    details:
      'Takes consecutive raw samples of each source, which nobody else is given, runs the health tests and the ' +
      'assessment of SP 800-90B over them, and the batteries for output over bytes of both tiers. The report ' +
      'carries the samples, so that `symmetra entropy verify` computes everything again.\n\n' +
      'DIR holds the chain of reports and the key that signs them (ML-DSA-65), which is made with the first.',
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
  const last = await directory.last();
  const signer = await createSigningKey(directory.keyFile, osRandom().bytes);
  const batteries = threadedBatteries(invocation);
  const sources = await examineSources(invocation, options, batteries);
  const outputs = await examineTiers(invocation, options, batteries);
  const made: Report = {
    format: REPORT_FORMAT,
    number: (last?.report.number ?? 0) + 1,
    previous: last === undefined ? FIRST_PREVIOUS : reportHash(last.report),
    time: new Date(clock.now()).toISOString(),
    software: { symmetra: version(), node: process.version },
    sources,
    outputs,
  };
  const file = await directory.add(signReport(made, signer));
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
      ...columns([
        ['source', 'claimed', 'assessed', 'alarms'],
        ...sources.map((evidence) => {
          const { name, claimed, assessed, alarms } = sourceFinding(evidence);
          return [name, String(claimed), assessed?.toFixed(4) ?? 'not assessed', String(alarms)];
        }),
      ]),
      '',
      `report ${made.number}: ${file}`,
      `signed by ${fingerprint}`,
      `check it:  symmetra entropy verify ${file}`,
    ],
  );
}

async function examineSources(
  invocation: Invocation,
  options: ReportOptions,
  batteries: Batteries,
): Promise<readonly SourceEvidence[]> {
  const { openNoise } = await import('@symmetra/node');
  const { sources } = await configOf(options);
  const evidence: SourceEvidence[] = [];
  for (const config of sources) {
    const source = openNoise(config, invocation.clock);
    invocation.onEnd(`source ${config.name}`, async () => source.close());
    const { description } = source;
    const count = description.raw ? (options.samples ?? DEFAULT_SAMPLES) : CONDITIONED_SAMPLES;
    const progress = new Progress(invocation.output, invocation.clock);
    const samples = await collectSamples(source, count, {
      signal: new AbortController().signal,
      onProgress: (done, total) => progress.step(`reading ${description.name}`, done, total),
    }).finally(() => progress.end());
    await source.close();
    evidence.push(await examineSource(description, samples, batteries));
  }
  return evidence;
}

async function examineTiers(
  invocation: Invocation,
  options: ReportOptions,
  batteries: Batteries,
): Promise<readonly OutputEvidence[]> {
  const generator = await openReadyGenerator(invocation, options);
  const { signal } = new AbortController();
  const full = new Uint8Array(OUTPUT_BYTES);
  for (let at = 0; at < full.length; at += TIER_DRAW) {
    await generator.untilAvailable(DRAW_SEEDS, signal);
    full.set(generator.full(Math.min(TIER_DRAW, full.length - at)), at);
  }
  return [
    await examineOutput('full', full, batteries),
    await examineOutput('drbg', generator.drbg().bytes(OUTPUT_BYTES), batteries),
  ];
}
