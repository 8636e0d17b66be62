import type { SourceDescription, SourceKind } from '../source/noise-source.js';
import type { Report } from './report.js';

const KINDS: Readonly<Record<SourceKind, true>> = {
  detector: true,
  file: true,
  grpc: true,
  http: true,
  os: true,
  pkcs11: true,
  serial: true,
  stream: true,
  tpm: true,
};
const NAME = /^[a-z0-9-]{1,32}$/;
const HASH = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const VERSION = /^[\x21-\x7e]{1,64}$/;

/**
 * Whether the parts of a report that nobody can compute again have the form that they are said to have. What they say
 * is the word of the signer.
 */
export function isWellFormed({ number, previous, time, software, sources, outputs }: Report): boolean {
  const { symmetra, node } = membersOf(software);
  return (
    number >= 1 &&
    matches(HASH, previous) &&
    matches(TIME, time) &&
    matches(VERSION, symmetra) &&
    matches(VERSION, node) &&
    sources.every(({ description }) => isDescription(membersOf(description))) &&
    outputs.every(({ tier }) => tier === 'drbg' || tier === 'full')
  );
}

/** Whether these are labels and figures that a source can have. */
function isDescription(members: Readonly<Record<string, unknown>>): boolean {
  const { name, kind, physical, quantum, simulated, raw, bitsPerSample, minEntropyPerSample } =
    members as Readonly<Record<keyof SourceDescription, unknown>>;
  return (
    matches(NAME, name) &&
    typeof kind === 'string' &&
    Object.hasOwn(KINDS, kind) &&
    [physical, quantum, simulated, raw].every((label) => typeof label === 'boolean') &&
    // The only detector there is in this form of a report is a program, and the operating system is no physical process.
    (kind !== 'detector' || simulated === true) &&
    (kind !== 'os' || (physical === false && quantum === false)) &&
    (quantum === false || physical === true || simulated === true) &&
    Number.isInteger(bitsPerSample) &&
    (bitsPerSample as number) >= 1 &&
    (bitsPerSample as number) <= 8 &&
    typeof minEntropyPerSample === 'number' &&
    minEntropyPerSample >= 0 &&
    minEntropyPerSample <= (bitsPerSample as number)
  );
}

function matches(form: RegExp, value: unknown): boolean {
  return typeof value === 'string' && form.test(value);
}

/** The members of an object, none of anything else. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
