import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { presenceRow } from '../rows/row-keys.js';
import { PresenceTable } from './presence-table.js';
import type { Presence } from './presence-table.js';
import type { Session } from './session-table.js';

const MAX_TEXT_BYTES = 255;
const MAX_ADDRESSES = 8;
const MAX_ATTEMPTS = 8;
/** In a row: no session is known to have numbered all that there was to say. */
const OWED = '';

/** Where a device is, as far as any process of this node knows. */
export interface Whereabouts {
  /** The process of this node that has the device's session. */
  readonly process: string;
  readonly home: string;
  /** The process of the home node that has the link; undefined when it is not known. */
  readonly linkAt: string | undefined;
  readonly addresses: readonly string[];
  /** The session in which the device attached, hexadecimal; empty when something was not sent in it, and has no number. */
  readonly session: string;
}

/** What of it other devices are told. */
export interface PublicPresence {
  readonly online: boolean;
  readonly addresses: string[];
}

export interface PresencesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This node. */
  readonly self: string;
  /** This process. */
  readonly instance: string;
  readonly isShared: boolean;
}

/**
 * Which devices are attached. A node of one process knows it from memory; where several processes share the store, a row
 * for each device says it to all of them, and only that counts: a process that is gone takes no device with it that
 * attached elsewhere.
 */
export class Presences {
  readonly #parts: PresencesParts;
  readonly #table = new PresenceTable();

  constructor(parts: PresencesParts) {
    this.#parts = parts;
  }

  /** The presence of a device in a session of this process. */
  here(deviceHex: string): Presence | undefined {
    return this.#table.of(deviceHex);
  }

  /** The devices that are attached in sessions of this process. */
  devices(): readonly string[] {
    return this.#table.devices();
  }

