import { Writer, labelBytes, sha256 } from '@symmetra/crypto';
import type { ControlEvent } from './event.js';
import type { LogHead } from './log.js';

/** CTL-9: how often nodes agree on what still matters of the log, in events. */
export const SNAPSHOT_EVERY = 1024;

/** CTL-9: what still matters of the events up to a head. */
export interface Snapshot {
  readonly head: LogHead;
  /** 32 bytes; nodes whose hashes are the same have the same snapshot. */
  readonly hash: Uint8Array;
  /** The numbers of its events, ascending. */
  readonly numbers: readonly number[];
}

interface Token {
  readonly hash: Uint8Array;
  readonly expiresMs: number;
}

/** CTL-9: the hash of a snapshot whose events have these hashes, in their order. */
export function snapshotHash(head: LogHead, hashes: readonly Uint8Array[]): Uint8Array {
  const events = new Writer(hashes.length * head.hash.length);
  for (const hash of hashes) events.raw(hash);
  const writer = new Writer().bytes(labelBytes('controlSnapshotHash')).u64(head.number).raw(head.hash);
  return sha256(writer.raw(sha256(events.finish())).finish());
}

/** CTL-9: knows at every number which events still matter, and at every multiple of an interval the snapshot. */
export class SnapshotLedger {
  readonly #every: number;
  /** Revocations, by number: their hashes. */
  readonly #lasting = new Map<number, Uint8Array>();
  readonly #tokens = new Map<number, Token>();
  #policy: LogHead | undefined;
  /** The head of the newest snapshot, and the policy then. */
  #bound: { readonly head: LogHead; readonly policy: LogHead | undefined } | undefined;
  #newest: Snapshot | undefined;

  constructor(every = SNAPSHOT_EVERY) {
    this.#every = every;
  }

  /** Takes note of the next event. */
  note(event: ControlEvent, hash: Uint8Array): void {
    const { number } = event;
    this.#add(event, hash);
    if (number % this.#every !== 0) return;
    for (const [created, { expiresMs }] of this.#tokens) {
      if (expiresMs <= event.timeMs) this.#tokens.delete(created);
    }
    this.#setBound({ number, hash });
  }

  /** Begins with the events of a snapshot. */
  begin(events: Iterable<{ readonly event: ControlEvent; readonly hash: Uint8Array }>, head: LogHead): void {
    for (const { event, hash } of events) this.#add(event, hash);
    this.#setBound(head);
  }

  /** The newest snapshot; undefined while the log is shorter than the interval. */
  get newest(): Snapshot | undefined {
    this.#newest ??= this.#make();
    return this.#newest;
  }

  #add({ number, body }: ControlEvent, hash: Uint8Array): void {
    switch (body.kind) {
      case 'policy':
        this.#policy = { number, hash };
        break;
      case 'token-create':
        this.#tokens.set(number, { hash, expiresMs: body.expiresMs });
        break;
      case 'device-revoke':
      case 'key-revoke':
        this.#lasting.set(number, hash);
        break;
    }
  }

  #setBound(head: LogHead): void {
    this.#bound = { head, policy: this.#policy };
    this.#newest = undefined;
  }

  /** What came behind the bound is left out; nothing before it has gone since. */
  #make(): Snapshot | undefined {
    if (this.#bound === undefined) return undefined;
    const { head, policy } = this.#bound;
    const tokens = [...this.#tokens].map(([number, { hash }]) => ({ number, hash }));
    const lasting = [...this.#lasting].map(([number, hash]) => ({ number, hash }));
    const events = [...tokens, ...lasting, ...(policy === undefined ? [] : [policy])]
      .filter(({ number }) => number <= head.number)
      .toSorted((a, b) => a.number - b.number);
    return {
      head,
      hash: snapshotHash(
        head,
        events.map(({ hash }) => hash),
      ),
      numbers: events.map(({ number }) => number),
    };
  }
}
