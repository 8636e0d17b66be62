import type { ControlBody } from '@symmetra/protocol';
import type { MadeLink } from '@symmetra/testing';

/** What was seen at one device, or asked by an administrator. */
export type Seen =
  /** A key that is there, with a hash of its bytes; or the reason why it is not. */
  | {
      readonly kind: 'key';
      readonly keyId: string;
      readonly peer: string;
      readonly state: string;
      readonly digest?: string;
    }
  | { readonly kind: 'no-key'; readonly keyId: string; readonly code: string }
  /** A negotiation that the device began, and whose peer does not hold the key yet, as far as it knows. */
  | {
      readonly kind: 'unfinished';
      readonly keyId: string;
      readonly peer: string;
      readonly state: string;
      readonly directKem: boolean;
    }
  /** What a task came to: `ok`, or the code of its failure. */
  | {
      readonly kind: 'did';
      readonly task: string;
      readonly began: number;
      readonly outcome: string;
      readonly peer?: string;
      readonly keyId?: string;
    }
  /** Where a device stands with each node; `stage` counts from 0. */
  | { readonly kind: 'stands'; readonly stage: number; readonly epochs: Readonly<Record<string, number>> }
  /** The key of an epoch of a group, as a hash. */
  | { readonly kind: 'epoch'; readonly groupId: string; readonly epochId: string; readonly digest: string }
  /** The device took up a newer descriptor. */
  | { readonly kind: 'follows'; readonly version: number }
  | { readonly kind: 'warned'; readonly code: string }
  | { readonly kind: 'reported'; readonly node: string; readonly reason: string }
  /** When everything was well again: what must succeed then. */
  | { readonly kind: 'exam'; readonly task: string; readonly code: string };

/** One line of a history. */
export interface Entry {
  /** Milliseconds of the world. */
  readonly at: number;
  /** Id of the device. */
  readonly device: string;
  readonly seen: Seen;
}

/** A control event that a node accepted from an administrator. */
export interface Accepted {
  readonly number: number;
  readonly hash: string;
  readonly body: ControlBody;
}

/** A device that every node knew to be revoked. */
export interface Revoked {
  readonly device: string;
  /** When the last receipt had come. */
  readonly at: number;
}

/** What the root signed: the hashes of the keys of the nodes, hexadecimal, by id. */
export interface Named {
  readonly version: number;
  readonly nodes: Readonly<Record<string, string>>;
}

/** A process of a node at the end, and the descriptor with which it runs; 0 when it does not. */
interface ProcessSeen {
  readonly name: string;
  readonly version: number;
}

/** Everything that one world went through. */
export interface History {
  readonly entries: readonly Entry[];
  readonly accepted: readonly Accepted[];
  readonly revoked: readonly Revoked[];
  /** At the end: the hashes of the control events in their order, by process of the nodes that there are then. */
  readonly logs: Readonly<Record<string, readonly string[]>>;
  /** Nonces that were used again, in words. */
  readonly repeatedSeals: readonly string[];
  /** Lines of logs that hold a secret. */
  readonly secretLines: readonly string[];
  /** What failed at nodes for no reason that has a name. */
  readonly failures: readonly string[];
  /** Nodes that other nodes accuse. */
  readonly accused: readonly string[];
  /** Nodes that lied. */
  readonly liars: readonly string[];
  /** All descriptors, the newest last. */
  readonly descriptors: readonly Named[];
  /** Links that processes of nodes took for links with nodes of their descriptor. */
  readonly links: readonly MadeLink[];
  /** At the end: all processes of the nodes of the newest descriptor. */
  readonly processes: readonly ProcessSeen[];
}

/** Writes a history. */
export class Historian {
  readonly #now: () => number;
  readonly entries: Entry[] = [];
  readonly accepted: Accepted[] = [];
  readonly revoked: Revoked[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  note(device: string, seen: Seen): void {
    this.entries.push({ at: this.#now(), device, seen });
  }

  /** An administrator knows that this event is in the log. */
  noteAccepted(event: Accepted): void {
    this.accepted.push(event);
  }

  /** All nodes know that the device is revoked. */
  noteRevoked(device: string): void {
    this.revoked.push({ device, at: this.#now() });
  }
}
