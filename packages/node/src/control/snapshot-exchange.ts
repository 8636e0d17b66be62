import { Reader, SymmetraError, Writer, equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { decodeEvent, eventHash, readCount, snapshotHash } from '@symmetra/protocol';
import type { ControlEvent, LogHead, SignedEvent, Snapshot } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import type { EventEffects } from './control-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import { fromNotice, toNotice } from './notice.js';
import { enoughNodes, isSignedBy } from './former-administrators.js';
import { isSame } from './peer-heads.js';
import { withinBytes } from './peer-logs.js';

const SUBJECT = 'snapshot';
const TIMEOUT_MS = 5000;
/** How long one node may take for all pages. */
const PATIENCE_MS = 60_000;
const HASH_LENGTH = 32;
const PAGE_EVENTS = 64;
/** Events that are stored in one commit. */
const COMMIT_EVENTS = 64;
/** Other processes of the node may create the same tokens. */
const MAX_ATTEMPTS = 8;

/** A snapshot as another node names it. */
interface Offer {
  readonly head: LogHead;
  readonly hash: Uint8Array;
  /** How many events it has. */
  readonly count: number;
}

interface Fetched {
  readonly signed: SignedEvent;
  readonly event: ControlEvent;
  readonly hash: Uint8Array;
  /** Whether today's administrators signed it. */
  readonly isSigned: boolean;
}

/** A node and the events that it gave. */
interface Gift {
  readonly peer: string;
  readonly fetched: readonly Fetched[];
}

export interface SnapshotExchangeParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly effects: EventEffects;
}

/** CTL-9: gives other nodes the newest snapshot, and has a node without a log begin with one that enough of them agree on. */
export class SnapshotExchange {
  readonly #parts: SnapshotExchangeParts;
  readonly #peers: readonly string[];

  constructor(parts: SnapshotExchangeParts) {
    this.#parts = parts;
    const { bus, state } = parts;
    this.#peers = state.descriptor.nodes.map(({ id }) => id).filter((id) => id !== bus.self);
    bus.serve(SUBJECT, async (_from, payload) => this.#answer(payload));
  }

  /** Begins with a snapshot, if the log is empty and there is one. Never fails: a node without it reads the whole log. */
  async begin(): Promise<void> {
    const { logger, state } = this.#parts;
    if (state.head.number > 0) return;
    try {
      const agreed = await this.#agreed();
      if (agreed === undefined) return;
      const gift = await this.#firstGift(agreed.peers, agreed.offer);
      if (gift !== undefined) await this.#take(gift, agreed.offer);
    } catch (error) {
      logger.warn({ err: error }, 'The control log could not begin with a snapshot.');
    }
  }

  /** The snapshot on which enough nodes agree, and these nodes. */
  async #agreed(): Promise<{ readonly offer: Offer; readonly peers: readonly string[] } | undefined> {
    const { descriptor } = this.#parts.state;
    const needed = enoughNodes(descriptor);
    if (this.#peers.length < needed) return undefined;
    const offers = (await Promise.all(this.#peers.map(async (peer) => this.#ask(peer)))).flat();
    for (const [, offer] of offers) {
      const peers = offers.filter(([, other]) => isSameOffer(offer, other)).map(([peer]) => peer);
      if (peers.length >= needed) return { offer, peers };
    }
    return undefined;
  }

  async #ask(peer: string): Promise<readonly (readonly [string, Offer])[]> {
    try {
      const offer = decodeOffer(await this.#request(peer, 0, 0));
      return offer.head.number === 0 ? [] : [[peer, offer]];
    } catch (error) {
      this.#parts.logger.debug({ peer, code: publicCode(error) }, 'A node names no snapshot.');
      return [];
    }
  }

  /**
   * The first events that have the right hash and signatures. When no node has such signatures, former administrators
   * signed, and the hash alone decides.
   */
  async #firstGift(peers: readonly string[], offer: Offer): Promise<Gift | undefined> {
    const unsigned: Gift[] = [];
    for (const peer of peers) {
      try {
        const fetched = await this.#fetch(peer, offer);
        if (fetched.every(({ isSigned }) => isSigned)) {
          for (const other of unsigned) this.#accuse(other.peer, 'BAD_SIGNATURE');
          return { peer, fetched };
        }
        unsigned.push({ peer, fetched });
      } catch (error) {
        const code = publicCode(error);
        if (error instanceof SymmetraError && FALSE.has(error.code)) this.#accuse(peer, code);
        else this.#parts.logger.warn({ peer, code }, 'The snapshot of a node could not be had.');
      }
    }
    return unsigned[0];
  }

  #accuse(accused: string, code: string): void {
    const fields = { event: 'snapshot-false', accused, code };
    this.#parts.logger.error(fields, 'A node gave a false snapshot.');
  }

  async #take({ peer, fetched }: Gift, { head, hash, count }: Offer): Promise<void> {
    const { logger, rows, state } = this.#parts;
    await this.#store(fetched, head);
    if (await rows.begin(head, hash)) state.begin(fetched, head);
    else await rows.replay(state);
    logger.info({ peer, sequence: head.number, count }, 'The control log begins with a snapshot.');
  }

