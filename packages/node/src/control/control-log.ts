import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import { decodeEvent, eventHash, nextEvent, placeEvent, verifyEvent } from '@symmetra/protocol';
import type { ControlEvent, EventPlace, LogHead, SignedEvent } from '@symmetra/protocol';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import type { Siblings } from '../replicas/siblings.js';

/** Other processes of the node may be faster with an event, or with a row that it changes. */
const MAX_ATTEMPTS = 8;
/** How often what could not be enforced is tried again, and what other processes of the node stored is looked for. */
const LOOK_EVERY_MS = 1000;
/** How often the other nodes are asked which event of a number they have. */
const JUDGE_EVERY_MS = 5000;

/** What follows from an event at this node. */
export interface EventEffects {
  /** Rows that change in the commit which makes the event durable. */
  rows(event: ControlEvent): Promise<readonly Change[]>;
  /**
   * Acts on an event that is durable and in force; everything that must be true before the receipt. It is called again
   * when it fails.
   */
  enforce(event: ControlEvent, signed: SignedEvent): Promise<void>;
  /** The node has halted. */
  halted(): void;
}

/** Parts that the control log is made of. */
export interface ControlLogParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly effects: EventEffects;
  readonly audit: AuditLog;
  readonly siblings: Pick<Siblings, 'isShared'>;
  /** The events of a number that other nodes have, as far as they answer. Never fails. */
  readonly othersAt: (number: number) => Promise<readonly SignedEvent[]>;
}

/** An event that is in force and not enforced yet. */
interface Pending {
  readonly event: ControlEvent;
  readonly signed: SignedEvent;
}

/** Verifies, stores and enforces control events, one at a time (CTL-3). */
export class ControlLog {
  readonly #parts: ControlLogParts;
  #last: Promise<unknown>;
  #open: () => void = () => undefined;
  /** By number. */
  readonly #pending = new Map<number, Pending>();
  #failure: Error | undefined;
  /** By number: when the other nodes were asked which event they have. */
  readonly #judged = new Map<number, number>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

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

  /** Begins to look for what is left to do. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.setTimer(LOOK_EVERY_MS, () => {
      this.#looking = this.#look().finally(() => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /**
   * Applies the next event; one that is applied already changes nothing. It is enforced then, as are those before it.
   * @throws EVENT_CONFLICT when another event has its number; NODE_HALTED, LOG_GAP, LOG_BROKEN, BAD_SIGNATURE, BAD_EVENT, WRONG_NETWORK,
   *   and what the store and enforcing throw
   */
  async apply(signed: SignedEvent): Promise<void> {
    return this.#inTurn(async () => this.#apply(signed, nextEvent));
  }

  /** CTL-3: as {@link ControlLog.apply}, for an event that enough other nodes have in force, whoever signed it. */
  async applyVouched(signed: SignedEvent): Promise<void> {
    return this.#inTurn(async () => this.#apply(signed, placeEvent));
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

  async #apply(signed: SignedEvent, place: typeof nextEvent): Promise<void> {
    this.#checkRunning();
    const { store, rows, effects } = this.#parts;
    const { number } = decodeEvent(signed.event);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#readStored(number);
      if (await this.#isKnown(number, signed)) return this.#enforceAll();
      const outcome = await this.#verify(signed, number, place);
      if (outcome.kind === 'repeated') return this.#enforceAll();
      const { event, head } = outcome;
      if (await store.commit([...rows.append(number, signed), ...(await effects.rows(event))])) {
        this.#advance(event, head, signed);
        return this.#enforceAll();
      }
    }
    throw new SymmetraError('STATE_CONFLICT', 'the control log kept changing; try again');
  }

