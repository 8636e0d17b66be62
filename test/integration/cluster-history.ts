import { appendFileSync, readFileSync } from 'node:fs';
import type { Happening } from './fleet-history.js';

/** An administrator's event, as it was accepted. */
export interface AcceptedEvent {
  readonly number: number;
  /** Hexadecimal digits of the whole event. */
  readonly event: string;
  /** The nodes that had it in force then. */
  readonly applied: readonly string[];
}

/** What a node knows of one device. */
export interface Standing {
  readonly stage: string;
  readonly epoch: number;
  readonly revoked: boolean;
}

/** One thing that was seen of a cluster, beside what was seen of devices. */
export type ClusterHappening =
  | ({ readonly kind: 'event' } & AcceptedEvent)
  /** A node did not take an event, or not yet. */
  | { readonly kind: 'not-taken'; readonly number: number; readonly node: string; readonly code: string }
  /** Something was done to a part. */
  | { readonly kind: 'fault'; readonly part: string; readonly fault: string }
  /** What a node's log holds at the end, from the first event on, each in hexadecimal digits. */
  | { readonly kind: 'log'; readonly node: string; readonly events: readonly string[] }
  /** How a node sees the devices, by name. */
  | {
      readonly kind: 'standings';
      readonly node: string;
      readonly devices: Readonly<Record<string, Standing>>;
    };

/** A happening, and when it was seen: milliseconds on a clock that never goes back. */
export interface ClusterEntry<Seen = ClusterHappening> {
  readonly at: number;
  readonly device: string;
  readonly seen: Seen;
}

/** A file with a line for each thing that was seen. */
export class LineHistory<Seen> {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    appendFileSync(path, '');
  }

  get now(): number {
    return Number(process.hrtime.bigint()) / 1_000_000;
  }

  note(device: string, seen: Seen): void {
    const entry: ClusterEntry<Seen> = { at: this.now, device, seen };
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }

  read(): readonly ClusterEntry<Seen>[] {
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ClusterEntry<Seen>);
  }
}

/** What was seen of devices and pairs of them. */
export type DeviceHistory = LineHistory<Happening>;
/** What was seen of everything else. */
export type ControlHistory = LineHistory<ClusterHappening>;
