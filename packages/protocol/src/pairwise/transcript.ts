import { Secret, Writer, expand, extractExpand, labelBytes } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import { SHORT_ID_LENGTH } from '../context.js';
import type { ProtocolContext } from '../context.js';
import { writeLimits } from './header.js';
import type { Header } from './header.js';
import type { PairResponse } from './messages.js';

const FINGERPRINT_LENGTH = 16;

/** S: the secret that the shares rebuild, 32 bytes. */
export type SplitSecret = Secret<'SplitSecret'>;
/** One share of S, 32 bytes. */
export type Share = Secret<'Share'>;
/** A secret that two devices keep from one negotiation to the next, `hashLength` bytes. */
export type ContinuitySecret = Secret<'ContinuitySecret'>;
/** The key that the caller asked for. */
export type ApplicationKey = Secret<'ApplicationKey'>;
/** The key from which the channel's external PSKs are derived, `hashLength` bytes. */
export type TlsKey = Secret<'TlsKey'>;

/** The derivation context of a negotiation: A, B, key id, and a hash. */
function pairContext(context: ProtocolContext, header: Header, transcriptHash: Uint8Array): KdfContext {
  return {
    networkId: context.networkId,
    initiator: header.initiator,
    responder: header.responder,
    epoch: header.keyId,
    transcriptHash,
  };
}

/** PAIR-1: cm_i = H(label, key id, i, s_i). */
export function shareCommitment(
  suite: Suite,
  keyId: Uint8Array,
  place: number,
  share: Uint8Array,
): Uint8Array {
  return suite.hash(new Writer().bytes(labelBytes('pairShare')).raw(keyId).u8(place).raw(share).finish());
}

/** PAIR-1: H(epk_A). */
export function ephemeralKeyHash(suite: Suite, ephemeralKey: Uint8Array): Uint8Array {
  return suite.hash(ephemeralKey);
}

/** PAIR-7: th = H(header, ct, n_B, nodes used, limits, continuity id). */
export function pairTranscriptHash(
  suite: Suite,
  header: Uint8Array,
  response: Omit<PairResponse, 'tag' | 'kind' | 'keyId'>,
): Uint8Array {
  const writer = new Writer()
    .bytes(header)
    .bytes(response.ciphertext)
    .raw(response.nonce)
    .list(response.used, (w, place) => w.u8(place));
  return suite.hash(
    writeLimits(writer, response.limits)
      .bytes(response.continuityId ?? new Uint8Array(0))
      .finish(),
  );
}

/** What a negotiation gives both ends. */
export interface PairSecrets {
  readonly applicationKey: ApplicationKey;
  readonly tlsKey: TlsKey;
  readonly continuity: ContinuitySecret;
  /** 16 bytes. */
  readonly continuityId: Uint8Array;
  /** 16 bytes, public: the same at both ends when the key is the same. */
  readonly fingerprint: Uint8Array;
  /** MAC(conf_B, th). */
  readonly responderTag: Uint8Array;
  /** MAC(conf_A, th). */
  readonly initiatorTag: Uint8Array;
  /** MAC(ack, th). */
  readonly ackTag: Uint8Array;
}

/** PAIR-7: PRK = KDF(S, ss, continuity, th); everything else is derived from PRK, which is then erased. */
export function pairSecrets(
  context: ProtocolContext,
  suite: Suite,
  header: Header,
  inputs: { split: Uint8Array; direct: Uint8Array; continuity: Uint8Array },
  transcriptHash: Uint8Array,
): PairSecrets {
  const kdf = pairContext(context, header, transcriptHash);
  const prk = extractExpand(suite, [inputs.split, inputs.direct, inputs.continuity], 'pairPrk', kdf);
  const tag = (label: 'pairConfirmResponder' | 'pairConfirmInitiator' | 'pairAcknowledge'): Uint8Array => {
    const key = expand(suite, prk, label, kdf);
    const result = suite.mac(key, transcriptHash);
    key.fill(0);
    return result;
  };
  const continuity = expand(suite, prk, 'pairContinuity', kdf);
  const secrets: PairSecrets = {
    applicationKey: Secret.of('ApplicationKey', expand(suite, prk, 'pairApplication', kdf, header.keyLength)),
    tlsKey: Secret.of('TlsKey', expand(suite, prk, 'pairTls', kdf)),
    continuityId: expand(suite, continuity, 'pairContinuityId', kdf, SHORT_ID_LENGTH),
    continuity: Secret.of('ContinuitySecret', continuity),
    fingerprint: expand(suite, prk, 'pairFingerprint', kdf, FINGERPRINT_LENGTH),
    responderTag: tag('pairConfirmResponder'),
    initiatorTag: tag('pairConfirmInitiator'),
    ackTag: tag('pairAcknowledge'),
  };
  prk.fill(0);
  return secrets;
}

/** Everything in the secrets of a pair that must be erased when it is given up. */
export function pairSecretList(secrets: PairSecrets): readonly { wipe(): void }[] {
  return [secrets.applicationKey, secrets.tlsKey, secrets.continuity];
}

/** PAIR-1: MAC(KDF(cont, "offer"), key id), under the suite that made the continuity secret. */
export function offerTag(
  context: ProtocolContext,
  suite: Suite,
  header: Pick<Header, 'initiator' | 'responder' | 'keyId'>,
  continuity: ContinuitySecret,
): Uint8Array {
  const key = expand(suite, continuity.bytes, 'pairContinuityOffer', {
    networkId: context.networkId,
    initiator: header.initiator,
    responder: header.responder,
    epoch: header.keyId,
    transcriptHash: new Uint8Array(0),
  });
  const tag = suite.mac(key, header.keyId);
  key.fill(0);
  return tag;
}

/** PAIR-7: MAC(KDF(S, "refuse", H(header)), code), so that only a party that rebuilt S can end a run. */
export function refusalTag(
  context: ProtocolContext,
  suite: Suite,
  header: Header,
  headerHash: Uint8Array,
  split: Uint8Array,
  code: string,
): Uint8Array {
  const key = extractExpand(suite, [split], 'pairRefusal', pairContext(context, header, headerHash));
  const tag = suite.mac(key, new Writer().text(code).finish());
  key.fill(0);
  return tag;
}
