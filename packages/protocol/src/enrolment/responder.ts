import { AuthenticationError, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { Secret, Suite } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { decodeConfirmation, decodeOffer, decodeOfferBody, encodeAnswer } from './messages.js';
import type { Confirmation, Offer, OfferBody } from './messages.js';
import { deviceIdOf } from './token.js';
import type { NodeTokenSecret } from './token.js';
import { enrolmentKeys, filterTag, offerTag } from './transcript.js';
import type { BootstrapKey, EnrolmentParties } from './transcript.js';

/*
 * A token's claims at one node:
 *
 *   offer -> reserved -> spent          a reservation that is not confirmed expires;
 *               |                       a spent claim stays, so that the same offer gets the same answer
 *               +-> expired, dropped
 */

/** One device's claim on a token. */
interface Claim {
  readonly deviceId: Uint8Array;
  readonly suiteId: number;
  readonly name: string;
  /** H(offer), to tell the identical offer from another one. */
  readonly offerHash: Uint8Array;
  readonly answer: Uint8Array;
  readonly deviceTag: Uint8Array;
  readonly ackTag: Uint8Array;
}

/** A use of the token is set aside until the device confirms. */
export interface ReservedClaim extends Claim {
  readonly kind: 'reserved';
  readonly bootstrapKey: BootstrapKey;
  readonly transcriptHash: Uint8Array;
  /** Node clock, milliseconds. */
  readonly expiresMs: number;
}

/** A use of the token is spent. */
export interface SpentClaim extends Claim {
  readonly kind: 'spent';
}

/** What one node keeps of a token. */
export interface TokenRecord {
  readonly tokenId: Uint8Array;
  readonly account: string;
  /** How many devices may enrol with it. */
  readonly uses: number;
  /** Node clock, milliseconds. */
  readonly expiresMs: number;
  readonly token: NodeTokenSecret;
  readonly claims: readonly (ReservedClaim | SpentClaim)[];
}

interface StaticKemKey {
  readonly publicKey: Uint8Array;
  readonly secretKey: Secret<'NodeKemKey'>;
}

/** The node's side of an enrolment: its identity, keys and rules. */
export interface EnrolmentNode {
  readonly nodeId: string;
  readonly nodeKeyHash: Uint8Array;
  /** Static KEM keys by suite. */
  readonly kemKeys: ReadonlyMap<number, StaticKemKey>;
  /** Suites that policy allows now. */
  readonly allowedSuites: readonly number[];
  readonly descriptorVersion: number;
  /** How long a reservation lasts, milliseconds. */
  readonly reservationMs: number;
}

/** Fresh random bytes for one answer: a 32-byte nonce, and KEM coins. */
export interface AnswerRandom {
  readonly nonce: Uint8Array;
  readonly coins: Uint8Array;
}

/** Reads the part of an offer that says where it belongs. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function inspectOffer(context: ProtocolContext, offer: Uint8Array): OfferBody {
  return decodeOfferBody(context, decodeOffer(offer).body);
}

/** An offer that knows the token, and what was read on the way to that finding. */
interface ScreenedOffer {
  readonly offer: Offer;
  readonly body: OfferBody;
  readonly parties: EnrolmentParties;
  readonly suite: Suite;
  /** The node's static key of the suite. */
  readonly kemKey: StaticKemKey;
}

/**
 * ENR-3, up to tag0: all that a stranger's offer costs. It needs the token's secret alone and does no KEM work.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, WRONG_NODE, SUITE_FORBIDDEN, AUTHENTICATION_FAILED
 */
export function screenOffer(
  context: ProtocolContext,
  node: EnrolmentNode,
  token: NodeTokenSecret,
  offerBytes: Uint8Array,
): ScreenedOffer {
  const offer = decodeOffer(offerBytes);
  const body = decodeOfferBody(context, offer.body);
  if (body.nodeId !== node.nodeId) {
    throw new SymmetraError('WRONG_NODE', 'the offer is meant for another node');
  }
  const kemKey = node.kemKeys.get(body.suiteId);
  if (!node.allowedSuites.includes(body.suiteId) || kemKey === undefined) {
    throw new SymmetraError('SUITE_FORBIDDEN', `policy forbids suite ${body.suiteId}`, {
      suite: body.suiteId,
    });
  }
  const suite = context.suites.get(body.suiteId);
  const parties: EnrolmentParties = {
    deviceId: deviceIdOf(body.tokenId, body.enrolmentNonce),
    nodeId: node.nodeId,
    nodeKeyHash: node.nodeKeyHash,
  };
  if (!equalConstantTime(offer.filterTag, filterTag(context, suite, parties, token, offer.body))) {
    throw new AuthenticationError('the enrolment offer does not verify');
  }
  return { offer, body, parties, suite, kemKey };
}

/**
 * ENR-3, ENR-4: checks an offer and answers it. The identical offer gets the identical answer; another one that
 * verifies on a token without a use left is refused as contested.
 * @throws what {@link screenOffer} throws, BAD_KEM_KEY, DESCRIPTOR_OLD, TOKEN_EXPIRED, TOKEN_SPENT, TOKEN_CONTESTED
 */
export function receiveOffer(
  context: ProtocolContext,
  node: EnrolmentNode,
  record: TokenRecord,
  offerBytes: Uint8Array,
  nowMs: number,
  random: AnswerRandom,
): Step<TokenRecord, Uint8Array> {
  const { offer, body, parties, suite, kemKey } = screenOffer(context, node, record.token, offerBytes);
  const offerHash = suite.hash(offerBytes);
  const live = record.claims.filter((claim) => claim.kind === 'spent' || claim.expiresMs > nowMs);
  const repeated = live.find((claim) => equalConstantTime(claim.offerHash, offerHash));
  if (repeated !== undefined) return { state: record, output: repeated.answer, consumed: [] };

  suite.kem.checkPublicKey(body.ephemeralKey);
  if (equalConstantTime(body.ephemeralKey, kemKey.publicKey)) {
    throw new SymmetraError('BAD_KEM_KEY', "the ephemeral key is the node's own static key");
  }
  const staticSecret = suite.kem.decapsulate(body.ciphertext, kemKey.secretKey.bytes);
  const expected = offerTag(context, suite, parties, record.token, staticSecret, offer.body);
  if (!equalConstantTime(offer.tag, expected)) {
    throw new AuthenticationError('the enrolment offer does not verify');
  }
  if (body.descriptorVersion < node.descriptorVersion) {
    throw new SymmetraError('DESCRIPTOR_OLD', 'the device used an older descriptor', {
      version: node.descriptorVersion,
    });
  }
  checkUse(record, live, parties.deviceId, nowMs);

  const { ciphertext, sharedSecret } = suite.kem.encapsulate(body.ephemeralKey, random.coins);
  const unsigned = { nonce: random.nonce, ciphertext, account: record.account };
  const keys = enrolmentKeys(
    context,
    suite,
    parties,
    { token: record.token, staticSecret, ephemeralSecret: sharedSecret },
    offer.body,
    unsigned,
  );
  staticSecret.fill(0);
  sharedSecret.fill(0);
  const claim: ReservedClaim = {
    kind: 'reserved',
    deviceId: parties.deviceId,
    suiteId: body.suiteId,
    name: body.name,
    offerHash,
    answer: encodeAnswer({ ...unsigned, tag: keys.nodeTag }),
    deviceTag: keys.deviceTag,
    ackTag: keys.ackTag,
    bootstrapKey: keys.bootstrapKey,
    transcriptHash: keys.transcriptHash,
    expiresMs: nowMs + node.reservationMs,
  };
  const dropped = record.claims.flatMap((old) =>
    live.includes(old) || old.kind === 'spent' ? [] : [old.bootstrapKey],
  );
  return { state: { ...record, claims: [...live, claim] }, output: claim.answer, consumed: dropped };
}

/** ENR-3: whether the token has a use left for this device. @throws TOKEN_EXPIRED, TOKEN_SPENT, TOKEN_CONTESTED */
function checkUse(
  record: TokenRecord,
  live: readonly (ReservedClaim | SpentClaim)[],
  deviceId: Uint8Array,
  nowMs: number,
): void {
  if (nowMs >= record.expiresMs) throw new SymmetraError('TOKEN_EXPIRED', 'the token has expired');
  if (live.some((claim) => equalConstantTime(claim.deviceId, deviceId))) {
    throw new SymmetraError('TOKEN_CONTESTED', 'another offer for the same device was made with this token');
  }
  if (live.length < record.uses) return;
  if (live.every((claim) => claim.kind === 'spent')) {
    throw new SymmetraError('TOKEN_SPENT', 'the token was used already', { uses: record.uses });
  }
  throw new SymmetraError('TOKEN_CONTESTED', 'another device is enrolling with this token');
}

/** A device that is now enrolled at this node. */
export interface EnrolledDevice {
  readonly deviceId: Uint8Array;
  readonly suiteId: number;
  readonly name: string;
  readonly bootstrapKey: BootstrapKey;
  readonly transcriptHash: Uint8Array;
}

/** ENR-6, ENR-7: what a confirmation brings. `enrolled` is absent when the confirmation is a repeated one. */
export interface ConfirmationOutcome {
  readonly acknowledgement: Uint8Array;
  readonly enrolled?: EnrolledDevice;
}

/** Reads the part of a confirmation that says where it belongs. @throws BAD_ENCODING */
export function inspectConfirmation(confirmation: Uint8Array): { tokenId: Uint8Array; deviceId: Uint8Array } {
  const { tokenId, deviceId } = decodeConfirmation(confirmation);
  return { tokenId, deviceId };
}

/** ENR-6: whether a confirmation is the one that a claim waits for. @throws BAD_ENCODING, AUTHENTICATION_FAILED */
export function screenConfirmation(deviceTag: Uint8Array, confirmation: Uint8Array): void {
  checkConfirmationTag(deviceTag, decodeConfirmation(confirmation));
}

function checkConfirmationTag(deviceTag: Uint8Array, { tag }: Confirmation): void {
  if (equalConstantTime(deviceTag, tag)) return;
  throw new AuthenticationError('the enrolment confirmation does not verify');
}

/**
 * ENR-6, ENR-7: checks the confirmation, spends the use and acknowledges. Persist the record and the new device's
 * chain in one commit, then send the acknowledgement.
 * @throws BAD_ENCODING, RESERVATION_UNKNOWN, AUTHENTICATION_FAILED
 */
export function receiveConfirmation(
  record: TokenRecord,
  confirmationBytes: Uint8Array,
): Step<TokenRecord, ConfirmationOutcome> {
  const confirmation = decodeConfirmation(confirmationBytes);
  const claim = equalConstantTime(confirmation.tokenId, record.tokenId)
    ? record.claims.find((one) => equalConstantTime(one.deviceId, confirmation.deviceId))
    : undefined;
  if (claim === undefined) {
    throw new SymmetraError('RESERVATION_UNKNOWN', 'no reservation of this device is known; offer again');
  }
  checkConfirmationTag(claim.deviceTag, confirmation);
  if (claim.kind === 'spent') {
    return { state: record, output: { acknowledgement: claim.ackTag }, consumed: [] };
  }
  const { bootstrapKey, transcriptHash, deviceId, suiteId, name, offerHash, answer, deviceTag, ackTag } =
    claim;
  const spent: SpentClaim = { kind: 'spent', deviceId, suiteId, name, offerHash, answer, deviceTag, ackTag };
  return {
    state: { ...record, claims: record.claims.map((one) => (one === claim ? spent : one)) },
    output: { acknowledgement: ackTag, enrolled: { deviceId, suiteId, name, bootstrapKey, transcriptHash } },
    consumed: [],
  };
}
