import { AuthenticationError, Secret, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { decodeAnswer, encodeConfirmation, encodeOffer, encodeOfferBody } from './messages.js';
import { deviceIdOf } from './token.js';
import type { NodeTokenSecret } from './token.js';
import { enrolmentKeys, filterTag, offerTag } from './transcript.js';
import type { BootstrapKey, EnrolmentParties } from './transcript.js';

/*
 *   start -> offered -> confirming -> enrolled
 *               ^           |
 *               +-----------+   another valid answer to the same offer replaces the bootstrap key
 */

interface Offered {
  readonly suiteId: number;
  readonly parties: EnrolmentParties;
  readonly tokenId: Uint8Array;
  readonly token: NodeTokenSecret;
  readonly staticSecret: Secret<'StaticSecret'>;
  readonly ephemeralKey: Secret<'EphemeralKey'>;
  /** m1. */
  readonly body: Uint8Array;
  /** The offer as it is sent, and sent again. */
  readonly offer: Uint8Array;
}

/** The device waits for the node's answer. */
export interface EnrolmentOffered extends Offered {
  readonly kind: 'offered';
}

/** The device has the bootstrap key and waits for the acknowledgement. */
export interface EnrolmentConfirming extends Offered {
  readonly kind: 'confirming';
  readonly bootstrapKey: BootstrapKey;
  readonly transcriptHash: Uint8Array;
  readonly account: string;
  /** The confirmation as it is sent, and sent again. */
  readonly confirmation: Uint8Array;
  readonly ackTag: Uint8Array;
}

/** Both sides hold the bootstrap key. */
export interface Enrolled {
  readonly kind: 'enrolled';
  readonly suiteId: number;
  readonly parties: EnrolmentParties;
  readonly account: string;
  readonly bootstrapKey: BootstrapKey;
  readonly transcriptHash: Uint8Array;
}

/** What the device knows before it starts with one node. */
export interface EnrolmentStart {
  readonly suiteId: number;
  readonly tokenId: Uint8Array;
  /** t_i; the state takes ownership. */
  readonly token: NodeTokenSecret;
  /** n_E, 32 fresh bytes, the same for all nodes. */
  readonly enrolmentNonce: Uint8Array;
  readonly nodeId: string;
  readonly nodeKeyHash: Uint8Array;
  /** The node's static KEM key of this suite. */
  readonly nodeKemKey: Uint8Array;
  readonly descriptorVersion: number;
  readonly name: string;
}

/** Fresh random bytes: `seed` of the KEM's seedLength, `coins` of its coinsLength. */
export interface KemRandom {
  readonly seed: Uint8Array;
  readonly coins: Uint8Array;
}

/** ENR-2: makes the offer. Persist the state, then send `output`. @throws SUITE_UNKNOWN, BAD_KEM_KEY */
export function startEnrolment(
  context: ProtocolContext,
  start: EnrolmentStart,
  random: KemRandom,
): Step<EnrolmentOffered, Uint8Array> {
  const suite = context.suites.get(start.suiteId);
  const parties: EnrolmentParties = {
    deviceId: deviceIdOf(start.tokenId, start.enrolmentNonce),
    nodeId: start.nodeId,
    nodeKeyHash: start.nodeKeyHash,
  };
  const ephemeral = suite.kem.keygen(random.seed);
  const { ciphertext, sharedSecret } = suite.kem.encapsulate(start.nodeKemKey, random.coins);
  const body = encodeOfferBody(context, {
    suiteId: start.suiteId,
    nodeId: start.nodeId,
    descriptorVersion: start.descriptorVersion,
    tokenId: start.tokenId,
    enrolmentNonce: start.enrolmentNonce,
    ephemeralKey: ephemeral.publicKey,
    ciphertext,
    name: start.name,
  });
  const offer = encodeOffer({
    body,
    filterTag: filterTag(context, suite, parties, start.token, body),
    tag: offerTag(context, suite, parties, start.token, sharedSecret, body),
  });
  const state: EnrolmentOffered = {
    kind: 'offered',
    suiteId: start.suiteId,
    parties,
    tokenId: start.tokenId,
    token: start.token,
    staticSecret: Secret.of('StaticSecret', sharedSecret),
    ephemeralKey: Secret.of('EphemeralKey', ephemeral.secretKey),
    body,
    offer,
  };
  return { state, output: offer, consumed: [] };
}

/**
 * ENR-5: checks the node's answer and confirms it. An answer that does not verify changes nothing.
 * @throws BAD_ENCODING, AUTHENTICATION_FAILED, BAD_KEM_CIPHERTEXT
 */
export function receiveAnswer(
  context: ProtocolContext,
  state: EnrolmentOffered | EnrolmentConfirming,
  answerBytes: Uint8Array,
): Step<EnrolmentConfirming, Uint8Array> {
  const suite = context.suites.get(state.suiteId);
  const answer = decodeAnswer(answerBytes);
  const ephemeralSecret = suite.kem.decapsulate(answer.ciphertext, state.ephemeralKey.bytes);
  const keys = enrolmentKeys(
    context,
    suite,
    state.parties,
    { token: state.token, staticSecret: state.staticSecret.bytes, ephemeralSecret },
    state.body,
    answer,
  );
  ephemeralSecret.fill(0);
  if (!equalConstantTime(keys.nodeTag, answer.tag)) {
    keys.bootstrapKey.wipe();
    throw new AuthenticationError('the answer to the enrolment offer does not verify');
  }
  const confirmation = encodeConfirmation({
    tokenId: state.tokenId,
    deviceId: state.parties.deviceId,
    tag: keys.deviceTag,
  });
  const next: EnrolmentConfirming = {
    kind: 'confirming',
    suiteId: state.suiteId,
    parties: state.parties,
    tokenId: state.tokenId,
    token: state.token,
    staticSecret: state.staticSecret,
    ephemeralKey: state.ephemeralKey,
    body: state.body,
    offer: state.offer,
    bootstrapKey: keys.bootstrapKey,
    transcriptHash: keys.transcriptHash,
    account: answer.account,
    confirmation,
    ackTag: keys.ackTag,
  };
  return {
    state: next,
    output: confirmation,
    consumed: state.kind === 'confirming' ? [state.bootstrapKey] : [],
  };
}

/** ENR-8: checks the acknowledgement; the device is enrolled at this node. @throws AUTHENTICATION_FAILED */
export function receiveAcknowledgement(
  state: EnrolmentConfirming,
  acknowledgement: Uint8Array,
): Step<Enrolled, undefined> {
  if (!equalConstantTime(state.ackTag, acknowledgement)) {
    throw new AuthenticationError('the acknowledgement of the enrolment does not verify');
  }
  const enrolled: Enrolled = {
    kind: 'enrolled',
    suiteId: state.suiteId,
    parties: state.parties,
    account: state.account,
    bootstrapKey: state.bootstrapKey,
    transcriptHash: state.transcriptHash,
  };
  return {
    state: enrolled,
    output: undefined,
    consumed: [state.token, state.staticSecret, state.ephemeralKey],
  };
}
