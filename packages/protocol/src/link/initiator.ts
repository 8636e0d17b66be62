import { AuthenticationError, EMPTY, Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { sameEnd } from './end.js';
import type { LinkEnd, LinkPeer, LinkSelf } from './end.js';
import {
  decodeLinkAnswer,
  decodeLinkAnswerBody,
  decodeLinkDone,
  encodeLinkConfirm,
  encodeLinkConfirmBody,
  encodeLinkOpen,
  encodeLinkOpenBody,
} from './messages.js';
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
 *   openLink --LINK-1--> opening --LINK-2--> answered --confirmLink, LINK-3--> confirming --LINK-4--> keys
 *
 * Everything is in memory only: who restarts opens another link.
 */

/** LINK-1 is under way. */
export interface LinkOpening {
  readonly self: LinkSelf;
  readonly peer: LinkPeer;
  /** The process that was asked; undefined: any of that node. */
  readonly instance: string | undefined;
  /** n_I. */
  readonly nonce: Uint8Array;
  /** With a copy of its key: the link may end before the handshake does. */
  readonly former: FormerLink | undefined;
  readonly ephemeral: { readonly publicKey: Uint8Array; readonly secretKey: Secret<'LinkEphemeral'> };
  /** ss_R. */
  readonly staticSecret: Secret<'LinkStatic'>;
  /** The body of LINK-1. */
  readonly body: Uint8Array;
}

/** The responder has proved itself; LINK-3 can be made. */
export interface LinkAnswered {
  readonly place: LinkPlace;
  readonly first: FirstKey;
  readonly nonces: { readonly initiator: Uint8Array; readonly responder: Uint8Array };
  /** epk_R. */
  readonly ephemeralKey: Uint8Array;
}

/** LINK-3 is under way. */
export interface LinkConfirming {
  readonly keys: LinkKeys;
  readonly nonces: LinkAnswered['nonces'];
  /** What LINK-4 must bring. */
  readonly responderTag: Uint8Array;
}

/** What an opening draws. */
export interface LinkOpenRandom {
  /** n_I, 32 bytes. */
  readonly nonce: Uint8Array;
  /** Seed of the ephemeral key pair, and coins: as long as the KEM says. Both are erased. */
  readonly seed: Uint8Array;
  readonly coins: Uint8Array;
}

/**
 * LINK-1: opens a link with a process of the peer's node, or with any one of them.
 * @throws BAD_KEM_KEY when the descriptor's key of the peer is none
 */
export function openLink(
  context: ProtocolContext,
  self: LinkSelf,
  peer: LinkPeer,
  asked: { readonly instance?: string | undefined; readonly former?: FormerLink | undefined },
  random: LinkOpenRandom,
): Step<LinkOpening, Uint8Array> {
  const suite = context.suites.get(self.suiteId);
  const former = asked.instance === undefined ? undefined : asked.former;
  const { ciphertext, sharedSecret } = suite.kem.encapsulate(peer.publicKey, random.coins);
  const ephemeral = suite.kem.keygen(random.seed);
  random.seed.fill(0);
  random.coins.fill(0);
  const initiator: LinkEnd = { nodeId: self.nodeId, instance: self.instance };
  const body = encodeLinkOpenBody(context, {
    suiteId: self.suiteId,
    initiator,
    responder: peer.nodeId,
    responderInstance: asked.instance,
    initiatorKeyHash: self.keyHash,
    responderKeyHash: peer.keyHash,
    nonce: random.nonce,
    psk: peer.psk !== undefined,
    former: former?.linkId ?? EMPTY,
    ephemeralKey: ephemeral.publicKey,
    staticCiphertext: ciphertext,
  });
  const state: LinkOpening = {
    self,
    peer,
    instance: asked.instance,
    nonce: random.nonce,
    former: former && { linkId: former.linkId, key: former.key.clone() },
    ephemeral: {
      publicKey: ephemeral.publicKey,
      secretKey: Secret.of('LinkEphemeral', ephemeral.secretKey),
    },
    staticSecret: Secret.of('LinkStatic', sharedSecret),
    body,
  };
  const responder = { nodeId: peer.nodeId, instance: asked.instance ?? '' };
  const tag =
    former === undefined ? EMPTY : filterTag(context, { suite, initiator, responder }, former.key, body);
  return { state, output: encodeLinkOpen({ body, tag }), consumed: [] };
}

/** n_I of the handshake that an answer belongs to. @throws BAD_ENCODING */
export function answeredNonce(datagram: Uint8Array): Uint8Array {
  return decodeLinkAnswerBody(decodeLinkAnswer(datagram).body).initiatorNonce;
}

/**
 * LINK-3: checks the answer. One that does not verify changes nothing.
 * @throws BAD_ENCODING, LINK_UNKNOWN, WRONG_NODE, LINK_REFLECTED, BAD_KEM_KEY, BAD_KEM_CIPHERTEXT, AUTHENTICATION_FAILED
 */
export function receiveLinkAnswer(
  context: ProtocolContext,
  opening: LinkOpening,
  datagram: Uint8Array,
): Step<LinkAnswered, undefined> {
  const { self, peer } = opening;
  const message = decodeLinkAnswer(datagram);
  const body = decodeLinkAnswerBody(message.body);
  if (!equalConstantTime(body.initiatorNonce, opening.nonce)) throw unknownHandshake();
  if (opening.instance !== undefined && body.instance !== opening.instance) {
    throw new SymmetraError('WRONG_NODE', 'another process than the one that was asked answered', {
      node: peer.nodeId,
    });
  }
  const suite = context.suites.get(self.suiteId);
  const initiator: LinkEnd = { nodeId: self.nodeId, instance: self.instance };
  const responder: LinkEnd = { nodeId: peer.nodeId, instance: body.instance };
  if (sameEnd(initiator, responder)) {
    throw new SymmetraError('LINK_REFLECTED', 'the answer names this very process');
  }
  if (body.formerUsed && opening.former === undefined) {
    throw new SymmetraError('BAD_ENCODING', 'the answer takes up a former link that was not offered');
  }
  checkEphemeral(suite, body.ephemeralKey, [self.publicKey, peer.publicKey, opening.ephemeral.publicKey]);
  const place: LinkPlace = { suite, initiator, responder };
  const toInitiator = suite.kem.decapsulate(body.staticCiphertext, self.secretKey.bytes);
  const toEphemeral = wipingOnFailure(toInitiator, () =>
    suite.kem.decapsulate(body.ephemeralCiphertext, opening.ephemeral.secretKey.bytes),
  );
  const secrets = { toInitiator, toEphemeral, toResponder: opening.staticSecret.bytes.slice() };
  const first = firstKey(context, place, { open: opening.body, answer: message.body }, secrets, {
    former: body.formerUsed ? opening.former : undefined,
    psk: peer.psk,
  });
  if (!equalConstantTime(answerTag(context, place, first), message.tag)) {
    first.key.wipe();
    throw new AuthenticationError('the answer to the link open does not verify');
  }
  const nonces = { initiator: opening.nonce, responder: body.nonce };
  return {
    state: { place, first, nonces, ephemeralKey: body.ephemeralKey },
    output: undefined,
    consumed: secretsOf(opening),
  };
}

/**
 * LINK-3: confirms the link. `coins` and the QKD key are erased.
 * @param qkd the key that the source gave, with its name
 */
export function confirmLink(
  context: ProtocolContext,
  answered: LinkAnswered,
  qkd: { readonly keyId: string; readonly key: Uint8Array } | undefined,
  coins: Uint8Array,
): Step<LinkConfirming, Uint8Array> {
  const { place, first, nonces } = answered;
  const { ciphertext, sharedSecret } = place.suite.kem.encapsulate(answered.ephemeralKey, coins);
  coins.fill(0);
  const body = encodeLinkConfirmBody({
    initiatorNonce: nonces.initiator,
    responderNonce: nonces.responder,
    ciphertext,
    qkdKeyId: qkd?.keyId ?? '',
  });
  const transcriptHash = confirmHash(place, first, body);
  const gate = gateTag(context, place, first, transcriptHash);
  const { keys, initiatorTag, responderTag } = linkKeys(
    context,
    place,
    first,
    transcriptHash,
    sharedSecret,
    qkd?.key,
  );
  return {
    state: { keys, nonces, responderTag },
    output: encodeLinkConfirm({ body, gate, tag: initiatorTag }),
    consumed: [first.key],
  };
}

/**
 * LINK-4: the responder holds the keys; the link is open. A message that does not verify changes nothing.
 * @throws BAD_ENCODING, LINK_UNKNOWN, AUTHENTICATION_FAILED
 */
export function receiveLinkDone(confirming: LinkConfirming, datagram: Uint8Array): LinkKeys {
  const message = decodeLinkDone(datagram);
  const { initiator, responder } = confirming.nonces;
  const known =
    equalConstantTime(message.initiatorNonce, initiator) &&
    equalConstantTime(message.responderNonce, responder);
  if (!known) throw unknownHandshake();
  if (!equalConstantTime(message.tag, confirming.responderTag)) {
    throw new AuthenticationError('the completion of the link does not verify');
  }
  return confirming.keys;
}

/** Erases what a handshake holds that is given up. */
export function abandonLink(state: LinkOpening | LinkAnswered | LinkConfirming): void {
  if ('ephemeral' in state) {
    for (const secret of secretsOf(state)) secret.wipe();
  } else if ('first' in state) {
    state.first.key.wipe();
  } else {
    wipeLinkKeys(state.keys);
  }
}

function secretsOf({ ephemeral, staticSecret, former }: LinkOpening): readonly Secret<string>[] {
  const own = [ephemeral.secretKey, staticSecret];
  return former === undefined ? own : [...own, former.key];
}

function unknownHandshake(): SymmetraError {
  return new SymmetraError('LINK_UNKNOWN', 'the message belongs to no handshake under way');
}
