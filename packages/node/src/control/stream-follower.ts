import { SymmetraError } from '@symmetra/crypto';
import type { LogEntry, LogStream } from '@symmetra/bus';
import { SNAPSHOT_EVERY, decodeEvent } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { ControlLog } from './control-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import { fromNotice, toNotice } from './notice.js';
import type { PeerLogs } from './peer-logs.js';
import { loadPlace, savePlace } from './stream-place.js';
import type { StreamPlace } from './stream-place.js';

const NOTICE = 'symmetra.link.v1.ControlNotice';
/** How often a node looks whether the log is what it was, and remembers how far it has read. */
const LOOK_EVERY_MS = 5000;
/** How long the next entry that should be there may take. */
const PATIENCE_MS = 3000;
const MAX_ATTEMPTS = 64;
/** Events that came before those that they follow; more are skipped, and fetched from other nodes. */
const MAX_HELD = 256;
const UNPLACED = 'A control event of the ordered log does not follow those that are known.';
/** What an entry comes to that is not the next event of this network. */
const PASSED_OVER = new Set([
  'BAD_MESSAGE',
  'BAD_ENCODING',
  'BAD_EVENT',
  'BAD_SIGNATURE',
  'WRONG_NETWORK',
  'WRONG_VERSION',
  'LOG_BROKEN',
  'EVENT_CONFLICT',
  'LOG_GAP',
  'NODE_HALTED',
]);
const NOWHERE: StreamPlace = { incarnation: '', sequence: 0, number: 0 };

export interface StreamFollowerParts {
  readonly stream: LogStream;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly log: ControlLog;
  readonly peers: PeerLogs;
}

/**
 * CTL-8: reads the ordered log and applies what it holds; nothing in it is believed, and nothing that is missing in it is
 * given up. Whatever was lost there, this node puts back from its own log.
 */
export class StreamFollower {
  readonly #parts: StreamFollowerParts;
  readonly #held = new Map<number, SignedEvent>();
  readonly #readers = new Set<(read: boolean) => void>();
  #place: StreamPlace = NOWHERE;
  #saved: StreamPlace | undefined;
  #unfollow: (() => Promise<void>) | undefined;
  #appending: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #isReading = false;
  #lost = 0;
  #unbrokenSinceMs: number;
  #stopped = false;

  constructor(parts: StreamFollowerParts) {
    this.#parts = parts;
    this.#unbrokenSinceMs = parts.clock.monotonic();
  }

  /** How often the log was found truncated or made anew. */
  get lost(): number {
    return this.#lost;
  }

  /** Since when, on the monotonic clock, this process knows of no loss. */
  get unbrokenSinceMs(): number {
    return this.#unbrokenSinceMs;
  }

