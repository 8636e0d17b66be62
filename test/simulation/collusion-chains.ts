import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { Secret, Suite } from '@symmetra/crypto';
import { SessionEnd, deviceIdOf } from '@symmetra/protocol';
import type { ChainParties, EpochKeys, NodeTokenSecret, ProtocolContext } from '@symmetra/protocol';
import {
  decodeAnswer as decodeEnrolmentAnswer,
  decodeOffer,
  decodeOfferBody,
} from '../../packages/protocol/src/enrolment/messages.js';
import { enrolmentKeys } from '../../packages/protocol/src/enrolment/transcript.js';
import { enterEpoch } from '../../packages/protocol/src/ratchet/epoch.js';
import { decodeR1, decodeR1Head, decodeR2 } from '../../packages/protocol/src/ratchet/messages.js';
import { deriveNextEpoch, openR1, openR2, stepKeys } from '../../packages/protocol/src/ratchet/transcript.js';
import { decodeAnswer, decodeOpen, decodeOpenBody } from '../../packages/protocol/src/session/messages.js';
import { advanceChain, openTag, sessionKeys } from '../../packages/protocol/src/session/transcript.js';
import type { KemOracle, WireRecord } from './collusion-wire.js';

/*
 * What follows from what between a device and a node, for somebody who holds a recording: a token secret and the KEMs of
 * the enrolment give epoch 0, an epoch and the KEMs of a step give the next one, an epoch gives its sessions.
 */

/** What everybody knows of a node. */
export interface PublicNode {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly keyHash: Uint8Array;
}

/** An epoch of some chain that the attacker holds. */
export interface KnownEpoch {
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
}

/** Both ends of a recorded session: each opens what the other one sealed. */
export interface KnownSession {
  readonly parties: ChainParties;
  readonly sessionId: Uint8Array;
  readonly device: SessionEnd;
  readonly node: SessionEnd;
}

type Recorded<Kind extends WireRecord['kind']> = Extract<WireRecord, { kind: Kind }>;

/** What an attempt gives; undefined when it does not verify. */
export function attempt<Result>(action: () => Result | undefined): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof SymmetraError) return undefined;
    throw error;
  }
}

function decapsulate(
  suite: Suite,
  kem: KemOracle,
  publicKey: Uint8Array,
  ct: Uint8Array,
): Uint8Array | undefined {
  const secretKey = kem(publicKey);
  return secretKey && suite.kem.decapsulate(ct, secretKey);
}

/** ENR-5: epoch 0, from one of the token secrets and both KEMs. */
export function epochOfEnrolment(
  context: ProtocolContext,
  kem: KemOracle,
  nodes: readonly PublicNode[],
  tokens: readonly NodeTokenSecret[],
  { offer, answer }: Recorded<'enrolment'>,
): KnownEpoch | undefined {
  const { body: bodyBytes } = decodeOffer(offer);
  const body = decodeOfferBody(context, bodyBytes);
  const node = nodes.find(({ id }) => id === body.nodeId);
  if (node === undefined) return undefined;
  const suite = context.suites.get(body.suiteId);
  const reply = decodeEnrolmentAnswer(answer);
  const staticSecret = decapsulate(suite, kem, node.publicKey, body.ciphertext);
  const ephemeralSecret = decapsulate(suite, kem, body.ephemeralKey, reply.ciphertext);
  if (staticSecret === undefined || ephemeralSecret === undefined) return undefined;
  const parties = {
    deviceId: deviceIdOf(body.tokenId, body.enrolmentNonce),
    nodeId: node.id,
    nodeKeyHash: node.keyHash,
  };
  for (const token of tokens) {
    const secrets = { token, staticSecret, ephemeralSecret };
    const keys = enrolmentKeys(context, suite, parties, secrets, bodyBytes, reply);
    if (!equalConstantTime(keys.nodeTag, reply.tag)) continue;
    const epoch = { suiteId: suite.id, epoch: 0, stage: 'bootstrap' };
    const { deviceId, nodeId } = parties;
    return {
      parties: { deviceId, nodeId },
      keys: enterEpoch(context, { deviceId, nodeId }, epoch, keys.bootstrapKey.bytes, keys.transcriptHash),
    };
  }
  return undefined;
}

