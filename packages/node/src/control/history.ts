import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { decodeEvent, eventHash, verifyEvent } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import { publicCode } from '@symmetra/rpc';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import type { PeerLogs } from './peer-logs.js';

const PAGE_EVENTS = 32;
/** How long a node waits when nobody has what it lacks. */
const PAUSE_MS = 5000;

export interface HistoryParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly peers: Pick<PeerLogs, 'peers' | 'fetch'>;
}

/** CTL-9: fetches what was decided before the snapshot that the node began with, backwards along the chain of hashes. */
export class History {
  readonly #parts: HistoryParts;
  #running: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /** Begins, in the background. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger, peers, rows } = this.#parts;
    if (rows.first === 1) return;
    // CTL-9: what former administrators signed is taken as well, when nobody gives it better.
    for (const needsSignatures of [true, false]) {
      for (const peer of peers.peers) {
        try {
          while (rows.first > 1 && !this.#stopped) await this.#fetch(peer, needsSignatures);
        } catch (error) {
          const fields = { peer, code: publicCode(error) };
          logger.debug(fields, 'The earlier control log could not be had from a node.');
        }
      }
    }
    if (this.#stopped) return;
    if (rows.first === 1) logger.info({}, 'The control log is complete back to its first event.');
    else this.#timer = clock.setTimer(PAUSE_MS, () => this.start());
  }

  /**
   * @throws LOG_BROKEN when the events do not lead to the oldest one; BAD_SIGNATURE when today's administrators did not sign
   *   one of them; and what the node answers
   */
  async #fetch(peer: string, needsSignatures: boolean): Promise<void> {
    const { peers, rows, state } = this.#parts;
    const { first } = rows;
    for (let count = Math.min(PAGE_EVENTS, first - 1); count >= 1; count = Math.floor(count / 2)) {
      const events = await peers.fetch(peer, first - count, count);
      // A page of large events ends early.
      if (events.length < count) continue;
      this.#check(events, await this.#hashBefore(first));
      if (needsSignatures) for (const signed of events) verifyEvent(state.descriptor, signed);
      await rows.prepend(events);
      return;
    }
    throw broken();
  }

  /** The hash that the event before the oldest one has. */
  async #hashBefore(first: number): Promise<Uint8Array> {
    const { base } = this.#parts.rows;
    if (base?.number === first - 1) return base.hash;
    const oldest = await this.#parts.rows.event(first);
    if (oldest === undefined) throw broken();
    return decodeEvent(oldest.event).previousHash;
  }

  /** @throws LOG_BROKEN */
  #check(events: readonly SignedEvent[], last: Uint8Array): void {
    let expected = last;
    for (const { event } of events.toReversed()) {
      if (!equalConstantTime(eventHash(event), expected)) throw broken();
      expected = decodeEvent(event).previousHash;
    }
  }
}

function broken(): SymmetraError {
  return new SymmetraError('LOG_BROKEN', 'the earlier events do not lead to those that are known');
}