  /** Goes on where the last process of the node stopped. @throws what the store throws */
  async start(): Promise<void> {
    const saved = await loadPlace(this.#parts.store);
    this.#saved = saved;
    this.#place = saved ?? { ...NOWHERE, sequence: await this.#firstPlace() };
    this.#follow();
    await this.look();
    this.#again();
  }

  /** Never fails. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#tellReaders(false);
    await this.#unfollow?.();
    await this.#appending;
    await this.#save().catch((error: unknown) => {
      this.#parts.logger.debug({ err: error }, 'The place in the ordered log could not be kept.');
    });
  }

  /** Reads what is there, and puts back what was lost. Never fails. */
  async look(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        await this.#catchUp();
        await this.#complete(this.#parts.state.head.number);
        await this.#save();
      });
    } catch (error) {
      if (this.#stopped) return;
      this.#parts.logger.warn({ code: publicCode(error) }, 'The ordered log could not be read.');
    }
  }

  /**
   * Appends an event behind everything that was read.
   * @throws LOG_MOVED when something else came before it, or it may stand there already: all that is there was read by
   *   then; LOG_UNAVAILABLE, NODE_HALTED
   */
  async append(signed: SignedEvent): Promise<void> {
    const { number } = decodeEvent(signed.event);
    await this.#inTurn(async () => {
      await this.#complete(number - 1);
      if (Math.max(this.#place.number, this.#parts.state.head.number) >= number) throw moved();
      try {
        await this.#push(signed, number);
      } catch (error) {
        if (!isOneOf(error, 'LOG_MOVED', 'LOG_UNAVAILABLE')) throw error;
        await this.#catchUp();
        throw moved();
      }
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#appending.then(work);
    this.#appending = turn.catch(() => undefined);
    return turn;
  }

  #again(): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.setTimer(LOOK_EVERY_MS, () => {
      void this.look().finally(() => this.#again());
    });
  }

  #follow(): void {
    this.#unfollow = this.#parts.stream.follow(this.#place.sequence, async (entry) => this.#read(entry));
  }

  /** CTL-9: a node that began with a snapshot has no use for what the log held long before. */
  async #firstPlace(): Promise<number> {
    if (this.#parts.rows.first === 1) return 0;
    try {
      const { last } = await this.#parts.stream.state();
      return Math.max(0, last - 2 * SNAPSHOT_EVERY);
    } catch {
      return 0;
    }
  }

  /** Until everything is read that stands in the log now. @throws LOG_UNAVAILABLE */
  async #catchUp(): Promise<void> {
    const { sequence } = this.#place;
    const { incarnation, last } = await this.#parts.stream.state();
    if (this.#saved === undefined && this.#place.incarnation === '') this.#begin(incarnation);
    if (incarnation !== this.#place.incarnation) await this.#startOver(incarnation, 'made anew');
    else if (last < sequence) await this.#startOver(incarnation, 'truncated');
    while (this.#place.sequence < last && !this.#parts.state.halted) {
      if (await this.#nextRead()) continue;
      if (this.#stopped) throw new SymmetraError('LOG_UNAVAILABLE', 'the node stops');
      if ((await this.#parts.stream.next(this.#place.sequence)) === undefined) {
        await this.#startOver(incarnation, 'emptied', last);
      } else {
        throw new SymmetraError('LOG_UNAVAILABLE', 'the ordered log does not hand over what it holds');
      }
    }
  }

  /** CTL-8: an unnamed log ends with its process, and the others of it know what this node knows. */
  #begin(incarnation: string): void {
    const number = incarnation === '' ? this.#parts.state.head.number : 0;
    this.#place = { ...this.#place, incarnation, number: Math.max(this.#place.number, number) };
  }

  /** The log is not what it was: it is read anew, and what it lacks is put back. */
  async #startOver(incarnation: string, reason: string, sequence = 0): Promise<void> {
    this.#lost += 1;
    this.#unbrokenSinceMs = this.#parts.clock.monotonic();
    this.#parts.logger.error(
      { event: 'control-log-lost', reason, sequence: this.#place.sequence },
      'The ordered log is not what it was; this node goes on with its own and puts back what is missing.',
    );
    await this.#unfollow?.();
    this.#held.clear();
    this.#place = { incarnation, sequence, number: 0 };
    if (!this.#stopped) this.#follow();
  }

  /** Puts events of the own log up to a number that the ordered log lacks. @throws LOG_UNAVAILABLE, LOG_MOVED */
  async #complete(upTo: number): Promise<void> {
    const { rows, state } = this.#parts;
    let attempts = 0;
    while (this.#place.number < upTo && !state.halted && !this.#stopped) {
      const number = Math.max(this.#place.number + 1, rows.first);
      const signed = await rows.event(number);
      if (signed === undefined) return;
      try {
        await this.#push(signed, number);
        attempts = 0;
      } catch (error) {
        attempts += 1;
        if (!isOneOf(error, 'LOG_MOVED') || attempts === MAX_ATTEMPTS) throw error;
        await this.#catchUp();
      }
    }
  }

  async #push(signed: SignedEvent, number: number): Promise<void> {
    const sequence = await this.#parts.stream.append(encode(NOTICE, toNotice(signed)), this.#place.sequence);
    this.#advance(sequence, number);
  }

  #advance(sequence: number, number: number): void {
    const place = this.#place;
    this.#place = {
      incarnation: place.incarnation,
      sequence: Math.max(place.sequence, sequence),
      number: Math.max(place.number, number),
    };
  }

  /** What is no event with a place in the log is passed over; what this node could not store comes again. */
  async #read({ sequence, data }: LogEntry): Promise<void> {
    const { state, peers, logger } = this.#parts;
    if (state.halted) return;
    this.#isReading = true;
    let number = 0;
    try {
      number = await this.#take(fromNotice(decode(NOTICE, data)), sequence);
    } catch (error) {
      if (!(error instanceof SymmetraError) || !PASSED_OVER.has(error.code)) throw error;
      peers.noteForged('unknown', error);
      logger.warn({ sequence, code: error.code }, 'An entry of the ordered log was passed over.');
    } finally {
      this.#isReading = false;
    }
    this.#advance(sequence, number);
    this.#tellReaders(true);
  }

  /** @returns the number of the event, or 0 while it has no place. @throws what {@link ControlLog.apply} throws */
  async #take(signed: SignedEvent, sequence: number): Promise<number> {
    const { log, logger, peers, state } = this.#parts;
    const { number } = decodeEvent(signed.event);
    if (sequence > this.#place.sequence && number <= this.#place.number) {
      logger.warn({ event: 'control-replayed', sequence }, 'The ordered log repeats a control event.');
    }
    try {
      await log.apply(signed);
    } catch (error) {
      if (!isOneOf(error, 'LOG_GAP', 'LOG_BROKEN')) throw error;
      if (isOneOf(error, 'LOG_GAP') && this.#held.size < MAX_HELD) this.#held.set(number, signed);
      await peers.catchUpAll();
      if (state.head.number < number) logger.warn({ event: 'control-unplaced', sequence }, UNPLACED);
      else await log.apply(signed);
    }
    return this.#takeHeld(state.head.number < number ? 0 : number);
  }

  /** Applies what came too early and follows now. @returns the highest number that is read and applied */
  async #takeHeld(read: number): Promise<number> {
    const { log, state } = this.#parts;
    let newest = read;
    for (;;) {
      const early = [...this.#held.keys()].find((number) => number <= state.head.number + 1);
      const signed = early === undefined ? undefined : this.#held.get(early);
      if (early === undefined || signed === undefined) return newest;
      this.#held.delete(early);
      await log.apply(signed);
      newest = Math.max(newest, early);
    }
  }

  async #save(): Promise<void> {
    const place = this.#place;
    if (place === this.#saved || place.incarnation === '') return;
    await savePlace(this.#parts.store, place);
    this.#saved = place;
  }

  /** Whether another entry was read; false when none came for a while. */
  async #nextRead(): Promise<boolean> {
    if (this.#stopped) return false;
    return new Promise((resolve) => {
      const settle = (read: boolean): void => {
        this.#readers.delete(settle);
        timer.cancel();
        resolve(read);
      };
      const wait = (): Timer =>
        this.#parts.clock.setTimer(PATIENCE_MS, () => {
          if (this.#isReading) timer = wait();
          else settle(false);
        });
      let timer = wait();
      this.#readers.add(settle);
    });
  }

  #tellReaders(read: boolean): void {
    for (const settle of this.#readers) settle(read);
  }
}

function isOneOf(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof SymmetraError && codes.includes(error.code);
}

function moved(): SymmetraError {
  return new SymmetraError('LOG_MOVED', 'the ordered log has moved on');
}
