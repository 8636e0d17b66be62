import { Secret, SymmetraError } from '@symmetra/crypto';
import { destination, pino } from 'pino';
import type { Logger as Pino } from 'pino';
import type { Clock } from './clock.js';
import { LOG_FIELDS } from './log-fields.js';
import type { LogFields } from './log-fields.js';

/**
 * A constant sentence: a string literal is accepted, a string put together at run time is not.
 * What varies goes into the fields. (Only a record over open strings can do without members.)
 */
export type Sentence<S extends string> = { readonly ''?: never } extends Record<S, unknown> ? never : S;

/** Writes a line: a constant sentence, alone or behind its fields. */
export interface LogMethod {
  <S extends string>(sentence: Sentence<S>): void;
  <S extends string>(fields: LogFields, sentence: Sentence<S>): void;
}

/** The injected logger. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger that puts these fields on each of its lines. */
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The least severe line that is written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Takes whole lines; or a file descriptor, written synchronously. Standard error by default. */
  readonly output?: { write(line: string): void } | number;
}

const STANDARD_ERROR = 2;

/**
 * A logger that writes JSON lines `{level, time, ..., message}`. Fields outside the vocabulary are
 * dropped; bytes and secrets print as `[bytes n]`, errors without the message of code that is not ours.
 */
export function createLogger({ level, clock, output = STANDARD_ERROR }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const stream = typeof output === 'number' ? destination({ dest: output, sync: true }) : output;
  return wrap(pino(options, stream));
}

function wrap(target: Pino): Logger {
  const method = (level: 'debug' | 'info' | 'warn' | 'error'): LogMethod => {
    return (first: LogFields | string, second?: string) => {
      if (!target.isLevelEnabled(level)) return;
      if (typeof first === 'string') target[level](first);
      else target[level](presentable(first), second);
    };
  };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => wrap(target.child(presentable(fields))),
  };
}

/** Only what the vocabulary knows, and of that only what may be seen. */
function presentable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const lines: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(LOG_FIELDS, name) || value === undefined) continue;
    lines[name] = name === 'err' ? presentError(value) : presentValue(value);
  }
  return lines;
}

function presentValue(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    default:
      if (ArrayBuffer.isView(value)) return `[bytes ${value.byteLength}]`;
      if (value instanceof ArrayBuffer) return `[bytes ${value.byteLength}]`;
      if (value instanceof Secret) return presentSecret(value as Secret<string>);
      return Array.isArray(value) ? value.map(presentValue) : `[${value === null ? 'null' : typeof value}]`;
  }
}

function presentSecret(secret: Secret<string>): string {
  try {
    return `[bytes ${secret.bytes.length}]`;
  } catch {
    return '[bytes 0]';
  }
}

/**
 * Our own messages never hold content; those of other code may quote what it was given (a JSON
 * parser quotes its input), and so does the first part of a stack.
 */
function presentError(error: unknown): unknown {
  if (!(error instanceof Error)) return presentValue(error);
  const code = 'code' in error ? presentValue(error.code) : undefined;
  return {
    name: error.name,
    ...(code !== undefined && { code }),
    ...(error instanceof SymmetraError && { message: error.message, details: error.details }),
    sites: callSites(error),
    ...(error.cause !== undefined && { cause: presentError(error.cause) }),
  };
}

function callSites({ stack = '' }: Error): readonly string[] {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at .+:\d+:\d+\)?$/.test(line))
    .map((line) => line.slice(7))
    .slice(0, 8);
}