  /** Where a device is; without a wait at a node of one process. */
  find(deviceHex: string): Whereabouts | undefined | Promise<Whereabouts | undefined> {
    if (this.#parts.isShared) return this.#read(deviceHex);
    const presence = this.#table.of(deviceHex);
    return presence && whereaboutsOf(presence, this.#parts.instance);
  }

  /** What other devices are told of a device; likewise. */
  publicOf(deviceHex: string): PublicPresence | Promise<PublicPresence> {
    if (this.#parts.isShared) return this.#read(deviceHex).then(publish);
    return publish(this.#table.of(deviceHex));
  }

  /**
   * SES-7. The row is durable when this is fulfilled.
   * @returns whether the node knew where the device is until now, in this session: else there are things that it would
   *   have sent, and did not
   * @throws STATE_CONFLICT, and what the store throws
   */
  async attach(presence: Presence): Promise<boolean> {
    const { session } = presence;
    const wasKnown = this.#isHereIn(session);
    this.#table.attach(presence);
    if (!this.#parts.isShared) return wasKnown;
    const hadRow = await this.#attachRow(presence);
    if (!this.#isHereIn(session)) this.#removeOf(session);
    return wasKnown && hadRow;
  }

  /** Forgets where a device is, unless it attached with another session by now. */
  forget(session: Session): void {
    if (this.#table.forget(session) && this.#parts.isShared) this.#removeOf(session);
  }

  /** A device is not where it said that it is. What it said since then stands. */
  refute(presence: Presence): void {
    if (this.#table.of(presence.session.deviceHex) === presence) this.forget(presence.session);
  }

  /** A device's link at this process is over. @param isLinked whether it has another one here meanwhile */
  leave(deviceHex: string, isLinked: () => boolean): void {
    const { self, instance, isShared } = this.#parts;
    this.#table.leave(deviceHex, self);
    if (!isShared) return;
    void this.#remove(deviceHex, ({ home, linkAt }) => home === self && linkAt === instance && !isLinked());
  }

  /** Forgets a device whose process is gone. */
  async lose(deviceHex: string, gone: string): Promise<void> {
    await this.#remove(deviceHex, ({ process, linkAt }) => process === gone || linkAt === gone);
  }

  /**
   * Something was not sent to a device, as the process that has its session did not answer: the device is behind when it
   * attaches again. Never fails.
   * @param process the only process for which that holds, if it holds for one alone
   */
  async owe(deviceHex: string, process?: string): Promise<void> {
    const { store, clock, logger } = this.#parts;
    const key = presenceRow(deviceHex);
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const row = await store.get(key);
        const where = row && decodeRow(row.value, clock.now());
        if (row === undefined || where === undefined || where.session === OWED) return;
        if (process !== undefined && where.process !== process) return;
        const value = encodeRow({ ...where, session: OWED }, Number(new Reader(row.value, 'presence').u64()));
        if (await store.commit([{ key, value, expect: row.version }])) return;
      }
    } catch (error) {
      logger.debug({ err: error }, 'The row of a device that misses an event could not be written.');
    }
  }

  #isHereIn(session: Session): boolean {
    return this.#table.of(session.deviceHex)?.session === session;
  }

  /** A row that was written meanwhile for a device that is here again stays. */
  #removeOf(session: Session): void {
    const { instance } = this.#parts;
    void this.#remove(
      session.deviceHex,
      (where) =>
        where.process === instance &&
        [session.idHex, OWED].includes(where.session) &&
        !this.#isHereIn(session),
    );
  }

  /** @returns whether a row of this session was there; a later statement of the device is not overwritten. */
  async #attachRow(presence: Presence): Promise<boolean> {
    const { store, clock, instance } = this.#parts;
    const { session } = presence;
    const key = presenceRow(session.deviceHex);
    const value = encodeRow(whereaboutsOf(presence, instance), this.#expiryOf(session));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const row = await store.get(key);
      const former = row && decodeRow(row.value, clock.now());
      if (this.#table.of(session.deviceHex) !== presence) return false;
      if (await store.commit([{ key, value, expect: row?.version ?? 0 }])) {
        return former?.process === instance && former.session === session.idHex;
      }
    }
    throw new SymmetraError('STATE_CONFLICT', 'where the device is was written by others at the same time');
  }

  async #read(deviceHex: string): Promise<Whereabouts | undefined> {
    const { store, clock } = this.#parts;
    const row = await store.get(presenceRow(deviceHex));
    return row && decodeRow(row.value, clock.now());
  }

  /** Removes a row that still says so. Never fails: a row that stays is found out when it is used. */
  async #remove(deviceHex: string, says: (where: Whereabouts) => boolean): Promise<void> {
    const { store, clock, logger } = this.#parts;
    const key = presenceRow(deviceHex);
    try {
      const row = await store.get(key);
      const where = row && decodeRow(row.value, clock.now());
      if (row === undefined || where === undefined || !says(where)) return;
      await store.commit([{ key, value: null, expect: row.version }]);
    } catch (error) {
      logger.debug({ err: error }, 'The row of a device that left could not be removed.');
    }
  }

  /** Nothing is sent to a device beyond its session. */
  #expiryOf({ expiresAt }: Session): number {
    const { clock } = this.#parts;
    return clock.now() + Math.max(0, expiresAt - clock.monotonic());
  }
}

function whereaboutsOf({ session, home, linkAt, addresses }: Presence, process: string): Whereabouts {
  return { process, home, linkAt, addresses, session: session.idHex };
}

function publish(where: Pick<Whereabouts, 'addresses'> | undefined): PublicPresence {
  return { online: where !== undefined, addresses: [...(where?.addresses ?? [])] };
}

/** It begins with the time when it expires, as all rows that do. */
function encodeRow(
  { process, home, linkAt, addresses, session }: Whereabouts,
  expiresMs: number,
): Uint8Array {
  return new Writer()
    .u64(Math.floor(expiresMs))
    .text(process)
    .text(home)
    .text(linkAt ?? '')
    .text(session)
    .list(addresses, (writer, address) => void writer.text(address))
    .finish();
}

/** Undefined when its time is over. @throws BAD_ENCODING */
function decodeRow(value: Uint8Array, nowMs: number): Whereabouts | undefined {
  const reader = new Reader(value, 'presence');
  const expiresMs = Number(reader.u64());
  const process = reader.text(MAX_TEXT_BYTES);
  const home = reader.text(MAX_TEXT_BYTES);
  const linkAt = reader.text(MAX_TEXT_BYTES);
  const session = reader.text(MAX_TEXT_BYTES);
  const addresses = reader.list(MAX_ADDRESSES, (r) => r.text(4 * MAX_TEXT_BYTES));
  reader.end();
  if (expiresMs <= nowMs) return undefined;
  return { process, home, linkAt: linkAt === '' ? undefined : linkAt, addresses, session };
}
