import { SymmetraError } from '@symmetra/crypto';

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How deeply a value may nest; no report comes near it. */
const MAX_DEPTH = 64;

/**
 * The one text of a JSON value (RFC 8785): members sorted by their UTF-16 code units, no white space, numbers as
 * ECMAScript writes them.
 * @throws REPORT_MALFORMED for what JSON can not carry, such as NaN, and for what nests deeper than 64 levels.
 */
export function canonicalJson(value: Json): string {
  return textOf(value, 0);
}

function textOf(value: Json, depth: number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw notJson();
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return JSON.stringify(value);
  if (typeof value !== 'object') throw notJson();
  if (depth === MAX_DEPTH) throw new SymmetraError('REPORT_MALFORMED', 'the report nests too deeply');
  if (Array.isArray(value)) return `[${value.map((member) => textOf(member as Json, depth + 1)).join(',')}]`;
  const members = Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${textOf(member, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function notJson(): SymmetraError {
  return new SymmetraError('REPORT_MALFORMED', 'the report holds a value that JSON can not carry');
}

/**
 * Where two values differ first, as a path such as `sources.0.assessment.minEntropy`; undefined when they are equal.
 * Numbers are equal within one part in 10^12: the last digits of a logarithm are the machine's own.
 */
export function firstDifference(one: Json | undefined, other: Json | undefined): string | undefined {
  return differenceAt([], one, other)?.join('.');
}

const TOLERANCE = 1e-12;

function differenceAt(
  path: readonly string[],
  one: Json | undefined,
  other: Json | undefined,
): readonly string[] | undefined {
  if (typeof one === 'number' && typeof other === 'number') {
    const close = Math.abs(one - other) <= TOLERANCE * Math.max(Math.abs(one), Math.abs(other));
    return close ? undefined : path;
  }
  if (!isContainer(one) || !isContainer(other)) return one === other ? undefined : path;
  if (Array.isArray(one) !== Array.isArray(other)) return path;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const key of keys) {
    const found = differenceAt([...path, key], memberOf(one, key), memberOf(other, key));
    if (found !== undefined) return found;
  }
  return undefined;
}

type Container = readonly Json[] | { readonly [key: string]: Json };

function isContainer(value: Json | undefined): value is Container {
  return typeof value === 'object' && value !== null;
}

function memberOf(value: Container, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}
