import { asReport, verifyReport } from '@symmetra/entropy';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { addCommand, option } from '../command.js';
import { readPrevious, readReport } from '../entropy/report-directory.js';
import { FINDING_HEADINGS, findingRow, sourceFinding } from '../entropy/report-record.js';
import { simulatedNotes } from '../entropy/source-record.js';
import { threadedBatteries } from '../entropy/threaded-batteries.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { Progress } from '../progress.js';
import { path } from '../values.js';

interface VerifyOptions {
  readonly previous?: string;
  readonly signer?: string;
}

const FINGERPRINT = /^[0-9a-f]{64}$/;

export function addEntropyVerify(entropy: Command, invocation: Invocation): void {
  addCommand<VerifyOptions>(entropy, invocation, {
    name: 'verify',
    args: '<report>',
    summary: 'compute a report again, offline, and compare',
    details:
      'Checks the signature and the link to the report before it, then computes every number in the report again ' +
      'from the samples that it carries. The first difference ends the command with exit code 1 and names its place. ' +
      'Without --signer the signature shows only that the report is whole, not who made it. It takes as long as ' +
      'the report took.',
    options: [
      option('--signer <fingerprint>', 'the only key that may have signed it', fingerprint),
      option('--previous <report>', 'the report before it (default: the one beside it, if any)', path),
    ],
    examples: [
      'symmetra entropy verify reports/report-000002.json',
      'symmetra entropy verify mailed.json --previous kept.json --signer "$(cat signer.txt)"',
    ],
    run: async (run, options, [file = '']) => verify(run, options, path(file)),
  });
}

async function verify(invocation: Invocation, options: VerifyOptions, file: string): Promise<void> {
  const { output } = invocation;
  const report = await readReport(file);
  const previous =
    options.previous === undefined ? await readPrevious(file) : await readReport(options.previous);
  const { number, signer, values, chained } = await verifyReport(
    report,
    {
      ...(previous !== undefined && { previous }),
      ...(options.signer !== undefined && { signer: options.signer }),
    },
    threadedBatteries(invocation, new Progress(output, invocation.clock)),
  );
  const pinned = options.signer !== undefined;
  const { sources } = asReport(report).report;
  const findings = sources.map(sourceFinding);
  output.result({ valid: true, number, signer, pinned, chained, values, sources: findings }, [
    ...columns([FINDING_HEADINGS, ...sources.map(findingRow)]),
    '',
    'labels and claims are the word of who signed; assessed and alarms were computed again.',
    ...simulatedNotes(sources.map(({ description }) => description)),
    `report ${number} holds: all ${values} numbers follow from its samples`,
    `signed by ${signer}${pinned ? '' : ' (compare it with the fingerprint that you know, or give --signer)'}`,
    linkSentence(number, chained),
  ]);
}

function linkSentence(number: number, chained: boolean): string {
  if (number === 1) return 'it is the first report of its chain';
  return chained
    ? `it follows report ${number - 1}, whose own numbers were not computed again`
    : `report ${number - 1}, which it should follow, was not looked at: name it with --previous`;
}

function fingerprint(text: string): string {
  if (FINGERPRINT.test(text)) return text;
  throw new InvalidArgumentError('A fingerprint has 64 characters of 0-9 and a-f.');
}