  /** What other processes of the node have stored is in force in this one too, up to a number. */
  async #readStored(number: number): Promise<void> {
    const { state, rows } = this.#parts;
    if (state.head.number === 0) await rows.replaySnapshot(state);
    const before = state.head.number;
    while (state.head.number < number) {
      const signed = await rows.event(state.head.number + 1);
      if (signed === undefined) break;
      const event = decodeEvent(signed.event);
      this.#advance(event, { number: event.number, hash: eventHash(signed.event) }, signed);
    }
    if (state.head.number > before) await this.#tryPending();
  }

  #advance(event: ControlEvent, head: LogHead, signed: SignedEvent): void {
    const { state, audit } = this.#parts;
    state.advance(event, head);
    audit.controlEvent({ sequence: event.number, event: event.body.kind, ...subjectOf(event) });
    this.#pending.set(event.number, { event, signed });
  }

  /** CTL-3: there is a receipt for what is enforced, and for nothing else. @throws what enforcing an event threw */
  async #enforceAll(): Promise<void> {
    await this.#tryPending();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Acts on what is in force. What fails is kept for the next time, and keeps nothing behind it from being tried. */
  async #tryPending(): Promise<void> {
    const { effects, logger } = this.#parts;
    this.#failure = undefined;
    for (const [number, { event, signed }] of this.#pending) {
      try {
        await effects.enforce(event, signed);
        this.#pending.delete(number);
      } catch (error) {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
        logger.error({ sequence: number, err: error }, 'A control event could not be enforced yet.');
      }
    }
  }

  /** What was left to do, and what other processes of the node have stored. Never fails. */
  async #look(): Promise<void> {
    const { logger, rows, siblings, state } = this.#parts;
    if (!siblings.isShared && this.#pending.size === 0) return;
    try {
      await this.#inTurn(async () => {
        if (siblings.isShared && !state.halted) {
          await this.#readStored(Number.MAX_SAFE_INTEGER);
          const forked = await rows.firstFork();
          if (forked !== undefined) this.#halt(forked);
        }
        await this.#tryPending();
      });
    } catch (error) {
      logger.warn({ err: error }, 'The stored control log could not be looked at.');
    }
  }

  #halt(number: number): void {
    const { state, effects, audit } = this.#parts;
    state.halt();
    audit.logForked(number);
    effects.halted();
  }

  /** Whether the log holds this very event, or does not reach back to its number (CTL-9). */
  async #isKnown(number: number, { event }: SignedEvent): Promise<boolean> {
    const { state, rows } = this.#parts;
    if (number > state.head.number) return false;
    if (number < rows.first) return true;
    const known = await rows.event(number);
    return known !== undefined && equalConstantTime(known.event, event);
  }

  /** @throws EVENT_CONFLICT, and what finding its place throws */
  async #verify(signed: SignedEvent, number: number, place: typeof nextEvent): Promise<EventPlace> {
    const { state, rows, audit } = this.#parts;
    try {
      return place(state.descriptor, state.head, () => undefined, signed);
    } catch (error) {
      if (!(error instanceof SymmetraError) || error.code !== 'LOG_FORK') throw error;
    }
    if (await rows.keepConflict(number, signed)) audit.controlConflict(number);
    void this.#judge(number, signed);
    throw new SymmetraError('EVENT_CONFLICT', 'another control event has this number', { number });
  }

  /** CTL-3: the log is forked when k other nodes have another event of a number than this one. Never fails. */
  async #judge(number: number, signed: SignedEvent): Promise<void> {
    const { clock, logger, othersAt, rows, state } = this.#parts;
    const now = clock.monotonic();
    if (now - (this.#judged.get(number) ?? Number.NEGATIVE_INFINITY) < JUDGE_EVERY_MS) return;
    this.#judged.set(number, now);
    try {
      const own = await rows.event(number);
      if (own === undefined) return;
      const others = await othersAt(number);
      const opposed = others.filter(({ event }) => !equalConstantTime(event, own.event));
      if (opposed.length < state.descriptor.threshold || state.halted || this.#stopped) return;
      this.#halt(number);
      await rows.keepFork(number, signed);
    } catch (error) {
      logger.error(
        { sequence: number, err: error },
        'A conflict of the control log could not be looked into.',
      );
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