/** ATK-5: the next epoch, from the present one and both KEMs of the step. */
export function epochOfStep(
  context: ProtocolContext,
  kem: KemOracle,
  nodes: readonly PublicNode[],
  known: KnownEpoch,
  wire: Recorded<'step'>,
): KnownEpoch | undefined {
  const r1 = decodeR1(wire.r1);
  const head = decodeR1Head(context, r1.head);
  if (!sameParties(known.parties, head) || head.epoch !== known.keys.epoch) return undefined;
  const node = nodes.find(({ id }) => id === head.nodeId);
  const step = stepKeys(context, known.parties, known.keys);
  const body = openR1(context, step, head.nonce, r1.head, r1.sealed);
  const r2 = decodeR2(wire.r2);
  const { ciphertext, entropy, stage } = openR2(context, step, head.nonce, r2.nonce, r2.sealed);
  const suite = context.suites.get(head.nextSuiteId);
  const staticSecret = node && decapsulate(suite, kem, node.publicKey, body.ciphertext);
  const ephemeralSecret = decapsulate(suite, kem, body.ephemeralKey, ciphertext);
  if (staticSecret === undefined || ephemeralSecret === undefined) return undefined;
  const next = deriveNextEpoch(
    context,
    step,
    { suiteId: suite.id, stage },
    { staticSecret, ephemeralSecret, entropy },
    { r1: wire.r1, nodeNonce: r2.nonce, sealed: r2.sealed },
  );
  return equalConstantTime(next.nodeTag, r2.tag) ? { parties: known.parties, keys: next.keys } : undefined;
}

/** SES-4: the session that an open message and its answer made, from an epoch that is not behind it. */
export function sessionOf(
  context: ProtocolContext,
  known: KnownEpoch,
  wire: Recorded<'session'>,
): KnownSession | undefined {
  const open = decodeOpen(wire.open);
  const body = decodeOpenBody(context, open.body);
  const { parties, keys } = known;
  if (!sameParties(parties, body) || body.epoch !== keys.epoch || body.counter < keys.counter) {
    return undefined;
  }
  const suite = context.suites.get(keys.suiteId);
  const placeAt = (counter: number) => ({ suite, parties, epoch: keys.epoch, counter });
  let step = advanceChain(context, placeAt(keys.counter), keys.chainKey);
  for (let counter = keys.counter + 1; counter <= body.counter; counter++) {
    step = advanceChain(context, placeAt(counter), step.next);
  }
  const place = placeAt(body.counter);
  const { master } = step;
  if (!equalConstantTime(openTag(context, place, master, open.body, open.evidenceTag), open.tag)) {
    return undefined;
  }
  const answer = decodeAnswer(wire.answer);
  const { answerTag, deviceToNode, nodeToDevice } = sessionKeys(context, place, master, wire.open, answer);
  if (!equalConstantTime(answerTag, answer.tag)) return undefined;
  const end = (side: 'device' | 'node', sendKey: Secret<'DirectionKey'>, receiveKey: typeof sendKey) =>
    new SessionEnd(context, {
      end: side,
      suite,
      sessionId: answer.sessionId,
      sendKey,
      receiveKey,
      maxMessages: Number.MAX_SAFE_INTEGER,
    });
  return {
    parties,
    sessionId: answer.sessionId,
    device: end('device', deviceToNode, nodeToDevice),
    node: end('node', nodeToDevice, deviceToNode),
  };
}

function sameParties(parties: ChainParties, other: ChainParties): boolean {
  return parties.nodeId === other.nodeId && equalConstantTime(parties.deviceId, other.deviceId);
}
