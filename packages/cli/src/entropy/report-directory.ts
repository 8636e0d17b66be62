import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { asReport, parseReport } from '@symmetra/entropy';
import type { Report, SignedReport } from '@symmetra/entropy';
import { failureOf } from '../exit.js';
import { writeNewFile } from '../output-file.js';

const PRIVATE_DIRECTORY = 0o700;
const DIGITS = 6;
/** As often as others may add a report while this one is being written. */
const MAX_ATTEMPTS = 10;
const NAME = /^report-(\d{6})\.json$/;
/** A report of a million samples a source, for 32 sources, fits. */
const MAX_REPORT_BYTES = 2 ** 28;

/** The file of a report within its directory. */
function fileOf(dir: string, number: number): string {
  return join(dir, `report-${String(number).padStart(DIGITS, '0')}.json`);
}

/** A report that lies in its file. */
export interface AddedReport {
  readonly file: string;
  readonly made: Report;
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
  async last(): Promise<Report | undefined> {
    const names = await readdir(this.#dir);
    const numbers = names.flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []);
    if (numbers.length === 0) return undefined;
    return asReport(await readReport(fileOf(this.#dir, Math.max(...numbers)))).report;
  }

  /**
   * Adds the next report. When somebody else adds one meanwhile, it is made once more, to follow that one.
   * @param make the report that follows the last one.
   * @throws FILE_EXISTS when somebody else is always faster; what `make` and {@link last} throw.
   */
  async add(make: (last: Report | undefined) => SignedReport): Promise<AddedReport> {
    for (let attempt = 1; ; attempt++) {
      const signed = make(await this.last());
      const file = fileOf(this.#dir, signed.report.number);
      try {
        await writeNewFile(file, `${JSON.stringify(signed, undefined, 1)}\n`);
        return { file, made: signed.report };
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || failureOf(error).code !== 'FILE_EXISTS') throw error;
      }
    }
  }
}

/**
 * What a file of a report holds, yet to be checked.
 * @throws FILE_CORRUPT when it is not JSON, REPORT_MALFORMED when a member stands in it twice, FILE_TOO_LARGE,
 *   NOT_A_FILE, and what the system answers.
 */
export async function readReport(file: string): Promise<unknown> {
  const info = await stat(file);
  if (!info.isFile()) throw new SymmetraError('NOT_A_FILE', `this is not a file: ${file}`);
  if (info.size > MAX_REPORT_BYTES) {
    throw new SymmetraError('FILE_TOO_LARGE', `no report is so long: ${file}`, { size: info.size });
  }
  const text = await readFile(file, 'utf8');
  try {
    return parseReport(text);
  } catch (error) {
    if (error instanceof SymmetraError) throw error;
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
