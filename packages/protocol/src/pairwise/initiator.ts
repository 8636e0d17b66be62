import { AuthenticationError, Secret, SymmetraError, equalConstantTime, split } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { continuityEntry, offered, withAcknowledged, withConfirmed } from './continuity.js';
import type { ContinuityEntry, InitiatorContinuity } from './continuity.js';
import { SHARE_LENGTH, decodeHeader, encodeHeader, within } from './header.js';
import type { Header, Limits } from './header.js';
import { keyMaterial } from './key.js';
import type { KeyMaterial } from './key.js';
import { decodePairMessage, encodePairMessage } from './messages.js';
import type { PairRefuse, PairResponse } from './messages.js';
import {
  ephemeralKeyHash,
  offerTag,
  pairSecretList,
  pairSecrets,
  pairTranscriptHash,
  refusalTag,
  shareCommitment,
} from './transcript.js';
import type { Share, SplitSecret } from './transcript.js';

/*
 *   start -> requested --response--> confirmed --acknowledgement--> finished
 *                |
 *                +--authentic refusal, or expiry--> given up
 */

/** The shares are dealt; the initiator waits for the responder. */
export interface PairRequested {
  readonly kind: 'requested';
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly headerHash: Uint8Array;
  readonly split: SplitSecret;
  /** In the order of the header's nodes. */
  readonly shares: readonly Share[];
  /** Absent without the direct KEM. */
  readonly direct?: { readonly publicKey: Uint8Array; readonly secretKey: Secret<'EphemeralKey'> };
  readonly offered: readonly ContinuityEntry[];
}

/** The initiator holds the key, and sends its confirmation until it is acknowledged. */
export interface PairConfirmed {
  readonly kind: 'confirmed';
  readonly header: Uint8Array;
  /** The response that was accepted: only its exact copy gets the confirmation again. */
  readonly response: Uint8Array;
  readonly confirm: Uint8Array;
  readonly ackTag: Uint8Array;
  readonly key: KeyMaterial;
  readonly continuity: ContinuityEntry;
}

/** Both ends have confirmed. */
export interface PairFinished {
  readonly kind: 'finished';
  readonly key: KeyMaterial;
}

/** What a negotiation is asked to be. */
export interface PairRequest {
  readonly suiteId: number;
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  /** 16 fresh random bytes. */
  readonly keyId: Uint8Array;
  readonly purpose: string;
  /** 16 to 64 bytes. */
  readonly keyLength: number;
  readonly limits: Limits;
  /** k. */
  readonly threshold: number;
  readonly nodes: readonly string[];
  readonly descriptorVersion: number;
  readonly policyRevision: number;
  readonly continuity: InitiatorContinuity;
}

/** Fresh random bytes for one negotiation. */
export interface PairRandom {
  /** S, 32 bytes. */
  readonly split: Uint8Array;
  /** 32 bytes for each of k - 1 coefficients. */
  readonly coefficients: Uint8Array;
  /** KEM seed for epk_A; absent to go without the direct KEM. */
  readonly seed?: Uint8Array;
}

/** What one node gets (PAIR-2). */
export interface NodeRequest {
  readonly nodeId: string;
  readonly header: Uint8Array;
  readonly share: Uint8Array;
  /** Empty without the direct KEM. */
  readonly ephemeralKey: Uint8Array;
}

/** PAIR-1: deals the shares. Persist the state, then send the requests. @throws BAD_HEADER, BAD_THRESHOLD, SUITE_UNKNOWN */
export function startNegotiation(
  context: ProtocolContext,
  request: PairRequest,
  random: PairRandom,
): Step<PairRequested, readonly NodeRequest[]> {
  const suite = context.suites.get(request.suiteId);
  const shares = split(random.split, request.threshold, request.nodes.length, random.coefficients);
  const direct = random.seed && suite.kem.keygen(random.seed);
  const entries = offered(request.continuity);
  const { continuity: _, ...fields } = request;
  const header = encodeHeader(context, {
    ...fields,
    commitments: shares.map((share, i) => shareCommitment(suite, request.keyId, i + 1, share)),
    ...(direct && { ephemeralKeyHash: ephemeralKeyHash(suite, direct.publicKey) }),
    offers: entries.map((entry) => ({
      id: entry.id,
      tag: offerTag(context, context.suites.get(entry.suiteId), request, entry.secret),
    })),
  });
  decodeHeader(context, header);
  const state: PairRequested = {
    kind: 'requested',
    header,
    headerHash: suite.hash(header),
    split: Secret.of('SplitSecret', random.split),
    shares: shares.map((share) => Secret.of('Share', share)),
    ...(direct && {
      direct: { publicKey: direct.publicKey, secretKey: Secret.of('EphemeralKey', direct.secretKey) },
    }),
    offered: entries.map(({ id, suiteId, secret }) => ({ id, suiteId, secret: secret.clone() })),
  };
  return { state, output: nodeRequests(context, state), consumed: [] };
}

/** PAIR-2: the request for each node; also to send them again. */
export function nodeRequests(context: ProtocolContext, state: PairRequested): readonly NodeRequest[] {
  return decodeHeader(context, state.header).nodes.map((nodeId, i) => ({
    nodeId,
    header: state.header,
    share: (state.shares[i] as Share).bytes,
    ephemeralKey: state.direct?.publicKey ?? new Uint8Array(0),
  }));
}

/** A step of the initiator, with what it keeps of the peer from now on: persist both in one commit. */
export type InitiatorStep<State, Output> = Step<State, Output> & { readonly continuity: InitiatorContinuity };

