import { SymmetraError } from '@symmetra/crypto';
import type { SourceDescription } from '../source/noise-source.js';
import { firstDifference } from './canonical-json.js';
import type { Json } from './canonical-json.js';
import { bytesOf, examineOutput, examineSource } from './evidence.js';
import type { Batteries, OutputEvidence, SourceEvidence } from './evidence.js';
import { FIRST_PREVIOUS, REPORT_FORMAT, checkSignature, reportHash } from './report.js';
import type { Report, SignedReport } from './report.js';
import { isWellFormed } from './report-form.js';

/** What a report is checked against, beside itself. */
export interface Expectations {
  /** The report before, when the chain is to be checked. */
  readonly previous?: unknown;
  /** The fingerprint of the only key that may have signed it. */
  readonly signer?: string;
}

/** What a good report showed. */
export interface Verification {
  readonly number: number;
  /** Fingerprint of the key that signed it. */
  readonly signer: string;
  /** How many numbers were computed again from the samples and agreed; what the signer states is not among them. */
  readonly values: number;
  /** Whether the link to the report before was checked; always for the first of a chain. */
  readonly chained: boolean;
}

/**
 * Computes everything in a report again, from the samples that it carries, and compares.
 * @throws REPORT_MALFORMED, REPORT_SIGNATURE, REPORT_SIGNER, REPORT_CHAIN; REPORT_DIFFERS with the first place where the
 *   report says something else (`details.path`)
 */
export async function verifyReport(
  input: unknown,
  { previous, signer }: Expectations,
  batteries: Batteries,
): Promise<Verification> {
  const signed = asReport(input);
  const { report } = signed;
  const signedBy = checkSignature(signed);
  if (signer !== undefined && signedBy !== signer) {
    throw new SymmetraError('REPORT_SIGNER', 'the report is signed by another key', { signer: signedBy });
  }
  const chained = checkChain(report, previous === undefined ? undefined : asReport(previous).report);
  if (!isWellFormed(report)) throw notOfTheForm();
  const again = await examineAgain(report, batteries);
  const path = firstDifference(report as unknown as Json, again as unknown as Json);
  if (path !== undefined) {
    throw new SymmetraError('REPORT_DIFFERS', `the report does not follow from its samples at ${path}`, {
      path,
    });
  }
  const computed = [...again.sources.map(({ description: _stated, ...rest }) => rest), ...again.outputs];
  return { number: report.number, signer: signedBy, values: countNumbers(computed), chained };
}

/**
 * What a file of a report holds, as far as its form is that of a report: enough to compute the rest again.
 * @throws REPORT_MALFORMED
 */
export function asReport(input: unknown): SignedReport {
  const signed = input as Partial<SignedReport> | null;
  const { report, signature } = signed ?? {};
  const wellFormed =
    isObject(report) &&
    isObject(signature) &&
    report.format === REPORT_FORMAT &&
    Number.isSafeInteger(report.number) &&
    areEvidence(report.sources) &&
    areEvidence(report.outputs) &&
    report.sources.every(({ description }) => isObject(description));
  if (wellFormed) return { report, signature };
  throw notOfTheForm();
}

function notOfTheForm(): SymmetraError {
  return new SymmetraError('REPORT_MALFORMED', `this is no report of the form ${REPORT_FORMAT}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Whether each of them carries a sample. */
function areEvidence(parts: unknown): boolean {
  return (
    Array.isArray(parts) &&
    parts.every((part: { readonly sample?: { readonly base64?: unknown } | null } | null) => {
      return typeof part?.sample?.base64 === 'string';
    })
  );
}

/** @throws REPORT_CHAIN */
function checkChain(report: Report, previous: Report | undefined): boolean {
  const first = report.number === 1;
  const expected = previous === undefined ? FIRST_PREVIOUS : reportHash(previous);
  const number = previous === undefined ? 1 : previous.number + 1;
  if (previous === undefined && !first) return false;
  if (report.previous === expected && report.number === number) return true;
  throw new SymmetraError('REPORT_CHAIN', 'the report does not follow the one before it', {
    number: report.number,
    expected: number,
  });
}

async function examineAgain(report: Report, batteries: Batteries): Promise<Report> {
  const sources: SourceEvidence[] = [];
  for (const { description, sample } of report.sources) {
    sources.push(await examineSource(labelsOf(description), bytesOf(sample), batteries).catch(malformed));
  }
  const outputs: OutputEvidence[] = [];
  for (const { tier, sample } of report.outputs) {
    outputs.push(await examineOutput(tier, bytesOf(sample), batteries).catch(malformed));
  }
  const { format, number, previous, time, software } = report;
  const { symmetra, node } = software;
  return { format, number, previous, time, software: { symmetra, node }, sources, outputs };
}

/** What a source says of itself, and nothing that was written beside it. */
function labelsOf(description: SourceDescription): SourceDescription {
  const { name, kind, physical, quantum, simulated, raw, bitsPerSample, minEntropyPerSample } = description;
  return { name, kind, physical, quantum, simulated, raw, bitsPerSample, minEntropyPerSample };
}

/** What no honest signer would have signed. */
function malformed(cause: unknown): never {
  throw new SymmetraError('REPORT_MALFORMED', 'a sample in the report can not be examined', {}, { cause });
}

function countNumbers(value: unknown): number {
  if (typeof value === 'number') return 1;
  if (!isObject(value)) return 0;
  return Object.values(value).reduce((sum: number, member) => sum + countNumbers(member), 0);
}
