import { equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { decodeEvent, eventHash } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { ControlLog } from './control-log.js';
import type { ControlState } from './control-state.js';
import { enoughNodes, isSignedBy } from './former-administrators.js';
import type { LogRows } from './log-rows.js';
import { fromNotice, toNotice } from './notice.js';

const LOG_SUBJECT = 'log';
const LOG_TIMEOUT_MS = 5000;
const PAGE_EVENTS = 32;
/** Bytes after which a page ends; an event has at most a few KiB, and the bus carries more. */
const PAGE_BYTES = 256 * 1024;
const MAX_PAGES = 10_000;
/** What a control event comes to that administrators of this network did not sign as it is. */
const FORGED = new Set(['BAD_SIGNATURE', 'WRONG_NETWORK', 'BAD_EVENT', 'BAD_ENCODING', 'WRONG_VERSION']);
/** An event that does not follow the head. */
const OUT_OF_PLACE = new Set(['LOG_GAP', 'LOG_BROKEN', 'EVENT_CONFLICT']);

/**
 * How it went to read on in the log of another node: it showed what it has, be that good or not; it did not; or it was
 * not read to its end, which is not its fault: what it showed could not be taken here, or this node stops.
 */
export type Reading = 'shown' | 'not shown' | 'not taken';

export interface PeerLogsParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly log: ControlLog;
}

/** The control logs of the other nodes: reads on in them where the own one ends, and lets them read in the own one (CTL-3). */
export class PeerLogs {
  readonly #parts: PeerLogsParts;
  readonly #peers: readonly string[];
  #stopped = false;
  #forged = 0;

  constructor(parts: PeerLogsParts) {
    this.#parts = parts;
    const { bus, state } = parts;
    this.#peers = state.descriptor.nodes.map(({ id }) => id).filter((id) => id !== bus.self);
    bus.serve(LOG_SUBJECT, async (_from, payload) => this.#page(payload));
  }

  get peers(): readonly string[] {
    return this.#peers;
  }

  /** Events that somebody handed on and no administrator signed as they were. */
  get forged(): number {
    return this.#forged;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Fetches what the other nodes have and this one has not, first from one of them. Never fails. */
  async catchUpAll(first?: string): Promise<void> {
    const others = this.#peers.filter((peer) => peer !== first);
    for (const peer of first === undefined ? others : [first, ...others]) await this.catchUp(peer);
  }

  /**
   * Reads on behind the own head; an event that differs from the own one of its number is applied, and so found to be a conflict. Never
   * fails: what can not be had now comes later.
   */
  async catchUp(peer: string): Promise<Reading> {
    const { state } = this.#parts;
    let failure: Reading = 'not shown';
    try {
      for (let pages = 0; pages < MAX_PAGES && !this.#stopped; pages++) {
        const { number } = state.head;
        failure = 'not shown';
        const news = await this.#newsOf(peer);
        failure = 'not taken';
        await this.#applyAll(news);
        if (state.head.number === number) return 'shown';
      }
      return 'not taken';
    } catch (error) {
      const code = publicCode(error);
      this.noteForged(peer, error);
      this.#parts.logger.debug({ peer, code }, 'The control log could not be followed.');
      return FORGED.has(code) || OUT_OF_PLACE.has(code) ? 'shown' : failure;
    }
  }

  /**
   * CTL-3: whoever hands on what no administrator signed is worth an inquiry.
   * @param accused the node; `unknown` for what stood in the ordered log, to which any node and its server can write.
   */
  noteForged(accused: string, error: unknown): void {
    const code = publicCode(error);
    if (!FORGED.has(code)) return;
    this.#forged += 1;
    this.#parts.logger.warn(
      { event: 'control-forged', accused, code },
      'A node handed on a control event that does not verify.',
    );
  }

  /** A page of another node's log. @throws what {@link Bus.request} throws, LOG_PRUNED */
  async fetch(peer: string, from: number, limit = PAGE_EVENTS): Promise<readonly SignedEvent[]> {
    const request = encode('symmetra.admin.v1.ListEventsRequest', { from, limit });
    const reply = await this.#parts.bus.request(peer, LOG_SUBJECT, request, { timeoutMs: LOG_TIMEOUT_MS });
    return decode('symmetra.admin.v1.ListEventsResponse', reply).events.map(fromNotice);
  }

  /** @throws what {@link ControlLog.apply} throws */
  async #applyAll(events: readonly SignedEvent[]): Promise<void> {
    const { log, state } = this.#parts;
    let vouched: number | undefined;
    for (const signed of events) {
      const { number } = decodeEvent(signed.event);
      try {
        if (number <= (vouched ?? 0)) await log.applyVouched(signed);
        else await log.apply(signed);
      } catch (error) {
        const mayBeVouched = vouched === undefined && publicCode(error) === 'BAD_SIGNATURE';
        if (!mayBeVouched) throw error;
        vouched = await this.#vouchedUpTo(events);
        if (number > vouched || state.head.number >= number) throw error;
        await log.applyVouched(signed);
      }
    }
  }

  /**
   * CTL-3: up to which number enough other nodes have the events of a page in force, as one that today's administrators did
   * not sign shows; 0 when they have not.
   */
  async #vouchedUpTo(events: readonly SignedEvent[]): Promise<number> {
    const { descriptor } = this.#parts.state;
    const last = events.findLast((signed) => !isSignedBy(descriptor, signed));
    if (last === undefined || !isChain(events)) return 0;
    const { number } = decodeEvent(last.event);
    const others = await this.eventsAt(number);
    const agreed = others.filter(({ event }) => equalConstantTime(event, last.event));
    return agreed.length >= enoughNodes(descriptor) ? number : 0;
  }

  /** The events of a number that the other nodes have in force, as far as they answer. Never fails. */
  async eventsAt(number: number): Promise<readonly SignedEvent[]> {
    const pages = this.#peers.map(async (peer) => this.fetch(peer, number, 1).catch(() => []));
    return (await Promise.all(pages)).flatMap((page) => page.slice(0, 1));
  }

  /** The next page of what the node has and this one has not. */
  async #newsOf(peer: string): Promise<readonly SignedEvent[]> {
    const { number, hash } = this.#parts.state.head;
    const events = await this.fetch(peer, Math.max(1, number));
    const [first] = events;
    const agreed = number > 0 && first !== undefined && equalConstantTime(eventHash(first.event), hash);
    return agreed ? events.slice(1) : events;
  }

  async #page(payload: Uint8Array): Promise<Uint8Array> {
    const { from, limit } = decode('symmetra.admin.v1.ListEventsRequest', payload);
    const events = await this.#parts.rows.range(Math.max(1, from), Math.min(limit, PAGE_EVENTS));
    return encode('symmetra.admin.v1.ListEventsResponse', { events: withinBytes(events).map(toNotice) });
  }
}

/** As many events as a page holds, at least one. */
export function withinBytes(events: readonly SignedEvent[]): readonly SignedEvent[] {
  let bytes = 0;
  const end = events.findIndex(({ event, signatures }, i) => {
    bytes += event.length + signatures.reduce((sum, { signature }) => sum + signature.length, 0);
    return i > 0 && bytes > PAGE_BYTES;
  });
  return end < 0 ? events : events.slice(0, end);
}

/** Whether each event names the hash of the one before it. */
function isChain(events: readonly SignedEvent[]): boolean {
  return events.every(({ event }, i) => {
    const before = events[i - 1];
    return (
      before === undefined || equalConstantTime(decodeEvent(event).previousHash, eventHash(before.event))
    );
  });
}
