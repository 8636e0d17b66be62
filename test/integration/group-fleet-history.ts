import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** An epoch of the group as a device holds it; the digest is that of its key. */
export interface Held {
  readonly epoch: number;
  readonly epochId: string;
  readonly fingerprint: string;
  readonly digest: string;
}

/** One thing that was seen of a device in the group. Senders stand by their device ids, everybody else by names. */
export type GroupHappening =
  /** Its state directory is open. */
  | { readonly kind: 'opened-state'; readonly id: string }
  /** It holds a key; as the newest one, or as one under which messages are still taken. */
  | ({ readonly kind: 'holds'; readonly newest: boolean } & Held)
  /** It is about to seal a message for the group. Nothing is known of one that was killed before it was sealed. */
  | { readonly kind: 'sealing'; readonly text: string }
  | { readonly kind: 'sealed'; readonly text: string; readonly epochId: string }
  | {
      readonly kind: 'opened';
      readonly text: string;
      readonly sender: string;
      readonly epoch: number;
      readonly epochId: string;
    }
  /** It did something: `ok` or a stable code. */
  | { readonly kind: 'did'; readonly task: string; readonly outcome: string; readonly detail?: string }
  | { readonly kind: 'warned'; readonly code: string; readonly detail?: string }
  /** The group is over for it. */
  | { readonly kind: 'ended'; readonly reason: string }
  /** Those who run the fleet took it in: it may hold the epochs above one. */
  | { readonly kind: 'in'; readonly above: number }
  /** It left by its own word, and erased the group. */
  | { readonly kind: 'left' }
  /** The administrators' revocation of it is in force at every node; policy says when its groups are without it. */
  | { readonly kind: 'revoked'; readonly boundMs: number }
  /** The members agreed on an epoch without it: it may hold no such number, nor a higher one. */
  | { readonly kind: 'out'; readonly from: number }
  /** What it holds when everything is over, and how many devices are in that epoch. */
  | ({ readonly kind: 'final'; readonly members: number } & Held);

/** A happening, and when it was seen: milliseconds on a clock that all processes of the machine share. */
export interface GroupEntry {
  readonly at: number;
  readonly device: string;
  readonly seen: GroupHappening;
}

/** What one process sees of its devices, in a file that is as it was when the process is killed. */
export class GroupHistory {
  readonly #path: string;

  /** @param name of the process, as often as it is started */
  constructor(folder: string, name: string) {
    this.#path = join(folder, `${name}.jsonl`);
  }

  note(device: string, seen: GroupHappening): void {
    const at = Number(process.hrtime.bigint()) / 1_000_000;
    const entry: GroupEntry = { at, device, seen };
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}

/** What all processes of a fleet saw, in one order. */
export function readHistories(folder: string): readonly GroupEntry[] {
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  const entries = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as GroupEntry);
  return entries.toSorted((a, b) => a.at - b.at);
}

/** Everything about one device, a line each. */
export function printHistory(entries: readonly GroupEntry[], device: string): string {
  const own = entries.filter((entry) => entry.device === device);
  return own.map(({ at, seen }) => `  ${at.toFixed(0)} ${JSON.stringify(seen)}`).join('\n');
}
