import { AuthenticationError, Secret, SymmetraError, combine, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import {
  chooseContinuity,
  continuityEntry,
  mustContinue,
  withConfirmation,
  withResponded,
} from './continuity.js';
import type { ContinuityEntry, HeldContinuity } from './continuity.js';
import { SHARE_LENGTH, decodeHeader, strictest, within } from './header.js';
import type { Header, Limits } from './header.js';
import { keyMaterial } from './key.js';
import type { KeyMaterial } from './key.js';
import { decodePairMessage, encodePairMessage } from './messages.js';
import type { PairResponse } from './messages.js';
import {
  ephemeralKeyHash,
  pairSecrets,
  pairTranscriptHash,
  refusalTag,
  shareCommitment,
} from './transcript.js';
import type { Share } from './transcript.js';

/*
 *   delivery, delivery, ... --k that agree--> responded --confirmation--> held
 *                                      |
 *                                      +--> refused, with a reason
 */

/** A delivery that fits its own header: what one node passed on. */
export interface CheckedDelivery {
  readonly nodeId: string;
  /** Place in the node set, from 1. */
  readonly place: number;
  readonly header: Header;
  /** Canonical bytes as delivered. */
  readonly headerBytes: Uint8Array;
  readonly headerHash: Uint8Array;
  readonly share: Share;
  readonly ephemeralKey: Uint8Array;
  readonly granted: Limits;
}

/** What a device insists on in every header, from the descriptor and the policy that it verified itself. */
export interface HeaderFloors {
  readonly nodes: readonly string[];
  readonly minimumNodes: number;
  readonly minimumThreshold: number;
  readonly allowedSuites: readonly number[];
}

/** What the responder insists on. */
export interface ResponderFloors extends HeaderFloors {
  readonly deviceId: Uint8Array;
  readonly minimumDescriptorVersion: number;
  readonly requireDirectKem: boolean;
  /** Whether a first contact must be dealt k = n. */
  readonly firstContactAll: boolean;
}

/** A delivery as it came out of the session with a node (PAIR-4). */
export interface DeliveryFields {
  readonly header: Uint8Array;
  readonly share: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  readonly granted: Limits;
}

/**
 * PAIR-5: checks one delivery by itself.
 * @throws BAD_HEADER, BAD_ENCODING, NOT_IN_NODE_SET, RESPONDER_MISMATCH, SHARE_MISMATCH, EPHEMERAL_KEY_MISMATCH,
 *   BAD_LIMITS, BELOW_FLOOR, SUITE_FORBIDDEN
 */
export function checkDelivery(
  context: ProtocolContext,
  floors: ResponderFloors,
  nodeId: string,
  delivery: DeliveryFields,
): CheckedDelivery {
  const header = decodeHeader(context, delivery.header);
  const suite = context.suites.get(header.suiteId);
  const place = header.nodes.indexOf(nodeId) + 1;
  if (place === 0) {
    throw new SymmetraError('NOT_IN_NODE_SET', 'the node is not in the node set of the header');
  }
  if (!equalConstantTime(header.responder, floors.deviceId)) {
    throw new SymmetraError('RESPONDER_MISMATCH', 'the delivery is meant for another device');
  }
  checkHeaderFloors(floors, header);
  const commitment = header.commitments[place - 1] as Uint8Array;
  if (
    delivery.share.length !== SHARE_LENGTH ||
    !equalConstantTime(commitment, shareCommitment(suite, header.keyId, place, delivery.share))
  ) {
    throw new SymmetraError('SHARE_MISMATCH', 'the share does not fit its commitment', { node: nodeId });
  }
  if (header.ephemeralKeyHash !== undefined) {
    if (!equalConstantTime(ephemeralKeyHash(suite, delivery.ephemeralKey), header.ephemeralKeyHash)) {
      throw new SymmetraError('EPHEMERAL_KEY_MISMATCH', 'the ephemeral key does not fit the header', {
        node: nodeId,
      });
    }
    suite.kem.checkPublicKey(delivery.ephemeralKey);
  }
  if (!within(delivery.granted, header.limits)) {
    throw new SymmetraError('BAD_LIMITS', 'the node granted more than was asked', { node: nodeId });
  }
  return {
    nodeId,
    place,
    header,
    headerBytes: delivery.header,
    headerHash: suite.hash(delivery.header),
    share: Secret.of('Share', delivery.share),
    ephemeralKey: delivery.ephemeralKey,
    granted: delivery.granted,
  };
}

/** PAIR-5: the node set, n, k and the suite of a header are not below the floors. @throws BELOW_FLOOR, SUITE_FORBIDDEN */
export function checkHeaderFloors(
  floors: HeaderFloors,
  header: Pick<Header, 'nodes' | 'threshold' | 'suiteId'>,
): void {
  const known = header.nodes.every((node) => floors.nodes.includes(node));
  if (!known || header.nodes.length < floors.minimumNodes || header.threshold < floors.minimumThreshold) {
    throw new SymmetraError('BELOW_FLOOR', 'the node set or threshold is below what the descriptor asks');
  }
  if (!floors.allowedSuites.includes(header.suiteId)) {
    throw new SymmetraError('SUITE_FORBIDDEN', `policy forbids suite ${header.suiteId}`, {
      suite: header.suiteId,
    });
  }
}

/**
 * PAIR-5: the deliveries that agree on one header and are as many as it asks, each place once; undefined while there
 * are too few.
 */
export function quorum(deliveries: readonly CheckedDelivery[]): readonly CheckedDelivery[] | undefined {
  for (const first of deliveries) {
    const agreeing = deliveries.filter((other) => equalConstantTime(other.headerHash, first.headerHash));
    const byPlace = new Map(agreeing.map((delivery) => [delivery.place, delivery]));
    if (byPlace.size >= first.header.threshold) {
      return [...byPlace.values()].toSorted((a, b) => a.place - b.place);
    }
  }
  return undefined;
}

/** The responder holds the key, and waits for the confirmation. */
export interface PairResponded {
  readonly kind: 'responded';
  readonly headerHash: Uint8Array;
  readonly response: Uint8Array;
  readonly initiatorTag: Uint8Array;
  readonly acknowledge: Uint8Array;
  readonly key: KeyMaterial;
  readonly continuity: ContinuityEntry;
}

/** Both ends have confirmed. The acknowledgement is kept to answer a repeated confirmation. */
export interface PairHeld {
  readonly kind: 'held';
  readonly headerHash: Uint8Array;
  readonly initiatorTag: Uint8Array;
  readonly acknowledge: Uint8Array;
  readonly key: KeyMaterial;
}

/** The responder refuses; `output` tells the initiator why. */
export interface PairRefused {
  readonly kind: 'refused';
  readonly headerHash: Uint8Array;
  readonly code: string;
}

/** Fresh random bytes for one response: a 32-byte nonce, and KEM coins. */
export interface ResponseRandom {
  readonly nonce: Uint8Array;
  readonly coins: Uint8Array;
}

/** A step of the responder, with the continuity secrets it keeps of the initiator from now on. */
export type ResponderStep<State, Output> = Step<State, Output> & { readonly held: readonly HeldContinuity[] };

/**
 * PAIR-6, PAIR-7: rebuilds S from a quorum and answers. Persist the state and the continuity secrets in one commit, then
 * acknowledge the deliveries and send the output. A key id is answered once: the caller looks up its state first.
 *
 * @param held continuity secrets with this initiator, the one used last at the end.
 * @throws BELOW_FLOOR when the deliveries are no quorum
 */
export function respond(
  context: ProtocolContext,
  floors: ResponderFloors,
  deliveries: readonly CheckedDelivery[],
  held: readonly HeldContinuity[],
  random: ResponseRandom,
): ResponderStep<PairResponded | PairRefused, Uint8Array> {
  const first = deliveries[0];
  if (first === undefined || quorum(deliveries)?.length !== deliveries.length) {
    throw new SymmetraError('BELOW_FLOOR', 'the deliveries are not as many as the header asks');
  }
  const { header, headerHash, headerBytes } = first;
  const suite = context.suites.get(header.suiteId);
  const split = combine(deliveries.map(({ place, share }) => ({ x: place, bytes: share.bytes })));
  const shares = deliveries.map((delivery) => delivery.share);
  const chosen = chooseContinuity(context, header, held);
  const code = refusalReason(floors, header, deliveries.length, held, chosen !== undefined);
  if (code !== undefined) {
    const tag = refusalTag(context, suite, header, headerHash, split, code);
    split.fill(0);
    const output = encodePairMessage({ kind: 'refuse', keyId: header.keyId, code, tag });
    return { state: { kind: 'refused', headerHash, code }, output, consumed: shares, held };
  }
  const direct = header.ephemeralKeyHash && suite.kem.encapsulate(first.ephemeralKey, random.coins);
  const unsigned: Omit<PairResponse, 'tag'> = {
    kind: 'response',
    keyId: header.keyId,
    ciphertext: direct?.ciphertext ?? new Uint8Array(0),
    nonce: random.nonce,
    used: deliveries.map((delivery) => delivery.place),
    limits: strictest(deliveries.map((delivery) => delivery.granted)),
    ...(chosen && { continuityId: chosen.id }),
  };
  const th = pairTranscriptHash(suite, headerBytes, unsigned);
  const inputs = {
    split,
    direct: direct?.sharedSecret ?? new Uint8Array(0),
    continuity: chosen?.secret.bytes ?? new Uint8Array(0),
  };
  const secrets = pairSecrets(context, suite, header, inputs, th);
  split.fill(0);
  direct?.sharedSecret.fill(0);
  const response = encodePairMessage({ ...unsigned, tag: secrets.responderTag });
  const state: PairResponded = {
    kind: 'responded',
    headerHash,
    response,
    initiatorTag: secrets.initiatorTag,
    acknowledge: encodePairMessage({ kind: 'acknowledge', keyId: header.keyId, tag: secrets.ackTag }),
    key: keyMaterial(header, unsigned, secrets),
    continuity: continuityEntry(header.suiteId, secrets),
  };
  const kept = withResponded(context, header, held, state.continuity);
  return { state, output: response, consumed: [...shares, ...kept.consumed], held: kept.state };
}

/** PAIR-7: why the responder refuses, if it does. */
function refusalReason(
  floors: ResponderFloors,
  header: Header,
  delivered: number,
  held: readonly HeldContinuity[],
  continued: boolean,
): string | undefined {
  if (header.descriptorVersion < floors.minimumDescriptorVersion) return 'DESCRIPTOR_OLD';
  if (floors.requireDirectKem && header.ephemeralKeyHash === undefined) return 'DIRECT_KEM_REQUIRED';
  if (continued) return undefined;
  if (mustContinue(held)) return 'CONTINUITY_REQUIRED';
  const all = header.threshold === header.nodes.length && delivered === header.nodes.length;
  if (floors.firstContactAll && !all) return 'FIRST_CONTACT_NEEDS_ALL';
  return undefined;
}

/**
 * PAIR-9: checks the confirmation and acknowledges it. Persist the state and the continuity secrets in one commit, then
 * send the acknowledgement. A repeated confirmation gets the same acknowledgement; one that does not verify is dropped
 * and changes nothing.
 * @throws BAD_ENCODING, AUTHENTICATION_FAILED; CONTINUITY_REQUIRED when a key without continuity would be completed after
 *   another one was confirmed
 */
export function receiveConfirm(
  state: PairResponded | PairHeld,
  held: readonly HeldContinuity[],
  bytes: Uint8Array,
): ResponderStep<PairHeld, Uint8Array> {
  const message = decodePairMessage(bytes);
  const own = message.kind === 'confirm' && equalConstantTime(message.keyId, state.key.keyId);
  if (!own || !equalConstantTime(message.tag, state.initiatorTag)) {
    throw new AuthenticationError('the confirmation does not verify');
  }
  if (state.kind === 'held') return { state, output: state.acknowledge, consumed: [], held };
  if (!state.key.continued && mustContinue(held, state.continuity)) {
    throw new SymmetraError(
      'CONTINUITY_REQUIRED',
      'another key with this peer was confirmed in the meantime',
    );
  }
  const { headerHash, initiatorTag, acknowledge, key } = state;
  const next: PairHeld = { kind: 'held', headerHash, initiatorTag, acknowledge, key };
  const kept = withConfirmation(held, state.continuity);
  return {
    state: next,
    output: acknowledge,
    consumed: [state.continuity.secret, ...kept.consumed],
    held: kept.state,
  };
}