  /** @throws LOG_BROKEN when the events are not those of the snapshot, BUS_TIMEOUT, and what decoding them throws */
  async #fetch(peer: string, { head, hash, count }: Offer): Promise<readonly Fetched[]> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonic() + PATIENCE_MS;
    const fetched: Fetched[] = [];
    let last = 0;
    while (fetched.length < count) {
      if (clock.monotonic() > untilMs) throw new SymmetraError('BUS_TIMEOUT', 'the pages came too slowly');
      const page = await this.#request(peer, head.number, fetched.length);
      const events = decode('symmetra.admin.v1.ListEventsResponse', page).events.map(fromNotice);
      if (events.length === 0) throw wrongEvents();
      for (const signed of events) {
        const one = this.#read(signed);
        if (one.event.number <= last || one.event.number > head.number) throw wrongEvents();
        last = one.event.number;
        fetched.push(one);
      }
    }
    const hashes = fetched.map((one) => one.hash);
    const isRight = fetched.length === count && equalConstantTime(snapshotHash(head, hashes), hash);
    if (!isRight) throw wrongEvents();
    return fetched;
  }

  /** @throws BAD_ENCODING, BAD_EVENT, WRONG_NETWORK */
  #read(signed: SignedEvent): Fetched {
    const isSigned = isSignedBy(this.#parts.state.descriptor, signed);
    return { signed, event: decodeEvent(signed.event), hash: eventHash(signed.event), isSigned };
  }

  async #store(fetched: readonly Fetched[], head: LogHead): Promise<void> {
    const { rows } = this.#parts;
    for (let first = 0; first < fetched.length; first += COMMIT_EVENTS) {
      const part = fetched.slice(first, first + COMMIT_EVENTS);
      const apart = part.map(({ signed, event }) => rows.apart(head, event.number, signed));
      await this.#storePart(part, apart);
    }
  }

  /** @throws STATE_CONFLICT */
  async #storePart(part: readonly Fetched[], apart: readonly Change[]): Promise<void> {
    const { store, effects } = this.#parts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const also = await Promise.all(part.map(async ({ event }) => effects.rows(event)));
      if (await store.commit([...apart, ...also.flat()])) return;
    }
    throw new SymmetraError('STATE_CONFLICT', 'the rows of a snapshot kept changing');
  }

  async #request(peer: string, number: number, from: number): Promise<Uint8Array> {
    const payload = new Writer().u64(number).u64(from).finish();
    return this.#parts.bus.request(peer, SUBJECT, payload, { timeoutMs: TIMEOUT_MS });
  }

  /** The newest snapshot by name, or a page of its events. @throws BAD_ENCODING, LOG_PRUNED */
  async #answer(payload: Uint8Array): Promise<Uint8Array> {
    const { state, rows } = this.#parts;
    const reader = new Reader(payload, 'request for a snapshot');
    const number = readCount(reader);
    const from = readCount(reader);
    reader.end();
    const { snapshot } = state;
    if (number === 0) return encodeOffer(snapshot);
    if (snapshot?.head.number !== number) {
      throw new SymmetraError('LOG_PRUNED', 'the node has another snapshot by now');
    }
    const numbers = snapshot.numbers.slice(from, from + PAGE_EVENTS);
    const events = await Promise.all(numbers.map(async (one) => rows.event(one)));
    const page = withinBytes(events.filter((signed) => signed !== undefined));
    return encode('symmetra.admin.v1.ListEventsResponse', { events: page.map(toNotice) });
  }
}

/** What a page comes to that is not the one which the others know. */
const FALSE = new Set([
  'LOG_BROKEN',
  'BAD_SIGNATURE',
  'BAD_EVENT',
  'BAD_ENCODING',
  'BAD_MESSAGE',
  'WRONG_NETWORK',
]);

function wrongEvents(): SymmetraError {
  return new SymmetraError('LOG_BROKEN', 'the events are not those of the snapshot');
}

function isSameOffer(one: Offer, other: Offer): boolean {
  return isSame(one.head, other.head) && one.count === other.count && equalConstantTime(one.hash, other.hash);
}

function encodeOffer(snapshot: Snapshot | undefined): Uint8Array {
  const { head, hash, numbers } = snapshot ?? NO_SNAPSHOT;
  return new Writer().u64(head.number).raw(head.hash).raw(hash).u64(numbers.length).finish();
}

const NO_SNAPSHOT: Snapshot = {
  head: { number: 0, hash: new Uint8Array(HASH_LENGTH) },
  hash: new Uint8Array(HASH_LENGTH),
  numbers: [],
};

/** @throws BAD_ENCODING */
function decodeOffer(bytes: Uint8Array): Offer {
  const reader = new Reader(bytes, 'name of a snapshot');
  const offer = {
    head: { number: readCount(reader), hash: reader.raw(HASH_LENGTH) },
    hash: reader.raw(HASH_LENGTH),
    count: readCount(reader),
  };
  reader.end();
  return offer;
}
