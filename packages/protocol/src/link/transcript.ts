import { EMPTY, Secret, SymmetraError, Writer, expand, extractExpand, toHex } from '@symmetra/crypto';
import type { KdfContext, Label, Suite } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { linkContext } from './end.js';
import type { LinkEnd, LinkPsk } from './end.js';
import { LINK_ID_LENGTH } from './messages.js';

/** F: what a link leaves to the one that follows it, `hashLength` bytes. */
export type FormerKey = Secret<'FormerLinkKey'>;

/** A link that still serves, which the new one follows. */
export interface FormerLink {
  readonly linkId: Uint8Array;
  readonly key: FormerKey;
}

/** Which link: suite and ends. */
export interface LinkPlace {
  readonly suite: Suite;
  readonly initiator: LinkEnd;
  readonly responder: LinkEnd;
}

/** k_1 with the transcript that it belongs to. */
export interface FirstKey {
  readonly key: Secret<'LinkFirst'>;
  /** th_1. */
  readonly transcriptHash: Uint8Array;
  /** Id of the link whose former key is mixed in; empty for none. */
  readonly follows: Uint8Array;
}

/** The three KEM secrets of the first two messages; whoever derives k_1 from them wipes them. */
export interface FirstSecrets {
  /** ss_R. */
  readonly toResponder: Uint8Array;
  /** ss_I. */
  readonly toInitiator: Uint8Array;
  /** ss_E. */
  readonly toEphemeral: Uint8Array;
}

/** LINK-1: the filter tag over the body, under the former key. */
export function filterTag(
  context: ProtocolContext,
  place: LinkPlace,
  former: FormerKey,
  body: Uint8Array,
): Uint8Array {
  return tagUnder(place.suite, former.bytes, 'linkFilter', contextOf(context, place, EMPTY), body);
}

/** LINK-2, LINK-3: k_1. The KEM secrets are erased. */
export function firstKey(
  context: ProtocolContext,
  place: LinkPlace,
  bodies: { readonly open: Uint8Array; readonly answer: Uint8Array },
  secrets: FirstSecrets,
  added: { readonly former: FormerLink | undefined; readonly psk: LinkPsk | undefined },
): FirstKey {
  const { suite } = place;
  const transcriptHash = suite.hash(new Writer().bytes(bodies.open).bytes(bodies.answer).finish());
  const { toResponder, toInitiator, toEphemeral } = secrets;
  const ikms = [
    toResponder,
    toInitiator,
    toEphemeral,
    added.former?.key.bytes ?? EMPTY,
    added.psk?.bytes ?? EMPTY,
  ];
  const key = extractExpand(suite, ikms, 'linkFirst', contextOf(context, place, transcriptHash));
  for (const secret of [toResponder, toInitiator, toEphemeral]) secret.fill(0);
  return { key: Secret.of('LinkFirst', key), transcriptHash, follows: added.former?.linkId ?? EMPTY };
}

/** LINK-2: the answer's tag. */
export function answerTag(context: ProtocolContext, place: LinkPlace, first: FirstKey): Uint8Array {
  const { key, transcriptHash } = first;
  const kdf = contextOf(context, place, transcriptHash);
  return tagUnder(place.suite, key.bytes, 'linkAnswer', kdf, transcriptHash);
}

/** th_2. */
export function confirmHash(place: LinkPlace, first: FirstKey, body: Uint8Array): Uint8Array {
  return place.suite.hash(new Writer().bytes(first.transcriptHash).bytes(body).finish());
}

/** LINK-3: the gate, under k_1. */
export function gateTag(
  context: ProtocolContext,
  place: LinkPlace,
  first: FirstKey,
  transcriptHash: Uint8Array,
): Uint8Array {
  const kdf = contextOf(context, place, transcriptHash);
  return tagUnder(place.suite, first.key.bytes, 'linkConfirm', kdf, transcriptHash);
}

/** What an end holds of a link that both confirmed. In memory only. */
export interface LinkKeys {
  readonly suite: Suite;
  readonly initiator: LinkEnd;
  readonly responder: LinkEnd;
  /** 8 bytes. */
  readonly linkId: Uint8Array;
  /** Id of the link that it renews; empty where no former key went in. */
  readonly follows: Uint8Array;
  readonly initiatorKey: Secret<'LinkDirection'>;
  readonly responderKey: Secret<'LinkDirection'>;
  readonly former: FormerKey;
}

/** The keys of a link with the tags that confirm them. */
export interface ConfirmedKeys {
  readonly keys: LinkKeys;
  readonly initiatorTag: Uint8Array;
  readonly responderTag: Uint8Array;
}

/** LINK-3, LINK-4: k, both tags and everything that is derived from it. `secret` and `qkd` are erased. */
export function linkKeys(
  context: ProtocolContext,
  place: LinkPlace,
  first: FirstKey,
  transcriptHash: Uint8Array,
  secret: Uint8Array,
  qkd: Uint8Array | undefined,
): ConfirmedKeys {
  const { suite } = place;
  const kdf = contextOf(context, place, transcriptHash);
  const key = extractExpand(suite, [first.key.bytes, secret, qkd ?? EMPTY], 'linkKey', kdf);
  secret.fill(0);
  qkd?.fill(0);
  const derive = (label: Label, length?: number): Uint8Array => expand(suite, key, label, kdf, length);
  const confirmed = {
    initiatorTag: tagUnder(suite, key, 'linkInitiator', kdf, transcriptHash),
    responderTag: tagUnder(suite, key, 'linkResponder', kdf, transcriptHash),
    keys: {
      ...place,
      linkId: derive('linkId', LINK_ID_LENGTH),
      follows: first.follows,
      initiatorKey: Secret.of('LinkDirection', derive('linkInitiatorToResponder', suite.keyLength)),
      responderKey: Secret.of('LinkDirection', derive('linkResponderToInitiator', suite.keyLength)),
      former: Secret.of('FormerLinkKey', derive('linkFormer')),
    },
  };
  key.fill(0);
  return confirmed;
}

/** What `act` returns; when it throws, the secret that was to go with it is erased. */
export function wipingOnFailure(secret: Uint8Array | undefined, act: () => Uint8Array): Uint8Array {
  try {
    return act();
  } catch (error) {
    secret?.fill(0);
    throw error;
  }
}

/** Erases the keys of a link. */
export function wipeLinkKeys(keys: LinkKeys): void {
  for (const key of [keys.initiatorKey, keys.responderKey, keys.former]) key.wipe();
}

/**
 * LINK-2, LINK-3: an ephemeral key is a public key of the KEM, and none that already serves as another one.
 * @throws BAD_KEM_KEY
 */
export function checkEphemeral(suite: Suite, ephemeral: Uint8Array, others: readonly Uint8Array[]): void {
  suite.kem.checkPublicKey(ephemeral);
  const hex = toHex(ephemeral);
  if (!others.some((key) => toHex(key) === hex)) return;
  throw new SymmetraError('BAD_KEM_KEY', 'the ephemeral key of the link is another key of this handshake');
}

function contextOf(context: ProtocolContext, place: LinkPlace, transcriptHash: Uint8Array): KdfContext {
  return linkContext(context, place.initiator, place.responder, transcriptHash);
}

function tagUnder(
  suite: Suite,
  key: Uint8Array,
  label: Label,
  kdf: KdfContext,
  message: Uint8Array,
): Uint8Array {
  const tagKey = expand(suite, key, label, kdf);
  const tag = suite.mac(tagKey, message);
  tagKey.fill(0);
  return tag;
}
