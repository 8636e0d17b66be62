import { checkLength } from './backend.js';
import { wipe } from './bytes.js';
import { Writer } from './encoding.js';
import { SymmetraError } from './error.js';
import { hkdfExpand, hkdfExtract } from './hkdf.js';
import { labelBytes } from './labels.js';
import type { Label } from './labels.js';
import type { Suite } from './suites.js';

/** Bytes of a network id. */
export const NETWORK_ID_LENGTH = 16;
/** Bytes of the fresh nonce of a one-shot message. */
export const ONE_SHOT_NONCE_LENGTH = 32;

/** RFC 5869 section 2.3: at most 255 blocks. */
const MAX_BLOCKS = 255;
/** Five length prefixes, the suite id and the output length. */
const INFO_FIXED_LENGTH = 5 * 2 + 1 + 2;
const ZERO_NONCE = new Uint8Array(12);

/** What every derivation binds beside its label, suite and length (protocol section 2). */
export interface KdfContext {
  /** 16 bytes. */
  readonly networkId: Uint8Array;
  /** Identity of the party that began the flow. */
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  /** The epoch as u64, or the key id. */
  readonly epoch: Uint8Array;
  /** Hash of what was exchanged so far; empty where nothing was. */
  readonly transcriptHash: Uint8Array;
}

/**
 * HKDF-Expand (RFC 5869 section 2.3) with the suite's HMAC:
 *
 *     info = text(label) || u8(suite id) || networkId(16) || bytes(initiator) || bytes(responder)
 *            || bytes(epoch) || bytes(transcriptHash) || u16(length)
 *     OKM  = first `length` bytes of T(1) || T(2) || ...,  T(i) = HMAC(key, T(i-1) || info || u8(i))
 *
 * @param key a uniform key of exactly `suite.hashLength` bytes, used as PRK.
 * @param length at most 255 * hashLength.
 * @throws KDF_KEY_LENGTH, KDF_NETWORK_ID_LENGTH, KDF_OUTPUT_LENGTH, EncodingError.
 */
export function expand(
  suite: Suite,
  key: Uint8Array,
  label: Label,
  context: KdfContext,
  length: number = suite.hashLength,
): Uint8Array {
  checkLength(key, suite.hashLength, 'KDF_KEY_LENGTH', 'the key of a derivation');
  checkLength(context.networkId, NETWORK_ID_LENGTH, 'KDF_NETWORK_ID_LENGTH', 'the network id');
  const blocks = Math.ceil(length / suite.hashLength);
  if (!Number.isInteger(length) || length < 1 || blocks > MAX_BLOCKS) {
    throw new SymmetraError('KDF_OUTPUT_LENGTH', `a derivation can not give ${length} bytes`, { length });
  }
  return hkdfExpand(suite.mac, key, encodeInfo(suite, label, context, length), length);
}

/**
 * HKDF (RFC 5869) over one or several secrets:
 *
 *     PRK = HMAC(salt = label, bytes(ikm[0]) || bytes(ikm[1]) || ...)
 *     OKM = expand(suite, PRK, label, context, length)
 *
 * where the salt is the label's UTF-8 text. Each input is framed, so no two lists collide.
 *
 * @throws KDF_NETWORK_ID_LENGTH, KDF_OUTPUT_LENGTH, EncodingError.
 */
export function extractExpand(
  suite: Suite,
  ikms: readonly Uint8Array[],
  label: Label,
  context: KdfContext,
  length: number = suite.hashLength,
): Uint8Array {
  const writer = new Writer(ikms.reduce((total, ikm) => total + 2 + ikm.length, 0));
  for (const ikm of ikms) writer.bytes(ikm);
  const framed = writer.finish();
  const prk = hkdfExtract(suite.mac, labelBytes(label), framed);
  const okm = expand(suite, prk, label, context, length);
  wipe(framed, prk);
  return okm;
}

/**
 * Seals one message under a key of its own, so that no AEAD nonce can repeat:
 *
 *     key' = expand(suite, key, label, context with transcriptHash := H(bytes(transcriptHash) || bytes(nonce)), 32)
 *     out  = AEAD(key', 12 zero bytes, aad, plaintext)
 *
 * @param key `suite.hashLength` bytes.
 * @param nonce 32 fresh random bytes; they travel with the message.
 * @throws ONE_SHOT_NONCE_LENGTH and as {@link expand}.
 */
export function sealOnce(
  suite: Suite,
  key: Uint8Array,
  label: Label,
  context: KdfContext,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const messageKey = oneShotKey(suite, key, label, context, nonce);
  const sealed = suite.seal(messageKey, ZERO_NONCE, aad, plaintext);
  wipe(messageKey);
  return sealed;
}

/**
 * Opens what {@link sealOnce} sealed.
 * @throws AuthenticationError, ONE_SHOT_NONCE_LENGTH and as {@link expand}.
 */
export function openOnce(
  suite: Suite,
  key: Uint8Array,
  label: Label,
  context: KdfContext,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const messageKey = oneShotKey(suite, key, label, context, nonce);
  try {
    return suite.open(messageKey, ZERO_NONCE, aad, sealed);
  } finally {
    wipe(messageKey);
  }
}

function oneShotKey(
  suite: Suite,
  key: Uint8Array,
  label: Label,
  context: KdfContext,
  nonce: Uint8Array,
): Uint8Array {
  checkLength(nonce, ONE_SHOT_NONCE_LENGTH, 'ONE_SHOT_NONCE_LENGTH', 'the nonce of a one-shot message');
  const capacity = 2 + context.transcriptHash.length + 2 + nonce.length;
  const framed = new Writer(capacity).bytes(context.transcriptHash).bytes(nonce).finish();
  const transcriptHash = suite.hash(framed);
  return expand(suite, key, label, { ...context, transcriptHash }, suite.keyLength);
}

function encodeInfo(suite: Suite, label: Label, context: KdfContext, length: number): Uint8Array {
  const { networkId, initiator, responder, epoch, transcriptHash } = context;
  const labelText = labelBytes(label);
  const capacity =
    INFO_FIXED_LENGTH +
    labelText.length +
    networkId.length +
    initiator.length +
    responder.length +
    epoch.length +
    transcriptHash.length;
  return new Writer(capacity)
    .bytes(labelText)
    .u8(suite.id)
    .raw(networkId)
    .bytes(initiator)
    .bytes(responder)
    .bytes(epoch)
    .bytes(transcriptHash)
    .u16(length)
    .finish();
}
