import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import type { Siblings } from '../replicas/siblings.js';
import { GROUP_SEAT_ROW } from '../rows/row-keys.js';

const SUBJECT = 'group-work';
const MAX_TEXT_BYTES = 64;
/** How often the process that has the seat is looked for before a piece of work is given up. */
const ATTEMPTS = 4;
/** The first pause before the work is taken up again; each is twice as long as the one before. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** A kind of work on groups. The bytes of its request are lent. */
type Work = (request: Uint8Array) => Promise<Uint8Array>;

export interface GroupSeatParts {
  readonly bus: Bus;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: Pick<ControlState, 'halted'>;
  readonly siblings: Siblings;
}

/**
 * Which process of this node works on groups: one at a time, since what nodes echo and who confirmed is in its memory.
 * The seat is a row; who finds its holder gone takes it by compare-and-set. A holder that was only slow is harmless: it
 * changes no group that another process has changed.
 */
export class GroupSeat {
  readonly #parts: GroupSeatParts;
  readonly #works = new Map<string, Work>();
  #holder: string | undefined;
  #onTaken: () => Promise<void> = async () => undefined;
  #onLost: () => void = () => undefined;
  /** Fulfilled when this process may take the seat: it knows the others by then. */
  readonly #ready: Promise<void>;
  #begin: () => void = () => undefined;
  #isReady = false;
  #stopped = false;

  constructor(parts: GroupSeatParts) {
    this.#parts = parts;
    this.#ready = new Promise((resolve) => {
      this.#begin = resolve;
    });
    parts.bus.serve(SUBJECT, async (from, payload) => this.#receive(from, payload));
  }

  /** Whether this process works on groups. */
  get isHere(): boolean {
    const { bus, siblings } = this.#parts;
    return !siblings.isShared || this.#holder === bus.instance;
  }

  /** Has listeners told when this process takes the seat, and before that, as when it lost it, that what it knew is old. */
  onMoved(taken: () => Promise<void>, lost: () => void): void {
    this.#onTaken = taken;
    this.#onLost = lost;
  }

  /** Names a kind of work that the process with the seat does for the others. */
  offer(kind: string, work: Work): void {
    this.#works.set(kind, work);
  }

  /** Takes the seat if nobody has it, and looks after it from then on. @throws what the store throws */
  async start(): Promise<void> {
    const { siblings } = this.#parts;
    if (!siblings.isShared) {
      await this.#onTaken();
      return;
    }
    this.#isReady = true;
    this.#begin();
    siblings.onLook(async () => void (await this.#look()));
    await this.#look();
  }

  /** Leaves the seat to another process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#begin();
    const { bus, logger, siblings, store } = this.#parts;
    if (!siblings.isShared || this.#holder !== bus.instance) return;
    try {
      const row = await store.get(GROUP_SEAT_ROW);
      if (row === undefined || holderIn(row.value) !== bus.instance) return;
      await store.commit([{ key: GROUP_SEAT_ROW, value: null, expect: row.version }]);
    } catch (error) {
      logger.debug({ err: error }, 'The seat of the work on groups could not be left.');
    }
  }

  /** Has work done where the seat is. @throws NODE_STOPPING, NODE_HALTED, STATE_CONFLICT, and what the work throws */
  async have(kind: string, request: Uint8Array): Promise<Uint8Array> {
    const { bus, siblings } = this.#parts;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const holder = this.#holder ?? (await this.#look());
      try {
        if (holder === bus.instance) return await this.#work(kind, request);
        const payload = new Writer().text(kind).bytes(request).finish();
        return await siblings.request(holder, SUBJECT, payload).finally(() => payload.fill(0));
      } catch (error) {
        const code = error instanceof SymmetraError ? error.code : '';
        if (code !== 'INSTANCE_GONE' && code !== 'SEAT_MOVED') throw error;
        await this.#look(code === 'INSTANCE_GONE' ? holder : undefined);
      }
    }
    throw new SymmetraError('STATE_CONFLICT', 'the work on groups kept moving; try again');
  }

  /** @throws WRONG_NODE, SEAT_MOVED, NODE_HALTED, BAD_ENCODING, and what the work throws */
  async #receive(from: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus } = this.#parts;
    if (from !== bus.self) {
      throw new SymmetraError('WRONG_NODE', 'only a process of the same node has work on groups done');
    }
    const reader = new Reader(payload, 'work on groups');
    const kind = reader.text(MAX_TEXT_BYTES);
    const request = reader.bytes();
    reader.end();
    if (this.#stopped || (!this.isHere && (await this.#look()) !== bus.instance)) {
      throw new SymmetraError('SEAT_MOVED', 'another process works on groups');
    }
    return this.#work(kind, request);
  }

  /** CTL-3: a process that has halted does no work for others either. */
  async #work(kind: string, request: Uint8Array): Promise<Uint8Array> {
    if (this.#parts.state.halted) {
      throw new SymmetraError('NODE_HALTED', 'the control log of the node is forked');
    }
    const work = this.#works.get(kind);
    if (work === undefined) throw new SymmetraError('BAD_MESSAGE', 'there is no such work on groups');
    return work(request);
  }

  /**
   * Reads who has the seat, and takes it when nobody has, or the holder is gone.
   * @param gone the process that was found to be gone
   * @throws NODE_STOPPING
   */
  async #look(gone?: string): Promise<string> {
    const { bus, siblings, store } = this.#parts;
    const row = await store.get(GROUP_SEAT_ROW);
    const holder = row && holderIn(row.value);
    const isThere = holder === bus.instance || (holder !== gone && siblings.others.includes(holder ?? ''));
    if (holder !== undefined && isThere) return this.#note(holder);
    if (!this.#isReady) {
      await this.#ready;
      return this.#look(gone);
    }
    if (this.#stopped) throw new SymmetraError('NODE_STOPPING', 'the node stops');
    const value = Buffer.from(bus.instance, 'utf8');
    const made = await store.commit([{ key: GROUP_SEAT_ROW, value, expect: row?.version ?? 0 }]);
    return made ? this.#note(bus.instance) : this.#look();
  }

  #note(holder: string): string {
    const { bus, logger } = this.#parts;
    const before = this.#holder;
    this.#holder = holder;
    if (before === holder) return holder;
    if (before === bus.instance || holder === bus.instance) this.#onLost();
    if (holder === bus.instance) {
      logger.info('This process works on groups.');
      void this.#takeUp(PAUSE_MS);
    }
    return holder;
  }

  /** Goes on with the work, again with growing pauses while it fails and the seat is here. */
  async #takeUp(pauseMs: number): Promise<void> {
    const { clock, logger } = this.#parts;
    try {
      await this.#onTaken();
    } catch (error) {
      logger.error({ err: error }, 'The work on groups could not be gone on with.');
      clock.setTimer(pauseMs, () => {
        if (this.isHere && !this.#stopped) void this.#takeUp(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
      });
    }
  }
}

function holderIn(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}
