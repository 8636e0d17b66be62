import { AuthenticationError, Reader, SymmetraError, Writer, expand } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH, PROTOCOL_VERSION, readCount, u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { HeldEpoch } from './epochs.js';
import type { SenderWindows } from './message-window.js';

/** GRP-12: most messages of one member under one epoch when the header names no limit. */
const MAX_MESSAGES = 2 ** 32;
/** Bytes of the guard of a message. */
export const GUARD_LENGTH = 4;

/** What stands in a group message beside its ciphertext. Nothing of it is verified before the message is opened. */
export interface GroupMessageHead {
  /** 16 bytes. */
  readonly groupId: Uint8Array;
  readonly epoch: number;
  /** Device id of who says that it sent this; every member could have. */
  readonly sender: Uint8Array;
  readonly counter: number;
  /** 4 bytes, fresh with each message: a state that was copied or restored does not repeat a nonce. */
  readonly guard: Uint8Array;
}

/** GRP-12: a message that verified. */
export interface OpenedGroupMessage extends GroupMessageHead {
  readonly epochId: Uint8Array;
  readonly plaintext: Uint8Array;
  /** The sender's window, to be stored before the plaintext is given on; undefined when the stored one covers it. */
  readonly window: Uint8Array | undefined;
}

/**
 * GRP-12: seals a message to all members of an epoch.
 * @param from device id of this member; a counter from `MessageCounter`, never twice under one epoch; 4 fresh bytes.
 * @param aad of the caller, bound and not sent; at most 65,535 bytes.
 * @throws BAD_ENCODING when the plaintext or `aad` is too long; SECRET_WIPED when the epoch was given up.
 */
export function sealGroupMessage(
  context: ProtocolContext,
  epoch: HeldEpoch,
  from: Pick<GroupMessageHead, 'sender' | 'counter' | 'guard'>,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const { groupId, epoch: number, suiteId } = epoch.header;
  const head = { ...from, groupId, epoch: number };
  const key = senderKey(context, epoch, from.sender);
  const suite = context.suites.get(suiteId);
  const sealed = suite.seal(key, nonceOf(head), associatedData(head, aad), plaintext);
  key.fill(0);
  return writeHead(head).bytes(sealed).finish();
}

/** GRP-1, GRP-12: how many messages one member may send under an epoch. */
export function messageLimit(epoch: HeldEpoch): number {
  return epoch.header.limits.uses || MAX_MESSAGES;
}

/** Reads what a group message says of itself; nothing is verified. @throws BAD_ENCODING, WRONG_VERSION */
export function inspectGroupMessage(message: Uint8Array): GroupMessageHead {
  return decode(message).head;
}

/**
 * GRP-12: opens a message under an accepted epoch, each counter of a sender once.
 * @param epochs the accepted ones, all of the message's group.
 * @param windowsOf what came under an epoch so far.
 * @throws BAD_ENCODING, WRONG_VERSION; EPOCH_NOT_ACCEPTED when there is no epoch of its number; AUTHENTICATION_FAILED;
 *   MESSAGE_REPLAYED
 */
export function openGroupMessage(
  context: ProtocolContext,
  epochs: readonly HeldEpoch[],
  windowsOf: (epoch: HeldEpoch) => SenderWindows,
  message: Uint8Array,
  aad: Uint8Array,
): OpenedGroupMessage {
  const { head, ciphertext } = decode(message);
  const candidates = epochs.filter(({ header }) => header.epoch === head.epoch);
  if (candidates.length === 0) {
    throw new SymmetraError('EPOCH_NOT_ACCEPTED', 'the message is of an epoch that is not accepted', {
      epoch: head.epoch,
    });
  }
  for (const epoch of candidates.filter((one) => head.counter < messageLimit(one))) {
    const plaintext = openUnder(context, epoch, head, aad, ciphertext);
    if (plaintext === undefined) continue;
    const window = windowsOf(epoch).of(head.sender);
    if (!window.accepts(head.counter)) {
      plaintext.fill(0);
      throw new SymmetraError('MESSAGE_REPLAYED', 'the group message was received before', {
        counter: head.counter,
      });
    }
    return { ...head, epochId: epoch.epochId, plaintext, window: window.take(head.counter) };
  }
  throw new AuthenticationError('the group message does not verify');
}

/** Undefined when the message is not of this epoch: two epoch ids can have one number (GRP-5). */
function openUnder(
  context: ProtocolContext,
  epoch: HeldEpoch,
  head: GroupMessageHead,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  const key = senderKey(context, epoch, head.sender);
  try {
    const suite = context.suites.get(epoch.header.suiteId);
    return suite.open(key, nonceOf(head), associatedData(head, aad), ciphertext);
  } catch (error) {
    if (error instanceof AuthenticationError) return undefined;
    throw error;
  } finally {
    key.fill(0);
  }
}

function senderKey(context: ProtocolContext, epoch: HeldEpoch, sender: Uint8Array): Uint8Array {
  const suite = context.suites.get(epoch.header.suiteId);
  const kdf = {
    networkId: context.networkId,
    initiator: sender,
    responder: epoch.header.groupId,
    epoch: u64(epoch.header.epoch),
    transcriptHash: epoch.epochId,
  };
  return expand(suite, epoch.messageKey.bytes, 'groupSender', kdf, suite.keyLength);
}

function writeHead(head: GroupMessageHead): Writer {
  return new Writer()
    .u8(PROTOCOL_VERSION)
    .raw(head.groupId)
    .u64(head.epoch)
    .raw(head.sender)
    .u64(head.counter)
    .raw(head.guard);
}

function associatedData(head: GroupMessageHead, aad: Uint8Array): Uint8Array {
  return writeHead(head).bytes(aad).finish();
}

function decode(message: Uint8Array): { readonly head: GroupMessageHead; readonly ciphertext: Uint8Array } {
  const reader = new Reader(message, 'group message');
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw new SymmetraError('WRONG_VERSION', 'the group message is of another protocol version', { version });
  }
  const head = {
    groupId: reader.raw(SHORT_ID_LENGTH),
    epoch: readCount(reader),
    sender: reader.raw(DEVICE_ID_LENGTH),
    counter: readCount(reader),
    guard: reader.raw(GUARD_LENGTH),
  };
  const ciphertext = reader.bytes();
  reader.end();
  return { head, ciphertext };
}

function nonceOf({ guard, counter }: GroupMessageHead): Uint8Array {
  return new Writer().raw(guard).u64(counter).finish();
}
