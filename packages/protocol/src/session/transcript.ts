import { Secret, Writer, expand, openOnce, sealOnce, utf8 } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { epochContext } from '../ratchet/epoch.js';
import type { ChainKey, ChainParties, EpochKeys } from '../ratchet/epoch.js';
import { decodeGrant, encodeGrant } from './messages.js';
import type { SessionAnswer, SessionGrant } from './messages.js';

const EMPTY = new Uint8Array(0);

/** mk_c: the master key of one session, `hashLength` bytes, in memory only. */
export type SessionMaster = Secret<'SessionMaster'>;

/** Which session of which chain. */
export interface SessionPlace {
  readonly suite: Suite;
  readonly parties: ChainParties;
  readonly epoch: number;
  /** c. */
  readonly counter: number;
}

/** The derivation context of session c in epoch e: its epoch field is u64(e), u64(c). */
function placeContext(context: ProtocolContext, place: SessionPlace, transcriptHash: Uint8Array): KdfContext {
  return {
    networkId: context.networkId,
    initiator: place.parties.deviceId,
    responder: utf8(place.parties.nodeId),
    epoch: new Writer().u64(place.epoch).u64(place.counter).finish(),
    transcriptHash,
  };
}

/** SES-1: mk_c = KDF(ck_c, "session"), ck_{c+1} = KDF(ck_c, "next"). */
export function advanceChain(
  context: ProtocolContext,
  place: SessionPlace,
  chainKey: ChainKey,
): { master: SessionMaster; next: ChainKey } {
  const kdf = placeContext(context, place, EMPTY);
  return {
    master: Secret.of('SessionMaster', expand(place.suite, chainKey.bytes, 'sessionKey', kdf)),
    next: Secret.of('ChainKey', expand(place.suite, chainKey.bytes, 'sessionNext', kdf)),
  };
}

/** MAC(sub(ev, "open"), body). */
export function evidenceTag(
  context: ProtocolContext,
  parties: ChainParties,
  keys: Pick<EpochKeys, 'epoch' | 'evidenceKey' | 'suiteId'>,
  body: Uint8Array,
): Uint8Array {
  const suite = context.suites.get(keys.suiteId);
  const kdf = epochContext(context, parties, keys.epoch, EMPTY);
  const key = expand(suite, keys.evidenceKey.bytes, 'sessionEvidence', kdf);
  const tag = suite.mac(key, body);
  key.fill(0);
  return tag;
}

/** MAC(KDF(mk_c, "open"), body, evidence tag). */
export function openTag(
  context: ProtocolContext,
  place: SessionPlace,
  master: SessionMaster,
  body: Uint8Array,
  evidence: Uint8Array,
): Uint8Array {
  const key = expand(place.suite, master.bytes, 'sessionOpen', placeContext(context, place, EMPTY));
  const tag = place.suite.mac(key, new Writer().bytes(body).bytes(evidence).finish());
  key.fill(0);
  return tag;
}

/** seal(KDF(mk_c, "answer seal", n_N); grant), with H(open) in the context and the session id as associated data. */
export function sealGrant(
  context: ProtocolContext,
  place: SessionPlace,
  master: SessionMaster,
  open: Uint8Array,
  answer: { sessionId: Uint8Array; nonce: Uint8Array },
  grant: SessionGrant,
): Uint8Array {
  const kdf = placeContext(context, place, place.suite.hash(open));
  const plaintext = encodeGrant(grant);
  return sealOnce(
    place.suite,
    master.bytes,
    'sessionAnswerSeal',
    kdf,
    answer.nonce,
    answer.sessionId,
    plaintext,
  );
}

/** @throws AUTHENTICATION_FAILED, BAD_ENCODING */
export function openGrant(
  context: ProtocolContext,
  place: SessionPlace,
  master: SessionMaster,
  open: Uint8Array,
  answer: SessionAnswer,
): SessionGrant {
  const kdf = placeContext(context, place, place.suite.hash(open));
  const { sessionId, nonce, sealed } = answer;
  return decodeGrant(openOnce(place.suite, master.bytes, 'sessionAnswerSeal', kdf, nonce, sessionId, sealed));
}

/** The tag of the answer and the key of each direction. */
export interface SessionKeys {
  readonly answerTag: Uint8Array;
  readonly deviceToNode: Secret<'DirectionKey'>;
  readonly nodeToDevice: Secret<'DirectionKey'>;
}

/** SES-3, SES-4: one key per direction = KDF(mk_c, direction, H(open, answer)). The caller wipes mk_c. */
export function sessionKeys(
  context: ProtocolContext,
  place: SessionPlace,
  master: SessionMaster,
  open: Uint8Array,
  answer: Omit<SessionAnswer, 'tag'>,
): SessionKeys {
  const { suite } = place;
  const transcript = new Writer()
    .bytes(open)
    .raw(answer.sessionId)
    .raw(answer.nonce)
    .bytes(answer.sealed)
    .finish();
  const transcriptHash = suite.hash(transcript);
  const kdf = placeContext(context, place, transcriptHash);
  const tagKey = expand(suite, master.bytes, 'sessionAnswer', kdf);
  const answerTag = suite.mac(tagKey, transcriptHash);
  tagKey.fill(0);
  const direction = (label: 'sessionDeviceToNode' | 'sessionNodeToDevice'): Secret<'DirectionKey'> =>
    Secret.of('DirectionKey', expand(suite, master.bytes, label, kdf, suite.keyLength));
  return {
    answerTag,
    deviceToNode: direction('sessionDeviceToNode'),
    nodeToDevice: direction('sessionNodeToDevice'),
  };
}
