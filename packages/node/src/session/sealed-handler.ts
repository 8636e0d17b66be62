import type { Session } from '../presence/session-table.js';

/** Which device a session is of. */
export type Caller = Pick<Session, 'deviceId' | 'deviceHex'>;

/** The link that a sealed call came on. */
export interface CallPath {
  /** The process that has the link. */
  readonly instance: string;
  /** Whether the link carries calls of this device. */
  accepts(deviceHex: string): boolean;
  /** Makes the link the device's own. @throws LINK_NOT_BOUND when it is another device's */
  bind(deviceHex: string): void;
}

/** What a sealed method answers. */
export interface SealedOutcome {
  /** Protobuf bytes of the reply type. */
  readonly reply: Uint8Array;
  /** Runs behind the reply: what it does can not overtake it. */
  readonly after?: () => void;
}

/**
 * Answers a sealed method. `request` are the protobuf bytes of its request type; they are lent, and erased once the
 * handler is done. It refuses by a SymmetraError, which travels sealed. `path` is absent for unary and relayed calls; `seq` is
 * the request's sequence number.
 */
export type SealedHandler = (
  session: Session,
  request: Uint8Array,
  path: CallPath | undefined,
  seq: number,
) => SealedOutcome | Promise<SealedOutcome>;
