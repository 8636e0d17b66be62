import { SymmetraError, Writer, equalConstantTime, labelBytes, sha256, sign, verify } from '@symmetra/crypto';
import { decodeEvent } from './event.js';
import type { ControlEvent, Policy } from './event.js';
import type { Descriptor } from './descriptor.js';

/** An administrator's signature over an event. */
export interface ControlSignature {
  /** SHA-256 of the administrator's public key. */
  readonly administrator: Uint8Array;
  readonly signature: Uint8Array;
}

/** CTL-3: an event as it travels. */
export interface SignedEvent {
  /** Canonical bytes. */
  readonly event: Uint8Array;
  readonly signatures: readonly ControlSignature[];
}

/** How far a party has followed the log. */
export interface LogHead {
  /** Number of the newest event; 0 before the first. */
  readonly number: number;
  /** Its hash; 32 zero bytes before the first. */
  readonly hash: Uint8Array;
}

/** The head of a log without events. */
export const EMPTY_LOG: LogHead = { number: 0, hash: new Uint8Array(32) };

/** The policy in force and the number of the event that set it; 0 and absent before the first. */
export interface PolicyInForce {
  readonly revision: number;
  readonly policy: Policy;
}

/** CTL-3: SHA-256(label, event). */
export function eventHash(event: Uint8Array): Uint8Array {
  return sha256(new Writer().bytes(labelBytes('controlEventHash')).bytes(event).finish());
}

/** Signs an event as one administrator. */
export function signEvent(event: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): ControlSignature {
  return { administrator: sha256(publicKey), signature: sign(event, secretKey, 'controlEventSign') };
}

/**
 * CTL-3: whether enough administrators of the descriptor signed an event of this network. Devices use it for the
 * events that nodes hand them; it says nothing about the event's place in the log.
 * @throws BAD_ENCODING, WRONG_NETWORK, BAD_EVENT, BAD_SIGNATURE
 */
export function verifyEvent(descriptor: Descriptor, signed: SignedEvent): ControlEvent {
  const event = decodeOwnEvent(descriptor.networkId, signed);
  const signers = descriptor.administrators.filter((publicKey) => {
    const id = sha256(publicKey);
    const own = signed.signatures.find((one) => equalConstantTime(one.administrator, id));
    return own !== undefined && verify(own.signature, signed.event, publicKey, 'controlEventSign');
  });
  if (signers.length < descriptor.administratorThreshold) {
    throw new SymmetraError('BAD_SIGNATURE', 'the control event is not signed by enough administrators', {
      needed: descriptor.administratorThreshold,
      found: signers.length,
    });
  }
  return event;
}

/** Where an event stands: in the log already, or next. */
export type EventPlace =
  | { readonly kind: 'repeated' }
  | { readonly kind: 'next'; readonly event: ControlEvent; readonly head: LogHead };

/**
 * CTL-3: verifies the next event of the log. An event that is already applied gives `repeated`.
 * @throws what {@link verifyEvent} and {@link placeEvent} throw
 */
export function nextEvent(
  descriptor: Descriptor,
  head: LogHead,
  knownHash: (number: number) => Uint8Array | undefined,
  signed: SignedEvent,
): EventPlace {
  verifyEvent(descriptor, signed);
  return placeEvent(descriptor, head, knownHash, signed);
}

/**
 * CTL-3: finds the place of an event whose signatures were verified, or which enough other nodes have in force.
 * @throws LOG_FORK when two events have one number; LOG_GAP when events before it are missing; LOG_BROKEN when it does not
 *   follow the head; BAD_ENCODING, BAD_EVENT, WRONG_NETWORK
 */
export function placeEvent(
  { networkId }: Pick<Descriptor, 'networkId'>,
  head: LogHead,
  knownHash: (number: number) => Uint8Array | undefined,
  signed: SignedEvent,
): EventPlace {
  const event = decodeOwnEvent(networkId, signed);
  const hash = eventHash(signed.event);
  if (event.number <= head.number) {
    const known = knownHash(event.number);
    if (known !== undefined && equalConstantTime(known, hash)) return { kind: 'repeated' };
    throw new SymmetraError('LOG_FORK', 'two control events have one number', { number: event.number });
  }
  if (event.number > head.number + 1) {
    throw new SymmetraError('LOG_GAP', 'control events before this one are missing', {
      number: event.number,
      head: head.number,
    });
  }
  if (!equalConstantTime(event.previousHash, head.hash)) {
    throw new SymmetraError('LOG_BROKEN', 'the control event does not follow the newest one', {
      number: event.number,
    });
  }
  return { kind: 'next', event, head: { number: event.number, hash } };
}

/** An event of this network. @throws BAD_ENCODING, WRONG_NETWORK, BAD_EVENT */
function decodeOwnEvent(networkId: Uint8Array, signed: SignedEvent): ControlEvent {
  const event = decodeEvent(signed.event);
  if (!equalConstantTime(event.networkId, networkId)) {
    throw new SymmetraError('WRONG_NETWORK', 'the control event belongs to another network');
  }
  return event;
}
