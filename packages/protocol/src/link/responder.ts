import { AuthenticationError, Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { sameEnd } from './end.js';
import type { LinkPeer, LinkSelf } from './end.js';
import {
  decodeLinkConfirm,
  decodeLinkConfirmBody,
  decodeLinkOpen,
  decodeLinkOpenBody,
  encodeLinkAnswer,
  encodeLinkAnswerBody,
  encodeLinkDone,
} from './messages.js';
import type { LinkOpenBody } from './messages.js';
import {
  answerTag,
  checkEphemeral,
  confirmHash,
  filterTag,
  firstKey,
  gateTag,
  linkKeys,
  wipeLinkKeys,
  wipingOnFailure,
} from './transcript.js';
import type { FirstKey, FormerLink, LinkKeys, LinkPlace } from './transcript.js';

/*
 *   inspectLinkOpen, checkLinkOpen, answerLink --LINK-2--> answering
 *   answering --inspectLinkConfirm, receiveLinkConfirm, LINK-4--> keys
 */

/** An open message for this process; who sent it is what it says. */
export interface LinkRequest {
  readonly body: LinkOpenBody;
  /** The body as it came, and its filter tag. */
  readonly bytes: Uint8Array;
  readonly filter: Uint8Array;
}

/** LINK-2 is under way. In memory only. */
export interface LinkAnswering {
  readonly place: LinkPlace;
  readonly first: FirstKey;
  readonly nonces: { readonly initiator: Uint8Array; readonly responder: Uint8Array };
  readonly ephemeralKey: Secret<'LinkEphemeral'>;
}

/** What an answer draws; seed and coins are erased. */
export interface LinkAnswerRandom {
  /** n_R, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly seed: Uint8Array;
  readonly coinsToEphemeral: Uint8Array;
  readonly coinsToStatic: Uint8Array;
}

/**
 * LINK-2: reads an open message, and checks that it is for this process.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, WRONG_NODE, LINK_REFLECTED, SUITE_FORBIDDEN
 */
export function inspectLinkOpen(
  context: ProtocolContext,
  self: Pick<LinkSelf, 'nodeId' | 'instance' | 'suiteId'>,
  datagram: Uint8Array,
): LinkRequest {
  const message = decodeLinkOpen(datagram);
  const body = decodeLinkOpenBody(context, message.body);
  const instance = body.responderInstance ?? self.instance;
  if (body.responder !== self.nodeId || instance !== self.instance) {
    throw new SymmetraError('WRONG_NODE', 'the link open is meant for another process');
  }
  if (sameEnd(body.initiator, self)) {
    throw new SymmetraError('LINK_REFLECTED', 'the link open names this very process as initiator');
  }
  if (body.suiteId !== self.suiteId) {
    throw new SymmetraError('SUITE_FORBIDDEN', 'the links of this network have another suite', {
      suite: body.suiteId,
    });
  }
  return { body, bytes: message.body, filter: message.tag };
}

/**
 * LINK-2: checks the keys that are named, and the filter where a former link is named that this end holds.
 * @throws LINK_KEYS_DIFFER, LINK_PSK_DIFFERS, AUTHENTICATION_FAILED
 */
export function checkLinkOpen(
  context: ProtocolContext,
  self: LinkSelf,
  peer: LinkPeer,
  request: LinkRequest,
  former: FormerLink | undefined,
): void {
  const { body } = request;
  const same =
    equalConstantTime(body.initiatorKeyHash, peer.keyHash) &&
    equalConstantTime(body.responderKeyHash, self.keyHash);
  if (!same) {
    throw new SymmetraError('LINK_KEYS_DIFFER', 'the ends know other keys of one another', {
      node: peer.nodeId,
    });
  }
  if (body.psk !== (peer.psk !== undefined)) {
    throw new SymmetraError('LINK_PSK_DIFFERS', 'only one end was given a PSK', { node: peer.nodeId });
  }
  if (former === undefined) return;
  const expected = filterTag(context, placeOf(context, self, request), former.key, request.bytes);
  if (!equalConstantTime(expected, request.filter)) {
    throw new AuthenticationError('the filter tag of the link open does not verify');
  }
}

/**
 * LINK-2: answers an open message that was checked.
 * @throws BAD_KEM_KEY, BAD_KEM_CIPHERTEXT
 */
export function answerLink(
  context: ProtocolContext,
  self: LinkSelf,
  peer: LinkPeer,
  request: LinkRequest,
  former: FormerLink | undefined,
  random: LinkAnswerRandom,
): Step<LinkAnswering, Uint8Array> {
  const place = placeOf(context, self, request);
  const { kem } = place.suite;
  checkEphemeral(place.suite, request.body.ephemeralKey, [self.publicKey, peer.publicKey]);
  const toResponder = kem.decapsulate(request.body.staticCiphertext, self.secretKey.bytes);
  const ephemeral = kem.keygen(random.seed);
  const toEphemeral = kem.encapsulate(request.body.ephemeralKey, random.coinsToEphemeral);
  const toInitiator = kem.encapsulate(peer.publicKey, random.coinsToStatic);
  for (const drawn of [random.seed, random.coinsToEphemeral, random.coinsToStatic]) drawn.fill(0);
  const body = encodeLinkAnswerBody({
    initiatorNonce: request.body.nonce,
    nonce: random.nonce,
    instance: self.instance,
    formerUsed: former !== undefined,
    ephemeralKey: ephemeral.publicKey,
    ephemeralCiphertext: toEphemeral.ciphertext,
    staticCiphertext: toInitiator.ciphertext,
  });
  const first = firstKey(
    context,
    place,
    { open: request.bytes, answer: body },
    { toResponder, toInitiator: toInitiator.sharedSecret, toEphemeral: toEphemeral.sharedSecret },
    { former, psk: peer.psk },
  );
  const state: LinkAnswering = {
    place,
    first,
    nonces: { initiator: request.body.nonce, responder: random.nonce },
    ephemeralKey: Secret.of('LinkEphemeral', ephemeral.secretKey),
  };
  return { state, output: encodeLinkAnswer({ body, tag: answerTag(context, place, first) }), consumed: [] };
}

/** n_I and n_R of the handshake that a confirmation belongs to. @throws BAD_ENCODING */
export function confirmedNonces(datagram: Uint8Array): LinkAnswering['nonces'] {
  const body = decodeLinkConfirmBody(decodeLinkConfirm(datagram).body);
  return { initiator: body.initiatorNonce, responder: body.responderNonce };
}

/**
 * LINK-4: checks the gate: the initiator has proved itself.
 * @returns the name of the QKD key to be mixed in; undefined for none
 * @throws BAD_ENCODING, LINK_UNKNOWN, AUTHENTICATION_FAILED
 */
export function inspectLinkConfirm(
  context: ProtocolContext,
  answering: LinkAnswering,
  datagram: Uint8Array,
): string | undefined {
  const message = decodeLinkConfirm(datagram);
  const body = decodeLinkConfirmBody(message.body);
  const { initiator, responder } = answering.nonces;
  const known =
    equalConstantTime(body.initiatorNonce, initiator) && equalConstantTime(body.responderNonce, responder);
  if (!known) throw new SymmetraError('LINK_UNKNOWN', 'the message belongs to no handshake under way');
  const transcriptHash = confirmHash(answering.place, answering.first, message.body);
  const expected = gateTag(context, answering.place, answering.first, transcriptHash);
  if (!equalConstantTime(expected, message.gate)) {
    throw new AuthenticationError('the gate of the link confirmation does not verify');
  }
  return body.qkdKeyId === '' ? undefined : body.qkdKeyId;
}

/**
 * LINK-4: the initiator has confirmed; the link receives. What fails here ends the handshake. The QKD key is erased.
 * @param datagram what {@link inspectLinkConfirm} let pass
 * @throws BAD_ENCODING, BAD_KEM_CIPHERTEXT, AUTHENTICATION_FAILED
 */
export function receiveLinkConfirm(
  context: ProtocolContext,
  answering: LinkAnswering,
  datagram: Uint8Array,
  qkd: Uint8Array | undefined,
): Step<LinkKeys, Uint8Array> {
  const { place, first, nonces } = answering;
  const message = decodeLinkConfirm(datagram);
  const { ciphertext } = decodeLinkConfirmBody(message.body);
  const secret = wipingOnFailure(qkd, () =>
    place.suite.kem.decapsulate(ciphertext, answering.ephemeralKey.bytes),
  );
  const transcriptHash = confirmHash(place, first, message.body);
  const { keys, initiatorTag, responderTag } = linkKeys(context, place, first, transcriptHash, secret, qkd);
  if (!equalConstantTime(initiatorTag, message.tag)) {
    wipeLinkKeys(keys);
    throw new AuthenticationError('the link confirmation does not verify');
  }
  const output = encodeLinkDone({
    initiatorNonce: nonces.initiator,
    responderNonce: nonces.responder,
    tag: responderTag,
  });
  return { state: keys, output, consumed: [first.key, answering.ephemeralKey] };
}

/** Erases what a handshake holds that is given up. */
export function abandonAnswer(answering: LinkAnswering): void {
  answering.first.key.wipe();
  answering.ephemeralKey.wipe();
}

function placeOf(
  context: ProtocolContext,
  self: Pick<LinkSelf, 'nodeId' | 'instance' | 'suiteId'>,
  request: LinkRequest,
): LinkPlace {
  return {
    suite: context.suites.get(self.suiteId),
    initiator: request.body.initiator,
    responder: { nodeId: self.nodeId, instance: self.instance },
  };
}
