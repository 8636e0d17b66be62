import { SymmetraError, toBase32, toHex } from '@symmetra/crypto';
import { decodeEvent, eventHash, nextEvent } from '@symmetra/protocol';
import type { ControlEvent, SignedEvent } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';

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
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ControlLogParts) {
    this.#parts = parts;
  }

  /**
   * Applies the next event; one that is applied already changes nothing.
   * @throws LOG_FORK, and then the node has halted; NODE_HALTED, LOG_GAP, LOG_BROKEN, BAD_SIGNATURE, BAD_EVENT, WRONG_NETWORK,
   *   and what the store throws
   */
  async apply(signed: SignedEvent): Promise<void> {
    const turn = this.#last.then(() => this.#apply(signed));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #apply(signed: SignedEvent): Promise<void> {
    const { store, state, rows, effects, audit } = this.#parts;
    if (state.halted) throw new SymmetraError('NODE_HALTED', 'the control log of the node is forked');
    const { number } = decodeEvent(signed.event);
    const known = number <= state.head.number ? await rows.event(number) : undefined;
    const outcome = await this.#verify(signed, number, known);
    if (outcome.kind === 'repeated') return;
    const { event, head } = outcome;
    const made = await store.commit([rows.append(number, signed), ...(await effects.rows(event))]);
    if (!made) throw new SymmetraError('STATE_CONFLICT', 'the control log was changed by another process');
    state.advance(event, head);
    audit.controlEvent({ sequence: number, event: event.body.kind, ...subjectOf(event) });
    await effects.enforce(event, signed);
  }

  async #verify(
    signed: SignedEvent,
    number: number,
    known: SignedEvent | undefined,
  ): Promise<ReturnType<typeof nextEvent>> {
    const { state, rows, effects, audit } = this.#parts;
    try {
      return nextEvent(state.descriptor, state.head, () => known && eventHash(known.event), signed);
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
