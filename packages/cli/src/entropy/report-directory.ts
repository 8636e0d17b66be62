import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { asReport } from '@symmetra/entropy';
import type { SignedReport } from '@symmetra/entropy';
import { writeNewFile } from '../output-file.js';

const PRIVATE_DIRECTORY = 0o700;
const DIGITS = 6;
const NAME = /^report-(\d{6})\.json$/;
/** A report of a million samples a source, for 32 sources, fits. */
const MAX_REPORT_BYTES = 2 ** 28;

/** The file of a report within its directory. */
function fileOf(dir: string, number: number): string {
  return join(dir, `report-${String(number).padStart(DIGITS, '0')}.json`);
}

/** A chain of reports, each a file, and the key that signs them beside it. */
export class ReportDirectory {
  readonly keyFile: string;
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
    this.keyFile = join(dir, 'signing.key');
  }

  /** Makes the directory when it is not there. */
  static async open(dir: string): Promise<ReportDirectory> {
    await mkdir(dir, { recursive: true, mode: PRIVATE_DIRECTORY });
    return new ReportDirectory(dir);
  }

  /** The last report of the chain; undefined before the first. @throws FILE_CORRUPT, REPORT_MALFORMED */
  async last(): Promise<SignedReport | undefined> {
    const names = await readdir(this.#dir);
    const numbers = names.flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []);
    if (numbers.length === 0) return undefined;
    return asReport(await readReport(fileOf(this.#dir, Math.max(...numbers))));
  }

  /** Adds the next report. @returns its file. @throws FILE_EXISTS when another process was faster. */
  async add(signed: SignedReport): Promise<string> {
    const file = fileOf(this.#dir, signed.report.number);
    await writeNewFile(file, `${JSON.stringify(signed, undefined, 1)}\n`);
    return file;
  }
}

/**
 * What a file of a report holds, yet to be checked.
 * @throws FILE_CORRUPT when it is not JSON, FILE_TOO_LARGE, NOT_A_FILE, and what the system answers.
 */
export async function readReport(file: string): Promise<unknown> {
  const info = await stat(file);
  if (!info.isFile()) throw new SymmetraError('NOT_A_FILE', `this is not a file: ${file}`);
  if (info.size > MAX_REPORT_BYTES) {
    throw new SymmetraError('FILE_TOO_LARGE', `no report is so long: ${file}`, { size: info.size });
  }
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SymmetraError('FILE_CORRUPT', `the file does not hold JSON: ${file}`);
  }
}

/** The report before, where it lies in the same directory under its own name; else undefined. */
export async function readPrevious(file: string): Promise<unknown> {
  const number = Number(NAME.exec(basename(file))?.[1] ?? 0);
  if (number < 2) return undefined;
  const previous = fileOf(dirname(file), number - 1);
  const found = await stat(previous).then(
    () => true,
    () => false,
  );
  return found ? readReport(previous) : undefined;
}