/**
 * PAIR-8: checks the response and confirms it. Persist the state and the continuity, then send the confirmation. A
 * response that does not verify changes nothing.
 *
 * @param held what the initiator keeps of the peer now. A negotiation that offered nothing, because it began before the
 *   first one with that peer was confirmed, can not be completed after it: begin anew.
 * @throws BAD_ENCODING, BAD_KEM_CIPHERTEXT, AUTHENTICATION_FAILED, CONTINUITY_REQUIRED, BAD_RESPONSE
 */
export function receiveResponse(
  context: ProtocolContext,
  state: PairRequested,
  held: InitiatorContinuity,
  bytes: Uint8Array,
): InitiatorStep<PairConfirmed, Uint8Array> {
  const response = decodePairMessage(bytes);
  const header = decodeHeader(context, state.header);
  if (response.kind !== 'response' || !equalConstantTime(response.keyId, header.keyId)) {
    throw new SymmetraError('BAD_ENCODING', 'the message is not the response to this negotiation');
  }
  const suite = context.suites.get(header.suiteId);
  const chosen = response.continuityId && offerOf(state, response.continuityId);
  const direct =
    state.direct === undefined
      ? new Uint8Array(0)
      : suite.kem.decapsulate(response.ciphertext, state.direct.secretKey.bytes);
  const th = pairTranscriptHash(suite, state.header, response);
  const continuity = chosen?.secret.bytes ?? new Uint8Array(0);
  const secrets = pairSecrets(context, suite, header, { split: state.split.bytes, direct, continuity }, th);
  direct.fill(0);
  try {
    if (!equalConstantTime(secrets.responderTag, response.tag)) {
      throw new AuthenticationError('the response does not verify');
    }
    checkResponse(
      header,
      response,
      chosen === undefined && (state.offered.length > 0 || offered(held).length > 0),
    );
  } catch (error) {
    for (const secret of pairSecretList(secrets)) secret.wipe();
    throw error;
  }
  const confirm = encodePairMessage({ kind: 'confirm', keyId: header.keyId, tag: secrets.initiatorTag });
  const next: PairConfirmed = {
    kind: 'confirmed',
    header: state.header,
    response: bytes,
    confirm,
    ackTag: secrets.ackTag,
    key: keyMaterial(header, response, secrets),
    continuity: continuityEntry(header.suiteId, secrets),
  };
  const kept = withConfirmed(held, next.continuity);
  return {
    state: next,
    output: confirm,
    consumed: [...requestSecrets(state), ...kept.consumed],
    continuity: kept.state,
  };
}

function offerOf(state: PairRequested, id: Uint8Array): ContinuityEntry {
  const entry = state.offered.find((one) => equalConstantTime(one.id, id));
  if (entry === undefined) {
    throw new AuthenticationError('the response chose a continuity secret that was not offered');
  }
  return entry;
}

/** What an authentic response must still satisfy. @throws CONTINUITY_REQUIRED, BAD_RESPONSE */
function checkResponse(header: Header, response: PairResponse, continuityMissing: boolean): void {
  const { used } = response;
  const ascending = used.every((place, i) => place >= 1 && (i === 0 || place > (used[i - 1] as number)));
  const inSet = used.every((place) => place <= header.nodes.length);
  if (!ascending || !inSet || used.length < header.threshold || !within(response.limits, header.limits)) {
    throw new SymmetraError('BAD_RESPONSE', 'the peer answered outside what was asked');
  }
  if (continuityMissing) {
    throw new SymmetraError(
      'CONTINUITY_REQUIRED',
      'the peer does not hold the secret of an earlier key; forget the peer to start anew',
    );
  }
}

/** PAIR-9: checks the acknowledgement. @throws BAD_ENCODING, AUTHENTICATION_FAILED */
export function receivePairAcknowledge(
  state: PairConfirmed,
  held: InitiatorContinuity,
  bytes: Uint8Array,
): InitiatorStep<PairFinished, undefined> {
  const message = decodePairMessage(bytes);
  const own = message.kind === 'acknowledge' && equalConstantTime(message.keyId, state.key.keyId);
  if (!own || !equalConstantTime(message.tag, state.ackTag)) {
    throw new AuthenticationError('the acknowledgement does not verify');
  }
  const kept = withAcknowledged(held, state.continuity);
  return {
    state: { kind: 'finished', key: state.key },
    output: undefined,
    consumed: [state.continuity.secret, ...kept.consumed],
    continuity: kept.state,
  };
}

/** PAIR-7: the reason of an authentic refusal. @throws AUTHENTICATION_FAILED */
export function receiveRefusal(context: ProtocolContext, state: PairRequested, message: PairRefuse): string {
  const header = decodeHeader(context, state.header);
  const suite = context.suites.get(header.suiteId);
  const expected = refusalTag(context, suite, header, state.headerHash, state.split.bytes, message.code);
  const own = equalConstantTime(message.keyId, header.keyId);
  if (!own || !equalConstantTime(expected, message.tag)) {
    throw new AuthenticationError('the refusal does not verify');
  }
  return message.code;
}

/** The secrets of a request that is over. */
export function requestSecrets(state: PairRequested): readonly { wipe(): void }[] {
  return [
    state.split,
    ...state.shares,
    ...(state.direct ? [state.direct.secretKey] : []),
    ...state.offered.map((entry) => entry.secret),
  ];
}

/** Length of the coefficients that a threshold needs, bytes. */
export function coefficientLength(threshold: number): number {
  return (threshold - 1) * SHARE_LENGTH;
}
