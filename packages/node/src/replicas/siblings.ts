import type { Bus } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { encodeExpiry, expiryOf } from '../rows/expiry.js';
import { REPLICA_ROWS, lastPart, replicaRow } from '../rows/row-keys.js';

/** How often a process says that it is there, and looks who else is. */
const BEAT_MS = 2000;
/** How long it counts as being there without saying so. */
const LEASE_MS = 10_000;
/** How long the row of a process that is gone stays, so that clocks which differ forget nobody. */
const FORGET_MS = 60_000;
const REQUEST_MS = 5000;

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
  #onLook: () => Promise<void> = async () => undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: SiblingsParts) {
    this.#parts = parts;
    this.isShared = parts.isShared;
  }

  /** The other processes that were there when this one looked last. */
  get others(): readonly string[] {
    return this.#others;
  }

  /** Has a listener called each time after this process looked who is there. */
  onLook(listener: () => Promise<void>): void {
    this.#onLook = listener;
  }

  /** Says that this process is there. @throws what the store throws */
  async start(): Promise<void> {
    if (!this.isShared) return;
    await this.#beat();
    await this.#look();
    this.#again();
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
  async request(instance: string, subject: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus } = this.#parts;
    try {
      return await bus.request(bus.self, subject, payload, { timeoutMs: REQUEST_MS, instance });
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
    const { bus, clock, store } = this.#parts;
    const value = encodeExpiry(clock.now() + LEASE_MS);
    await store.commit([{ key: replicaRow(bus.instance), value }]);
  }

  async #look(): Promise<void> {
    const { bus, clock, store } = this.#parts;
    const now = clock.now();
    const others: string[] = [];
    for (const { key, row } of await store.scan(REPLICA_ROWS)) {
      const instance = lastPart(key);
      const expiresMs = expiryOf(row.value);
      if (expiresMs + FORGET_MS < now) await store.commit([{ key, value: null, expect: row.version }]);
      else if (expiresMs > now && instance !== bus.instance) others.push(instance);
    }
    this.#others = others;
    if (!this.#stopped) await this.#onLook();
  }
}
