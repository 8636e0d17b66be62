import { SymmetraError } from '@symmetra/crypto';

/** How a command ends, as its exit code says. */
export const EXIT = {
  /** Done; also a clean stop of a command that runs until it is told to end. */
  done: 0,
  /** Refused or failed: one line on standard error says why. */
  failed: 1,
  /** The command line is wrong; nothing was tried. */
  usage: 2,
} as const;

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The signals that end a command. */
export type EndingSignal = keyof typeof SIGNAL_NUMBERS;

export const ENDING_SIGNALS = Object.keys(SIGNAL_NUMBERS) as readonly EndingSignal[];

/** The exit code of a command that a signal cut short: 128 and the signal's number, as shells have it. */
export function exitCodeOf(signal: EndingSignal): number {
  return 128 + SIGNAL_NUMBERS[signal];
}

/** What is wrong with the command line. */
export class UsageError extends SymmetraError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** A failure as it is told: a stable code and one sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

const CODE_FORM = /^[A-Z][A-Z0-9_]*$/;

/** Sentences for what the operating system may answer; a number is the errno of Linux, as LMDB gives it. */
const SYSTEM_FAILURES: Readonly<Record<string | number, Failure>> = {
  28: { code: 'DISK_FULL', message: 'there is no room left on the disk' },
  EACCES: { code: 'NO_PERMISSION', message: 'a file or directory is closed to this user' },
  EPERM: { code: 'NO_PERMISSION', message: 'a file or directory is closed to this user' },
  EROFS: { code: 'NO_PERMISSION', message: 'the file system can not be written' },
  EADDRINUSE: { code: 'PORT_IN_USE', message: 'another program listens on the port; choose one with --port' },
  EDQUOT: { code: 'DISK_FULL', message: 'there is no room left on the disk' },
  EEXIST: { code: 'FILE_EXISTS', message: 'the file exists already and is not overwritten' },
  EISDIR: { code: 'NOT_A_FILE', message: 'a directory stands where a file is expected' },
  ENOENT: { code: 'NO_SUCH_FILE', message: 'there is no such file or directory' },
  ENOSPC: { code: 'DISK_FULL', message: 'there is no room left on the disk' },
  ENOTDIR: { code: 'NO_SUCH_FILE', message: 'a file stands where a directory is expected' },
};

/**
 * The failure that an error stands for. Messages of our own errors hold no content; those of other
 * code might, so that of these only the kind and the place are told.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof SymmetraError) return { code: error.code, message: oneLine(error.message) };
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: 'an unexpected failure' };
  const code = 'code' in error ? error.code : undefined;
  const named = typeof code === 'string' || typeof code === 'number';
  const known = named ? SYSTEM_FAILURES[code] : undefined;
  if (known !== undefined) {
    const path = 'path' in error && typeof error.path === 'string' ? `: ${oneLine(error.path)}` : '';
    return { code: known.code, message: known.message + path };
  }
  const kind = typeof code === 'string' && CODE_FORM.test(code) ? `${error.name} ${code}` : error.name;
  const [, place = 'an unknown place'] = /\n\s+at ([^\n]+)/.exec(error.stack ?? '') ?? [];
  return { code: 'INTERNAL', message: `an unexpected ${kind} at ${oneLine(place)}` };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
