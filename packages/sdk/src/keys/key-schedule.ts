import { toHex } from '@symmetra/crypto';
import type { Logger, Timer } from '@symmetra/runtime';
import { codeOf } from '../failure.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Timers } from '../timers.js';
import type { EndedKeys } from './ended-keys.js';
import type { Key, KeyInfo, PendingKey } from './key-info.js';
import { isOver } from './key-record.js';
import type { KeyRecord } from './key-record.js';
import type { KeyStore } from './key-store.js';

/** The share of its lifetime after which the initiator renews a key that is in use. */
const RENEWAL_SHARE = 0.8;
const MIN_PAUSE_MS = 50;
/** The clock of the nodes may turn out to be another one meanwhile. */
const MAX_PAUSE_MS = 15 * 60_000;
const RETRY_RENEWAL_MS = 30_000;

/** What the schedule needs. */
export interface ScheduleParts {
  readonly keys: KeyStore;
  readonly ended: EndedKeys;
  readonly nodeClock: NodeClock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether a channel runs under a key: then it is kept until its time is over, whatever uses it has left. */
  readonly isBusy: (keyId: string) => boolean;
  /** Begins the negotiation of a key that takes the place of this one. */
  readonly renew: (record: KeyRecord) => Promise<Key | PendingKey>;
  /** Ends negotiations that took too long. @returns when the next one does, node time */
  readonly sweepRuns: (nowMs: number) => Promise<number>;
  readonly onExpired: (keys: readonly KeyInfo[]) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Renews keys before they expire, and erases those that have. */
export class KeySchedule {
  readonly #parts: ScheduleParts;
  /** When a renewal is begun again that did not come about, node time. */
  readonly #renewals = new Map<string, number>();
  #timer: Timer | undefined;
  /** When it looks next, node time. */
  #nextMs = Number.POSITIVE_INFINITY;
  #running = false;
  #again = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  /** Takes note of a key that is new or was used: it may be due before all others. */
  consider(record: KeyRecord): void {
    const now = this.#parts.nodeClock.now();
    const dueMs = isOver(record, now) ? now : (this.#renewalDue(record) ?? record.notAfterMs);
    if (this.#running) this.#again = true;
    else if (dueMs < this.#nextMs) this.#arm(dueMs);
  }

  /** Looks at all keys now. */
  kick(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    this.#timer?.cancel();
    this.#look()
      .then((dueMs) => this.#arm(dueMs))
      .catch((error: unknown) => {
        this.#parts.onFailure(error);
        this.#arm(Number.POSITIVE_INFINITY);
      });
  }

  /** Renews a key now. */
  async renew(record: KeyRecord): Promise<Key | PendingKey> {
    this.#renewals.set(toHex(record.material.keyId), this.#parts.nodeClock.now() + RETRY_RENEWAL_MS);
    return this.#parts.renew(record);
  }

  #arm(dueMs: number): void {
    this.#running = false;
    const pause = dueMs - this.#parts.nodeClock.now();
    const bounded = this.#again ? MIN_PAUSE_MS : Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pause));
    this.#again = false;
    this.#nextMs = this.#parts.nodeClock.now() + bounded;
    this.#timer?.cancel();
    this.#timer = this.#parts.timers.set(bounded, () => this.kick());
  }

  /** @returns when to look again, node time */
  async #look(): Promise<number> {
    const { keys, ended, nodeClock, sweepRuns } = this.#parts;
    const now = nodeClock.now();
    await this.#expire(now);
    await ended.sweep(now);
    const runsDue = await sweepRuns(now);
    const dues = keys.all().flatMap((record) => {
      const renewal = this.#renewalDue(record);
      if (renewal !== undefined && renewal <= now) this.#begin(record);
      return [record.notAfterMs, renewal !== undefined && renewal > now ? renewal : record.notAfterMs];
    });
    return Math.min(runsDue, ...dues);
  }

  async #expire(now: number): Promise<void> {
    const { keys, isBusy, onExpired } = this.#parts;
    const over = keys.all().filter((record) => isOver(record, now));
    const late = over.filter((record) => now >= record.notAfterMs);
    const usedUp = over.filter((record) => now < record.notAfterMs && !isBusy(idOf(record)));
    const expired = [
      ...(await keys.erase(late.map(idOf), 'KEY_EXPIRED')),
      ...(await keys.erase(usedUp.map(idOf), 'KEY_USED_UP')),
    ];
    for (const { keyId } of expired) this.#renewals.delete(keyId);
    if (expired.length > 0) onExpired(expired);
  }

  #renewalDue(record: KeyRecord): number | undefined {
    if (record.role !== 'initiator' || !record.isUsed || record.renewedBy !== undefined) return undefined;
    const { createdMs, notAfterMs } = record;
    const due = createdMs + (notAfterMs - createdMs) * RENEWAL_SHARE;
    return Math.max(due, this.#renewals.get(idOf(record)) ?? 0);
  }

  #begin(record: KeyRecord): void {
    const keyId = idOf(record);
    this.renew(record).catch((error: unknown) => {
      this.#parts.logger.warn({ keyId, code: codeOf(error) }, 'A key could not be renewed.');
    });
  }
}

function idOf(record: KeyRecord): string {
  return toHex(record.material.keyId);
}
