import { resolve } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { LOG_LEVELS, parseDuration } from '@symmetra/runtime';
import type { LogLevel } from '@symmetra/runtime';
import { InvalidArgumentError } from 'commander';

/*
 * The parsers of option values. Each returns the value or tells commander what is wrong with it, which makes it an
 * error of usage.
 */

const DEVICE_ID = /^[a-z2-7]{51}[aq]$/;
const HEX_ID = /^[0-9a-f]{32}$/;
const MAX_TAG_LENGTH = 255;
const MAX_TAG_NAME_LENGTH = 64;
const MAX_NAME_BYTES = 64;

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export const port = wholeNumber(0, 65_535);

/** Milliseconds of a duration such as `1h`. */
function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof SymmetraError)) throw error;
    throw new InvalidArgumentError('It must be a whole number and ms, s, m, h or d, such as 90s or 1h.');
  }
}

/** A duration that is not nothing. */
export function positiveDuration(text: string): number {
  const ms = duration(text);
  if (ms === 0) throw new InvalidArgumentError('It must be longer than nothing.');
  return ms;
}

/** A duration of at most `maxMs`, which `most` says in words. */
export function durationUpTo(maxMs: number, most: string): (text: string) => number {
  return (text) => {
    const ms = positiveDuration(text);
    if (ms > maxMs) throw new InvalidArgumentError(`It must be at most ${most}.`);
    return ms;
  };
}

/** A duration, or `0` for not at all. */
export function durationOrZero(text: string): number {
  return text === '0' ? 0 : duration(text);
}

export function isDeviceId(text: string): boolean {
  return DEVICE_ID.test(text);
}

/** A device id: 52 characters of base32. */
export function deviceId(text: string): string {
  if (isDeviceId(text)) return text;
  throw new InvalidArgumentError('A device id has 52 characters of a-z and 2-7.');
}

/** Device ids between commas. */
export function deviceIdList(text: string): readonly string[] {
  return text.split(',').map((one) => deviceId(one.trim()));
}

/** A key id: 32 characters of hexadecimal. */
export function keyId(text: string): string {
  if (HEX_ID.test(text)) return text;
  throw new InvalidArgumentError('A key id has 32 characters of 0-9 and a-f.');
}

/** A group id, likewise. */
export function groupId(text: string): string {
  if (HEX_ID.test(text)) return text;
  throw new InvalidArgumentError('A group id has 32 characters of 0-9 and a-f.');
}

/** A short name of letters, digits, dots, hyphens and the like, as the protocol carries it. */
export function name(text: string): string {
  if (/^[^\p{Cc}]+$/u.test(text) && Buffer.byteLength(text) <= MAX_NAME_BYTES) return text;
  throw new InvalidArgumentError(`It must have 1 to ${MAX_NAME_BYTES} bytes, without control characters.`);
}

/** A path, made absolute: the process that opens it may work in another directory. */
export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('A path can not be empty.');
  return resolve(text);
}

/** Where a node is reached: `host:port`, an IPv6 address in brackets. */
export function addressOf(text: string): string {
  const [, digits] = /^(?:[^\s:[\]]{1,249}|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(text) ?? [];
  if (digits !== undefined && Number(digits) >= 1 && Number(digits) <= 65_535) return text;
  throw new InvalidArgumentError('An address is written HOST:PORT.');
}

/** Collects tags `name=value`. */
export function tag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [key = '', ...rest] = text.split('=');
  const value = rest.join('=');
  if (key === '' || rest.length === 0) throw new InvalidArgumentError('A tag is written name=value.');
  if (Buffer.byteLength(key) > MAX_TAG_NAME_LENGTH || Buffer.byteLength(value) > MAX_TAG_LENGTH) {
    throw new InvalidArgumentError('A tag has a name of at most 64 and a value of at most 255 bytes.');
  }
  if (Object.hasOwn(previous, key)) throw new InvalidArgumentError(`The tag ${key} is given twice.`);
  return { ...previous, [key]: value };
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };
}

export const logLevel: (text: string) => LogLevel = oneOf(LOG_LEVELS);

/** The id of a suite. */
export function suite(text: string): 1 | 2 | 3 {
  if (text === '1' || text === '2' || text === '3') return Number(text) as 1 | 2 | 3;
  throw new InvalidArgumentError('The suites are 1, 2 and 3.');
}

/** Suites, each once, ascending: `1,3`. */
export function suiteList(text: string): readonly number[] {
  return [...new Set(text.split(',').map(suite))].toSorted((a, b) => a - b);
}

/** Names between commas. */
export function nameList(text: string): readonly string[] {
  return [...new Set(text.split(',').map(name))];
}
