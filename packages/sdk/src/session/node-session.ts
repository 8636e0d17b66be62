import type { SessionEnd, SessionGrant } from '@symmetra/protocol';
import { EventNumbers } from './event-numbers.js';

/** A share of the session's lifetime and of its messages after which the device opens the next one. */
const USABLE_SHARE = 0.9;
const SPARE_MESSAGES = 32;

/** An open session with one node. */
export class NodeSession {
  readonly nodeId: string;
  readonly end: SessionEnd;
  readonly events = new EventNumbers();
  /** Whether the node knows by this session where the device's events go. */
  attached = false;
  readonly #usableUntil: number;

  /** @param openedAt milliseconds of the monotonic clock */
  constructor(nodeId: string, end: SessionEnd, grant: SessionGrant, openedAt: number) {
    this.nodeId = nodeId;
    this.end = end;
    this.#usableUntil = openedAt + grant.lifetimeSeconds * 1000 * USABLE_SHARE;
  }

  /** Whether new calls may still begin in this session. */
  isUsable(monotonicMs: number): boolean {
    return monotonicMs < this.#usableUntil && this.end.remaining > SPARE_MESSAGES;
  }
}
