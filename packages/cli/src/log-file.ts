import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** Bytes after which a log file makes room for the next; the one before it is kept. */
const MAX_BYTES = 16 * 1024 * 1024;
const PRIVATE_FILE = 0o600;

/** A log file that keeps its size within bounds. */
export interface LogFile {
  readonly path: string;
  /** Takes whole lines. */
  write(line: string): void;
  close(): void;
}

/**
 * Appends log lines to a file (0600). A full disk costs lines, never the program that writes them.
 * @param onWarning is told the sentence of each line that is a warning or worse.
 */
export function openLogFile(path: string, onWarning: (sentence: string) => void): LogFile {
  let file = openSync(path, 'a', PRIVATE_FILE);
  let bytes = fstatSync(file).size;
  let closed = false;

  const turn = (): void => {
    renameSync(path, `${path}.1`);
    const next = openSync(path, 'a', PRIVATE_FILE);
    closeSync(file);
    file = next;
    bytes = 0;
  };

  return {
    path,
    write(line) {
      if (closed) return;
      const warning = warningIn(line);
      if (warning !== undefined) onWarning(warning);
      try {
        if (bytes > MAX_BYTES) turn();
        bytes += writeSync(file, line);
      } catch {
        // The log is where such a failure would be told.
      }
    },
    close() {
      if (!closed) closeSync(file);
      closed = true;
    },
  };
}

/** The sentence of a line that is a warning or worse, with the fields that say whom it concerns. */
function warningIn(line: string): string | undefined {
  try {
    const { level, message, node, code } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if ((level !== 'warn' && level !== 'error') || typeof message !== 'string') return undefined;
    const details = [node, code].filter((field) => typeof field === 'string').join(', ');
    return details === '' ? message : `${message} (${details})`;
  } catch {
    return undefined;
  }
}
