import { SymmetraError, concat, toBase32 } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import { INSTANCE_CHARS } from '@symmetra/bus';
import type { SessionEnd } from '@symmetra/protocol';
import { hexOf } from '../rows/row-keys.js';

const SESSION_ID_BYTES = 16;
/** Sessions that a device may have at one node at once. */
const MAX_PER_DEVICE = 4;
/** Sessions that a node keeps at once. */
const MAX_SESSIONS = 50_000;

/** An open session at this node; it lives and dies with the process (SES-5). */
export class Session {
  readonly end: SessionEnd;
  readonly idHex: string;
  readonly deviceId: Uint8Array;
  readonly deviceHex: string;
  /** Device id, base32. */
  readonly device: string;
  readonly suiteId: number;
  /** Monotonic milliseconds. */
  readonly expiresAt: number;
  #lastEvent = 0;
  /** Sequence number of the newest Attach; -1 before the first. */
  #attachSeq = -1;

  constructor(end: SessionEnd, deviceId: Uint8Array, suiteId: number, expiresAt: number) {
    this.end = end;
    this.idHex = hexOf(end.sessionId);
    this.deviceId = deviceId;
    this.deviceHex = hexOf(deviceId);
    this.device = toBase32(deviceId);
    this.suiteId = suiteId;
    this.expiresAt = expiresAt;
  }

  /** Number of the last event that was sent in this session; 0 before the first. */
  get lastEvent(): number {
    return this.#lastEvent;
  }

  /** SES-6: events count from 1. */
  nextEvent(): number {
    this.#lastEvent += 1;
    return this.#lastEvent;
  }

  /** SES-7: the device's latest statement counts, in whatever order its statements come. @throws MESSAGE_REPLAYED */
  takeAttach(seq: number): void {
    if (seq < this.#attachSeq) {
      throw new SymmetraError('MESSAGE_REPLAYED', 'the device said later where it is', { seq });
    }
    this.#attachSeq = seq;
  }
}

/** The sessions of this node, in bounded number: the oldest of a device, or of all, makes room for a new one. */
export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  readonly #byDevice = new Map<string, Session[]>();
  readonly #now: () => number;
  readonly #onRemoved: (session: Session) => void;

  /**
   * @param now monotonic milliseconds.
   * @param onRemoved told of each session that is over; its keys are erased by then.
   */
  constructor(now: () => number, onRemoved: (session: Session) => void) {
    this.#now = now;
    this.#onRemoved = onRemoved;
  }

  /** How many are open. */
  get size(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    const own = this.#byDevice.get(session.deviceHex) ?? [];
    const [oldest] = own;
    if (oldest !== undefined && own.length >= MAX_PER_DEVICE) this.remove(oldest);
    if (this.#sessions.size >= MAX_SESSIONS) {
      for (const first of this.#sessions.values()) {
        this.remove(first);
        break;
      }
    }
    this.#sessions.set(session.idHex, session);
    this.#byDevice.set(session.deviceHex, [...(this.#byDevice.get(session.deviceHex) ?? []), session]);
  }

  /** @throws SESSION_LOST when there is no such session, or none any more */
  find(sessionId: Uint8Array): Session {
    const session = this.#sessions.get(hexOf(sessionId));
    if (session !== undefined && session.expiresAt > this.#now()) return session;
    if (session !== undefined) this.remove(session);
    throw sessionLost();
  }

  /** Whether a session is still open. */
  has(session: Session): boolean {
    return this.#sessions.get(session.idHex) === session;
  }

  /** Ends a session; its keys are erased. */
  remove(session: Session): void {
    if (!this.has(session)) return;
    session.end.wipe();
    this.#sessions.delete(session.idHex);
    const left = (this.#byDevice.get(session.deviceHex) ?? []).filter((other) => other !== session);
    if (left.length === 0) this.#byDevice.delete(session.deviceHex);
    else this.#byDevice.set(session.deviceHex, left);
    this.#onRemoved(session);
  }

  /** Ends all sessions of a device. */
  removeDevice(deviceHex: string): void {
    for (const session of this.#byDevice.get(deviceHex) ?? []) this.remove(session);
  }

  /** Ends the sessions that do not pass. */
  retain(passes: (session: Session) => boolean): void {
    for (const session of this.#sessions.values()) {
      if (!passes(session)) this.remove(session);
    }
  }

  /** Ends the sessions whose time is over. */
  sweep(): void {
    const now = this.#now();
    this.retain((session) => session.expiresAt > now);
  }
}

/** SES-3: a fresh session id; its first bytes name the process, so that every node finds it. */
export function sessionIdAt(instance: string, random: RandomBytes): Uint8Array {
  const process = Buffer.from(instance, 'hex');
  return concat(process, random(SESSION_ID_BYTES - process.length));
}

/** The process that a session belongs to. */
export function instanceOf(sessionId: Uint8Array): string {
  return hexOf(sessionId.subarray(0, INSTANCE_CHARS / 2));
}

export function sessionLost(): SymmetraError {
  return new SymmetraError('SESSION_LOST', 'the session is not known here; open another');
}
