import type { Bus, Hails } from '@symmetra/bus';
import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { EXPIRY_BYTES, encodeExpiry } from '../rows/expiry.js';
import { arrivalRow } from '../rows/row-keys.js';
import { decodeContact, decodeVerdict, encodeContact, encodeVerdict, goesOn } from './contact.js';
import type { Verdict } from './contact.js';

const ARRIVAL_SUBJECT = 'arrival';
const CONTACT_SUBJECT = 'contact';
const ASK_MS = 5000;
const PROOF_BYTES = 16;
const DAY_MS = 86_400_000;
/** A process that arrives calls so often, with such a pause behind each call, before it serves. */
const ARRIVAL_HAILS = 3;
const ARRIVAL_PAUSE_MS = 250;
/** One that serves goes on calling: two may have started where neither reached the other. */
const HAIL_MS = 5000;
/** Names that are followed up at the same time: anybody on the bus can call out names. */
const MAX_CONTACTS = 8;
const SILENCE = new Set(['NODE_UNREACHABLE', 'INSTANCE_GONE', 'BUS_TIMEOUT']);

export interface RivalsParts {
  /** A guest's, for the whole life of the process. It is closed here. */
  readonly bus: Bus;
  readonly hails: Hails;
  readonly store: Store;
  /** Whether other processes of this node may use the store. */
  readonly isShared: boolean;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This process must end, although it serves. */
  readonly onLost: (error: SymmetraError) => void;
}

/**
 * Sees to it that no two processes run as one node, but replicas that use one store: two nodes with one identity would
 * each go on with the same chains. Every process calls out its name and asks each one whose name it hears. Whether both use
 * one store shows by a row that the one writes and the other reads; if not, one of them ends.
 */
export class Rivals {
  readonly #parts: RivalsParts;
  readonly #startedMs: number;
  readonly #proof: Uint8Array;
  /** Processes that use the same store. */
  readonly #siblings = new Set<string>();
  readonly #contacts = new Map<string, Promise<void>>();
  #serves = false;
  #lost: SymmetraError | undefined;
  #timer: Timer | undefined;
  #calling: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: RivalsParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.now();
    this.#proof = parts.random(PROOF_BYTES);
  }

  /** Fulfilled when this process may serve. @throws NODE_RUNNING, and what the store and the bus throw */
  async arrive(): Promise<void> {
    const { bus, hails } = this.#parts;
    await this.#prove();
    bus.serve(CONTACT_SUBJECT, async (from, payload) => encodeVerdict(this.#met(from, payload)));
    await hails.listen((instance) => this.#heard(instance));
    await this.#askThoseWhoServe();
    for (let hail = 0; hail < ARRIVAL_HAILS && this.#lost === undefined; hail++) {
      hails.hail();
      await this.#pause(ARRIVAL_PAUSE_MS);
    }
    while (this.#contacts.size > 0) await Promise.all(this.#contacts.values());
    if (this.#lost !== undefined) throw this.#lost;
    this.#serves = true;
    this.#again();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#calling;
    const { bus, hails, store, isShared } = this.#parts;
    hails.close();
    await bus.close();
    if (isShared) await store.commit([{ key: arrivalRow(bus.instance), value: null }]);
  }

  /** What others read to know that they use the same store. It goes by itself when the process is killed. */
  async #prove(): Promise<void> {
    const { bus, store, isShared, clock } = this.#parts;
    if (!isShared) return;
    const value = Buffer.concat([encodeExpiry(clock.now() + DAY_MS), this.#proof]);
    await store.commit([{ key: arrivalRow(bus.instance), value }]);
  }

  /** One that serves answers, however slow it is; nobody does at once. @throws NODE_RUNNING */
  async #askThoseWhoServe(): Promise<void> {
    const { bus } = this.#parts;
    const instance = Buffer.from(bus.instance, 'latin1');
    try {
      const read = await bus.request(bus.self, ARRIVAL_SUBJECT, instance, { timeoutMs: ASK_MS });
      if (!this.#isProof(read)) throw running(bus.self);
    } catch (error) {
      if (!(error instanceof SymmetraError) || !SILENCE.has(error.code)) throw error;
    }
  }

  /** Another process of this node is there, or somebody says so: it is asked. */
  #heard(instance: string): void {
    const known = this.#siblings.has(instance) || this.#contacts.has(instance);
    if (known || this.#stopped || this.#lost !== undefined || this.#contacts.size >= MAX_CONTACTS) return;
    const contact = this.#contact(instance).finally(() => this.#contacts.delete(instance));
    this.#contacts.set(instance, contact);
  }

  async #contact(instance: string): Promise<void> {
    const { bus, store, isShared, logger } = this.#parts;
    try {
      const read = isShared ? await readProof(store, instance) : new Uint8Array(0);
      const contact = { serves: this.#serves, startedMs: this.#startedMs, instance: bus.instance, read };
      const options = { timeoutMs: ASK_MS, instance };
      const reply = await bus.request(bus.self, CONTACT_SUBJECT, encodeContact(contact), options);
      const verdict = decodeVerdict(reply);
      if (verdict === 'same store') this.#siblings.add(instance);
      if (verdict === 'asker ends') this.#lose();
    } catch (error) {
      logger.debug({ err: error }, 'A process that called out its name could not be asked.');
    }
  }

  /** Another process heard this one. */
  #met(from: string, payload: Uint8Array): Verdict {
    const { bus } = this.#parts;
    if (from !== bus.self) {
      throw new SymmetraError('METHOD_NOT_ALLOWED', 'only processes of this node ask this', { node: from });
    }
    const other = decodeContact(payload);
    if (this.#isProof(other.read)) {
      this.#siblings.add(other.instance);
      return 'same store';
    }
    const own = { ...other, serves: this.#serves, startedMs: this.#startedMs, instance: bus.instance };
    if (this.#lost === undefined && goesOn(own, other)) return 'asker ends';
    this.#lose();
    return 'asked ends';
  }

  #isProof(read: Uint8Array): boolean {
    return this.#parts.isShared && equalConstantTime(read, this.#proof);
  }

  #lose(): void {
    if (this.#lost !== undefined) return;
    this.#lost = running(this.#parts.bus.self);
    if (this.#serves) this.#parts.onLost(this.#lost);
  }

  #again(): void {
    this.#timer = this.#parts.clock.setTimer(HAIL_MS, () => {
      this.#calling = this.#call().finally(() => {
        if (!this.#stopped) this.#again();
      });
    });
  }

  async #call(): Promise<void> {
    const { hails, logger } = this.#parts;
    try {
      await this.#prove();
      hails.hail();
    } catch (error) {
      logger.debug(
        { err: error },
        'What proves to other processes that they use this store was not written.',
      );
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#timer = this.#parts.clock.setTimer(ms, resolve);
    });
  }
}

/** Tells processes that arrive what they have written into the store, if it is this one. */
export function answerArrivals(bus: Bus, store: Store): void {
  bus.serve(ARRIVAL_SUBJECT, async (from, instance) =>
    from === bus.self ? readProof(store, Buffer.from(instance).toString('latin1')) : new Uint8Array(0),
  );
}

async function readProof(store: Store, instance: string): Promise<Uint8Array> {
  const row = await store.get(arrivalRow(instance));
  return row?.value.subarray(EXPIRY_BYTES) ?? new Uint8Array(0);
}

function running(node: string): SymmetraError {
  return new SymmetraError(
    'NODE_RUNNING',
    'another process runs as this node, and not with this store; no two may share an identity',
    { node },
  );
}
