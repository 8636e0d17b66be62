import { toHex } from '@symmetra/crypto';
import type { SymmetraError } from '@symmetra/crypto';
import type { Limits, PairConfirmed, PairRequested } from '@symmetra/protocol';
import { RunChanges } from './run-changes.js';

/** Row `run/<key id>`. */
export interface RunRecord {
  readonly state: PairRequested | PairConfirmed;
  readonly keyId: Uint8Array;
  readonly peer: Uint8Array;
  /** Hash of the header. */
  readonly headerHash: Uint8Array;
  readonly nodes: readonly string[];
  readonly threshold: number;
  /** When the device stored the key, milliseconds, node time; 0 before. */
  readonly confirmedMs: number;
  readonly expiresMs: number;
  /** Where the peer was reachable, host:port. */
  readonly addresses: readonly string[];
  /** Whether to go directly where that is possible. */
  readonly mayGoDirect: boolean;
  /** Whether the response came directly. */
  readonly direct: boolean;
  /** The key whose place the new one takes. */
  readonly renews?: Uint8Array;
}

/** A negotiation that this device began, while it is under way. */
export class InitiatorRun {
  readonly keyId: string;
  record: RunRecord;
  /** What the nodes that approved granted. */
  readonly approved = new Map<string, Limits>();
  /** The nodes that say that the peer is attached. */
  readonly online = new Set<string>();
  readonly refused = new Map<string, SymmetraError>();
  /** Calls that were turned away outside a session, by whomever. */
  readonly turnedAway = new Map<string, SymmetraError>();
  /** Why nodes were not reached, the last time. */
  readonly unreached = new Map<string, SymmetraError>();
  /** Fulfilled when both ends hold the key. */
  readonly outcome: Promise<void>;
  readonly changes = new RunChanges();
  isOver = false;
  /** Somebody waits for the outcome now. */
  isAwaited = false;
  /** PAIR-8: it ended because other negotiations with the peer were faster; beginning anew helps. */
  wasOvertaken = false;
  readonly #succeed: () => void;
  readonly #fail: (error: SymmetraError) => void;

  constructor(record: RunRecord) {
    this.record = record;
    this.keyId = toHex(record.keyId);
    let succeed: () => void = () => undefined;
    let fail: (error: SymmetraError) => void = () => undefined;
    this.outcome = new Promise((resolve, reject) => {
      succeed = resolve;
      fail = reject;
    });
    // Nobody may be waiting when the negotiation fails.
    this.outcome.catch(() => undefined);
    this.#succeed = succeed;
    this.#fail = fail;
  }

  /** Tells those who wait that both ends hold the key. */
  finish(): void {
    this.#succeed();
  }

  /** Tells those who wait that there is no key, for what is known now; the negotiation may still go on. */
  giveUp(error: SymmetraError): void {
    this.#fail(error);
  }

  /** Whether too few nodes are left that may still approve. */
  get isHopeless(): boolean {
    const { nodes, threshold } = this.record;
    return this.record.state.kind === 'requested' && nodes.length - this.refused.size < threshold;
  }

  /**
   * Whether too few nodes are left that have not turned the call away, though it may not have been they who said so:
   * reason enough to tell those who wait, none to end anything.
   */
  get looksHopeless(): boolean {
    const { nodes, threshold } = this.record;
    const away = new Set([...this.refused.keys(), ...this.turnedAway.keys()]);
    return this.record.state.kind === 'requested' && nodes.length - away.size < threshold;
  }

  /** Whether too few nodes have approved for the peer to answer. */
  get isStuck(): boolean {
    return this.record.state.kind === 'requested' && this.approved.size < this.record.threshold;
  }
}
