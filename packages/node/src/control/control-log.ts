import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import { decodeEvent, eventHash, nextEvent, verifyEvent } from '@symmetra/protocol';
import type { ControlEvent, LogHead, SignedEvent } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';

/** Other processes of the node may be faster with an event, or with a row that it changes. */
const MAX_ATTEMPTS = 8;

/** What follows from an event at this node. */
export interface EventEffects {
  /** Rows that change in the commit which makes the event durable. */
  rows(event: ControlEvent): Promise<readonly Change[]>;
  /** Acts on an event that is durable and in force; everything that must be true before the receipt. */
  enforce(event: ControlEvent, signed: SignedEvent): Promise<void>;
  /** The node has halted. */
  halted(): void;
}

/** Parts that the control log is made of. */
export interface ControlLogParts {
  readonly store: Store;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly effects: EventEffects;
  readonly audit: AuditLog;
}

/** Verifies, stores and enforces control events, one at a time (CTL-3). */
export class ControlLog {
  readonly #parts: ControlLogParts;
  #last: Promise<unknown>;
  #open: () => void = () => undefined;

  constructor(parts: ControlLogParts) {
    this.#parts = parts;
    this.#last = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
  }

  /** Runs what must come before every event; until then all events wait. */
  async begin(first: () => Promise<void>): Promise<void> {
    await first().finally(() => this.#open());
  }

  /**
   * Applies the next event; one that is applied already changes nothing.
   * @throws LOG_FORK, and then the node has halted; NODE_HALTED, LOG_GAP, LOG_BROKEN, BAD_SIGNATURE, BAD_EVENT, WRONG_NETWORK,
   *   and what the store throws
   */
  async apply(signed: SignedEvent): Promise<void> {
    return this.#inTurn(async () => this.#apply(signed));
  }

  /**
   * CTL-8: whether an administrator's event has a place behind the own head; nothing changes.
   * @returns false when it is applied already
   * @throws EVENT_CONFLICT when another event has its number; else as {@link ControlLog.apply}
   */
  async check(signed: SignedEvent): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#checkRunning();
      const { state } = this.#parts;
      const { number } = decodeEvent(signed.event);
      await this.#readStored(number);
      if (await this.#isKnown(number, signed)) return false;
      verifyEvent(state.descriptor, signed);
      if (number <= state.head.number) {
        throw new SymmetraError('EVENT_CONFLICT', 'the control log has moved on', { number });
      }
      nextEvent(state.descriptor, state.head, () => undefined, signed);
      return true;
    });
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** @throws NODE_HALTED */
  #checkRunning(): void {
    if (!this.#parts.state.halted) return;
    throw new SymmetraError('NODE_HALTED', 'the control log of the node is forked');
  }

  async #apply(signed: SignedEvent): Promise<void> {
    this.#checkRunning();
    const { store, rows, effects } = this.#parts;
    const { number } = decodeEvent(signed.event);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#readStored(number);
      if (await this.#isKnown(number, signed)) return;
      const outcome = await this.#verify(signed, number);
      if (outcome.kind === 'repeated') return;
      const { event, head } = outcome;
      if (await store.commit([rows.append(number, signed), ...(await effects.rows(event))])) {
        return this.#enforce(event, head, signed);
      }
    }
    throw new SymmetraError('STATE_CONFLICT', 'the control log kept changing; try again');
  }

  /** What other processes of the node have stored is in force in this one too, up to a number. */
  async #readStored(number: number): Promise<void> {
    const { state, rows } = this.#parts;
    while (state.head.number < number) {
      const signed = await rows.event(state.head.number + 1);
      if (signed === undefined) return;
      const event = decodeEvent(signed.event);
      await this.#enforce(event, { number: event.number, hash: eventHash(signed.event) }, signed);
    }
  }

  async #enforce(event: ControlEvent, head: LogHead, signed: SignedEvent): Promise<void> {
    const { state, effects, audit } = this.#parts;
    state.advance(event, head);
    audit.controlEvent({ sequence: event.number, event: event.body.kind, ...subjectOf(event) });
    await effects.enforce(event, signed);
  }

  /** Whether the log holds this very event, or does not reach back to its number (CTL-9). */
  async #isKnown(number: number, { event }: SignedEvent): Promise<boolean> {
    const { state, rows } = this.#parts;
    if (number > state.head.number) return false;
    if (number < rows.first) return true;
    const known = await rows.event(number);
    return known !== undefined && equalConstantTime(known.event, event);
  }

  async #verify(signed: SignedEvent, number: number): Promise<ReturnType<typeof nextEvent>> {
    const { state, rows, effects, audit } = this.#parts;
    try {
      return nextEvent(state.descriptor, state.head, () => undefined, signed);
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'LOG_FORK') {
        state.halt();
        audit.logForked(number);
        effects.halted();
        await rows.keepFork(number, signed);
      }
      throw error;
    }
  }
}

function subjectOf({ body }: ControlEvent): {
  device?: string;
  keyId?: string;
  tokenId?: string;
  account?: string;
} {
  switch (body.kind) {
    case 'policy':
      return {};
    case 'token-create':
      return { tokenId: toHex(body.tokenId), account: body.account };
    case 'device-revoke':
      return { device: toBase32(body.deviceId) };
    case 'key-revoke':
      return { keyId: toHex(body.keyId) };
  }
}
