import { Reader, SymmetraError, Writer, equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { eventHash, readCount, snapshotHash, verifyEvent } from '@symmetra/protocol';
import type { ControlEvent, LogHead, SignedEvent, Snapshot } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { EventEffects } from './control-log.js';
import type { ControlState } from './control-state.js';
import type { LogRows } from './log-rows.js';
import { fromNotice, toNotice } from './notice.js';
import { isSame } from './peer-heads.js';
import { withinBytes } from './peer-logs.js';

const SUBJECT = 'snapshot';
const TIMEOUT_MS = 5000;
const HASH_LENGTH = 32;
const PAGE_EVENTS = 64;
/** Events that are stored in one commit. */
const COMMIT_EVENTS = 64;

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
}

export interface SnapshotExchangeParts {
  readonly bus: Bus;
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
      for (const [peer, offer] of await this.#agreed()) {
        if (await this.#take(peer, offer)) return;
      }
    } catch (error) {
      logger.warn({ err: error }, 'The control log could not begin with a snapshot.');
    }
  }

  /** The nodes that offer the snapshot on which enough of them agree. */
  async #agreed(): Promise<readonly (readonly [peer: string, offer: Offer])[]> {
    const { nodes, threshold } = this.#parts.state.descriptor;
    const needed = Math.max(threshold, Math.floor(nodes.length / 2) + 1);
    if (this.#peers.length < needed) return [];
    const offers = (await Promise.all(this.#peers.map(async (peer) => this.#ask(peer)))).flat();
    const groups = offers.map(([, one]) => offers.filter(([, other]) => isSameOffer(one, other)));
    return groups.find((group) => group.length >= needed) ?? [];
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

  /** @returns whether the snapshot is taken */
  async #take(peer: string, offer: Offer): Promise<boolean> {
    const { logger, state } = this.#parts;
    try {
      const fetched = await this.#fetch(peer, offer);
      await this.#store(fetched, offer.head);
      state.begin(fetched, offer.head);
      logger.info(
        { peer, sequence: offer.head.number, count: offer.count },
        'The control log begins with a snapshot.',
      );
      return true;
    } catch (error) {
      const code = publicCode(error);
      const isFalse = error instanceof SymmetraError && FALSE.has(error.code);
      const fields = { accused: peer, code };
      if (isFalse) logger.error({ event: 'snapshot-false', ...fields }, 'A node gave a false snapshot.');
      else logger.warn(fields, 'The snapshot of a node could not be had.');
      return false;
    }
  }

  /** @throws LOG_BROKEN, and what verifying the events throws */
  async #fetch(peer: string, { head, hash, count }: Offer): Promise<readonly Fetched[]> {
    const { state } = this.#parts;
    const fetched: Fetched[] = [];
    while (fetched.length < count) {
      const page = await this.#request(peer, head.number, fetched.length);
      const events = decode('symmetra.admin.v1.ListEventsResponse', page).events.map(fromNotice);
      if (events.length === 0) throw wrongEvents();
      for (const signed of events) {
        const event = verifyEvent(state.descriptor, signed);
        fetched.push({ signed, event, hash: eventHash(signed.event) });
      }
    }
    const hashes = fetched.map((one) => one.hash);
    const isRight = fetched.length === count && equalConstantTime(snapshotHash(head, hashes), hash);
    if (!isRight) throw wrongEvents();
    return fetched;
  }

  async #store(fetched: readonly Fetched[], head: LogHead): Promise<void> {
    const { store, rows, effects } = this.#parts;
    for (let first = 0; first < fetched.length; first += COMMIT_EVENTS) {
      const part = fetched.slice(first, first + COMMIT_EVENTS);
      const also = await Promise.all(part.map(async ({ event }) => effects.rows(event)));
      const apart = part.map(({ signed, event }) => rows.apart(event.number, signed));
      await store.commit([...apart, ...also.flat()]);
    }
    await rows.begin(head);
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
  return isSame(one.head, other.head) && equalConstantTime(one.hash, other.hash);
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
