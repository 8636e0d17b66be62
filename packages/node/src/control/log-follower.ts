import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { decodeEvent, eventHash } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { ControlLog } from './control-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import { fromNotice, toNotice } from './notice.js';

const CONTROL_SUBJECT = 'control';
const LOG_SUBJECT = 'log';
const RECEIPT_TIMEOUT_MS = 5000;
const LOG_TIMEOUT_MS = 5000;
/** How often a node asks the others for events that it may have missed. */
const FOLLOW_EVERY_MS = 5000;
/** An event has at most a few KiB; a page stays far below what the bus carries. */
const PAGE_EVENTS = 32;
const MAX_PAGES = 10_000;
/** What a control event comes to that administrators of this network did not sign as it is. */
const FORGED = new Set(['BAD_SIGNATURE', 'WRONG_NETWORK', 'BAD_EVENT']);
const DONE = new Uint8Array(0);

/** Whether a node has an event in force. */
export interface Receipt {
  readonly node: string;
  readonly applied: boolean;
  /** Why not; empty when it is applied. */
  readonly code: string;
}

export interface LogFollowerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly log: ControlLog;
}

/** Keeps the control logs of the nodes together: hands events on, and fetches those that were missed (CTL-3). */
export class LogFollower {
  readonly #parts: LogFollowerParts;
  readonly #peers: readonly string[];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: LogFollowerParts) {
    this.#parts = parts;
    const { bus, state } = parts;
    this.#peers = state.descriptor.nodes.map((node) => node.id).filter((id) => id !== bus.self);
    bus.serve(CONTROL_SUBJECT, async (from, payload) => {
      await this.#receive(from, fromNotice(decode('symmetra.link.v1.ControlNotice', payload)));
      return DONE;
    });
    bus.serve(LOG_SUBJECT, async (_from, payload) => this.#page(payload));
  }

  /** Begins to ask the other nodes regularly. */
  start(): void {
    this.#timer = this.#parts.clock.setTimer(FOLLOW_EVERY_MS, () => {
      void this.follow().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /**
   * Applies an event here and at every other node that answers in time; one receipt for each node.
   * @throws what {@link ControlLog.apply} throws
   */
  async submit(
    signed: SignedEvent,
  ): Promise<{ readonly number: number; readonly receipts: readonly Receipt[] }> {
    await this.#applyFrom(this.#peers, signed);
    const { bus } = this.#parts;
    const payload = encode('symmetra.link.v1.ControlNotice', toNotice(signed));
    const others = this.#peers.map(async (node): Promise<Receipt> => {
      try {
        await bus.request(node, CONTROL_SUBJECT, payload, { timeoutMs: RECEIPT_TIMEOUT_MS });
        return { node, applied: true, code: '' };
      } catch (error) {
        return { node, applied: false, code: publicCode(error) };
      }
    });
    const receipts = [{ node: bus.self, applied: true, code: '' }, ...(await Promise.all(others))];
    return { number: decodeEvent(signed.event).number, receipts };
  }

  /** Fetches what the other nodes have and this one has not. Never fails: what can not be had now comes later. */
  async follow(): Promise<void> {
    for (const node of this.#peers) {
      try {
        await this.#catchUp(node);
      } catch (error) {
        this.#noteForged(node, error);
        this.#parts.logger.debug(
          { peer: node, code: publicCode(error) },
          'The control log could not be followed.',
        );
      }
    }
  }

  async #receive(from: string, signed: SignedEvent): Promise<void> {
    try {
      await this.#applyFrom([from, ...this.#peers.filter((node) => node !== from)], signed);
    } catch (error) {
      this.#noteForged(from, error);
      throw error;
    }
  }

  /** CTL-3: a node that hands on what no administrator signed is worth an inquiry. */
  #noteForged(node: string, error: unknown): void {
    const code = publicCode(error);
    if (!FORGED.has(code)) return;
    this.#parts.logger.warn(
      { event: 'control-forged', accused: node, code },
      'A node handed on a control event that does not verify.',
    );
  }

  /** Applies an event, after fetching those before it from the first node that has them. */
  async #applyFrom(sources: readonly string[], signed: SignedEvent): Promise<void> {
    const { log } = this.#parts;
    try {
      await log.apply(signed);
      return;
    } catch (error) {
      if (!(error instanceof SymmetraError) || !['LOG_GAP', 'LOG_BROKEN'].includes(error.code)) throw error;
    }
    for (const node of sources) {
      await this.#catchUp(node).catch((error: unknown) => {
        this.#parts.logger.warn({ peer: node, err: error }, 'Missed control events could not be fetched.');
      });
    }
    await log.apply(signed);
  }

  /** Reads on behind the own head; a head that differs from the other node's is applied, and so found to be a fork. */
  async #catchUp(node: string): Promise<void> {
    const { log, state } = this.#parts;
    for (let pages = 0; pages < MAX_PAGES && !this.#stopped; pages++) {
      const { number, hash } = state.head;
      const events = await this.#fetch(node, Math.max(1, number));
      const [first] = events;
      const agreed = number > 0 && first !== undefined && equalConstantTime(eventHash(first.event), hash);
      const news = agreed ? events.slice(1) : events;
      for (const signed of news) await log.apply(signed);
      if (events.length < PAGE_EVENTS || state.head.number === number) return;
    }
  }

  async #fetch(node: string, from: number): Promise<readonly SignedEvent[]> {
    const request = encode('symmetra.admin.v1.ListEventsRequest', { from, limit: PAGE_EVENTS });
    const reply = await this.#parts.bus.request(node, LOG_SUBJECT, request, { timeoutMs: LOG_TIMEOUT_MS });
    return decode('symmetra.admin.v1.ListEventsResponse', reply).events.map(fromNotice);
  }

  async #page(payload: Uint8Array): Promise<Uint8Array> {
    const { from, limit } = decode('symmetra.admin.v1.ListEventsRequest', payload);
    const events = await this.#parts.rows.range(Math.max(1, from), Math.min(limit, PAGE_EVENTS));
    return encode('symmetra.admin.v1.ListEventsResponse', { events: events.map(toNotice) });
  }
}
