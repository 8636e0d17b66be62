import { AuthenticationError, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { newestKeys, withNewestKeys } from '../ratchet/initiator.js';
import type { DeviceChain } from '../ratchet/initiator.js';
import { SessionEnd } from './cipher.js';
import { decodeAnswer, encodeOpen, encodeOpenBody } from './messages.js';
import type { SessionGrant } from './messages.js';
import { advanceChain, evidenceTag, openGrant, openTag, sessionKeys } from './transcript.js';
import type { SessionMaster, SessionPlace } from './transcript.js';

/*
 *   chain at c --openSession--> chain at c+1, opening --answer--> open
 *
 * The chain's step to c+1 is persisted before the open message leaves; `opening` stays in memory: when its answer
 * is lost, the device opens the next session.
 */

/** An open message that waits for its answer. In memory only. */
export interface SessionOpening {
  readonly place: SessionPlace;
  readonly master: SessionMaster;
  /** The open message. */
  readonly open: Uint8Array;
}

/**
 * SES-1: opens the next session of the newest epoch. Persist `state`, then send `output.open`.
 * @throws EPOCH_UNUSED in epoch 0, which is for the first ratchet step alone
 */
export function openSession(
  context: ProtocolContext,
  chain: DeviceChain,
  nonce: Uint8Array,
): Step<DeviceChain, SessionOpening> {
  const keys = newestKeys(chain);
  if (keys.epoch === 0) {
    throw new SymmetraError('EPOCH_UNUSED', 'epoch 0 opens no session; take a ratchet step first');
  }
  const { deviceId, nodeId } = chain.parties;
  const place: SessionPlace = {
    suite: context.suites.get(keys.suiteId),
    parties: chain.parties,
    epoch: keys.epoch,
    counter: keys.counter,
  };
  const { master, next } = advanceChain(context, place, keys.chainKey);
  const { suiteId, epoch, counter } = keys;
  const body = encodeOpenBody(context, { suiteId, deviceId, nodeId, epoch, counter, nonce });
  const evidence = evidenceTag(context, chain.parties, keys, body);
  const tag = openTag(context, place, master, body, evidence);
  return {
    state: withNewestKeys(chain, { ...keys, chainKey: next, counter: counter + 1 }),
    output: { place, master, open: encodeOpen({ body, evidenceTag: evidence, tag }) },
    consumed: [keys.chainKey],
  };
}

/**
 * SES-4: checks the answer; the session is open. An answer that does not verify changes nothing.
 * @throws BAD_ENCODING, AUTHENTICATION_FAILED
 */
export function receiveSessionAnswer(
  context: ProtocolContext,
  opening: SessionOpening,
  answerBytes: Uint8Array,
): {
  readonly session: SessionEnd;
  readonly grant: SessionGrant;
  readonly consumed: readonly { wipe(): void }[];
} {
  const answer = decodeAnswer(answerBytes);
  const keys = sessionKeys(context, opening.place, opening.master, opening.open, answer);
  if (!equalConstantTime(keys.answerTag, answer.tag)) {
    keys.deviceToNode.wipe();
    keys.nodeToDevice.wipe();
    throw new AuthenticationError('the answer to the session open does not verify');
  }
  const grant = openGrant(context, opening.place, opening.master, opening.open, answer);
  const session = new SessionEnd(context, {
    end: 'device',
    suite: opening.place.suite,
    sessionId: answer.sessionId,
    sendKey: keys.deviceToNode,
    receiveKey: keys.nodeToDevice,
    maxMessages: grant.maxMessages,
  });
  return { session, grant, consumed: [opening.master] };
}
