import { Reader, SymmetraError, Writer } from '@symmetra/crypto';

const INSTANCE_CHARS = 8;
const MAX_PROOF_BYTES = 64;
const VERDICTS = ['same store', 'asker ends', 'asked ends'] as const;

/** What a process tells another one that runs as the same node. */
export interface Contact {
  /** Whether it serves, or has only arrived. */
  readonly serves: boolean;
  /** When it started, by its own clock. */
  readonly startedMs: number;
  readonly instance: string;
  /** What it reads in its store where the other one has written a proof into its own; empty when nothing. */
  readonly read: Uint8Array;
}

/** What becomes of the two. */
export type Verdict = (typeof VERDICTS)[number];

export function encodeContact({ serves, startedMs, instance, read }: Contact): Uint8Array {
  const writer = new Writer().u8(serves ? 1 : 0).u64(startedMs);
  return writer.text(instance).bytes(read).finish();
}

/** @throws BAD_ENCODING */
export function decodeContact(bytes: Uint8Array): Contact {
  const reader = new Reader(bytes, 'contact');
  const contact = {
    serves: reader.u8() === 1,
    startedMs: Number(reader.u64()),
    instance: reader.text(INSTANCE_CHARS),
    read: reader.bytes(MAX_PROOF_BYTES),
  };
  reader.end();
  return contact;
}

export function encodeVerdict(verdict: Verdict): Uint8Array {
  return Uint8Array.of(VERDICTS.indexOf(verdict));
}

/** @throws BAD_ENCODING */
export function decodeVerdict(bytes: Uint8Array): Verdict {
  const reader = new Reader(bytes, 'verdict on a contact');
  const verdict = VERDICTS[reader.u8()];
  reader.end();
  if (verdict === undefined) throw new SymmetraError('BAD_ENCODING', 'there is no such verdict');
  return verdict;
}

/** Which of two may go on: who serves before who arrives, then who started first, then the lower name. */
export function goesOn(one: Contact, other: Contact): boolean {
  if (one.serves !== other.serves) return one.serves;
  if (one.startedMs !== other.startedMs) return one.startedMs < other.startedMs;
  return one.instance < other.instance;
}
