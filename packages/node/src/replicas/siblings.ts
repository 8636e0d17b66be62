import type { Bus } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { REPLICA_ROWS, lastPart, replicaRow } from '../rows/row-keys.js';

/** How often a process says that it is there, and looks who else is. */
const BEAT_MS = 2000;
/** How long it counts as being there without saying so, by the clock of whoever looks. */
const LEASE_MS = 10_000;
/** How long the row of a process that is gone stays. */
const FORGET_MS = 60_000;
const NOTHING = new Uint8Array(0);
/** A process has begun: the others look at once. */
const BEGUN_SUBJECT = 'replica';
const REQUEST_MS = 5000;

/** A process as this one saw it last. */
interface Seen {
  /** Of its row; it changes while the process lives. */
  readonly version: number;
  /** Monotonic milliseconds. */
  readonly sinceMs: number;
  /** It was asked and is not there; it counts again when its row changes. */
  isGone: boolean;
}

export interface SiblingsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  /** Whether other processes of this node use the store too. */
  readonly isShared: boolean;
}

/**
 * The other processes of this node, its replicas. Each has a row that it writes anew while it lives; who is missed here
 * for a while loses no state, as all of it is in the store.
 */
export class Siblings {
  readonly isShared: boolean;
  readonly #parts: SiblingsParts;
  #others: readonly string[] = [];
  readonly #seen = new Map<string, Seen>();
  #onLook: () => Promise<void> = async () => undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isBegun = false;
  #stopped = false;

  constructor(parts: SiblingsParts) {
    this.#parts = parts;
    this.isShared = parts.isShared;
    const { bus } = parts;
    bus.serve(BEGUN_SUBJECT, async (from) => {
      if (from === bus.self && this.#isBegun && !this.#stopped) await this.#look();
      return NOTHING;
    });
  }

  /** The other processes that were there when this one looked last. */
  get others(): readonly string[] {
    return this.#others;
  }

  /** Has a listener called each time after this process looked who is there. */
  onLook(listener: () => Promise<void>): void {
    this.#onLook = listener;
  }

  /** Says that this process is there; those that are there know it then. @throws what the store throws */
  async start(): Promise<void> {
    if (!this.isShared) return;
    await this.#beat();
    await this.#look();
    this.#isBegun = true;
    this.#again();
    await this.tell(BEGUN_SUBJECT, NOTHING);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
    if (!this.isShared) return;
    const { bus, logger, store } = this.#parts;
    await store.commit([{ key: replicaRow(bus.instance), value: null }]).catch((error: unknown) => {
      logger.debug({ err: error }, 'The row of this process could not be removed.');
    });
  }

  /**
   * Asks one other process.
   * @throws INSTANCE_GONE when it is not there any more, and what {@link Bus.request} throws
   */
  async request(
    instance: string,
    subject: string,
    payload: Uint8Array,
    timeoutMs = REQUEST_MS,
  ): Promise<Uint8Array> {
    const { bus } = this.#parts;
    try {
      return await bus.request(bus.self, subject, payload, { timeoutMs, instance });
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'INSTANCE_GONE') this.#forget(instance);
      throw error;
    }
  }

  /** Tells all others. Never fails. @returns the answers of those that gave one */
  async tell(subject: string, payload: Uint8Array): Promise<readonly Uint8Array[]> {
    const { logger } = this.#parts;
    const answers: Uint8Array[] = [];
    const told = this.#others.map(async (instance) => {
      try {
        answers.push(await this.request(instance, subject, payload));
      } catch (error) {
        logger.debug({ subject, err: error }, 'Another process of this node was not reached.');
      }
    });
    await Promise.all(told);
    return answers;
  }

  #forget(instance: string): void {
    const seen = this.#seen.get(instance);
    if (seen !== undefined) seen.isGone = true;
    this.#others = this.#others.filter((other) => other !== instance);
  }

  #again(): void {
    this.#timer = this.#parts.clock.setTimer(BEAT_MS, () => {
      this.#looking = this.#round().finally(() => {
        if (!this.#stopped) this.#again();
      });
    });
  }

  async #round(): Promise<void> {
    try {
      await this.#beat();
      await this.#look();
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'The processes of this node could not be looked for.');
    }
  }

  async #beat(): Promise<void> {
    const { bus, store } = this.#parts;
    await store.commit([{ key: replicaRow(bus.instance), value: NOTHING }]);
  }

  async #look(): Promise<void> {
    const { bus, clock, store } = this.#parts;
    const now = clock.monotonic();
    const others: string[] = [];
    const rows = await store.scan(REPLICA_ROWS);
    for (const { key, row } of rows) {
      const instance = lastPart(key);
      if (instance === bus.instance) continue;
      const seen = this.#note(instance, row.version, now);
      const silentMs = now - seen.sinceMs;
      if (silentMs > FORGET_MS) await store.commit([{ key, value: null, expect: row.version }]);
      else if (silentMs <= LEASE_MS && !seen.isGone) others.push(instance);
    }
    const there = new Set(rows.map(({ key }) => lastPart(key)));
    for (const instance of this.#seen.keys()) if (!there.has(instance)) this.#seen.delete(instance);
    this.#others = others;
    if (!this.#stopped) await this.#onLook();
  }

  #note(instance: string, version: number, now: number): Seen {
    const before = this.#seen.get(instance);
    if (before?.version === version) return before;
    const seen: Seen = { version, sinceMs: now, isGone: false };
    this.#seen.set(instance, seen);
    return seen;
  }
}
