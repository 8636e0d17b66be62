import {
  Reader,
  Secret,
  SymmetraError,
  Writer,
  concat,
  equalConstantTime,
  expand,
  extractExpand,
  fromBase64Url,
  labelBytes,
  openOnce,
  sealOnce,
  sha256,
  suites,
  toBase64Url,
  utf8,
} from '@symmetra/crypto';
import type { KdfContext } from '@symmetra/crypto';
import { PROTOCOL_VERSION, SHORT_ID_LENGTH, domainHash, readCount, u64 } from '../context.js';

const TEXT_PREFIX = 'smt1_';
const CHECKSUM_LENGTH = 4;
const MAX_HINTS = 32;
const MAX_ADDRESS_LENGTH = 255;
const EMPTY = new Uint8Array(0);

/** The token secret T, 32 bytes, known to the administrator's tool and the device alone. */
export type TokenSecret = Secret<'TokenSecret'>;
/** The share t_i of the token that one node knows, 32 bytes. */
export type NodeTokenSecret = Secret<'NodeTokenSecret'>;

/** What a device needs to enrol (ENR-1). */
export interface EnrolmentToken {
  /** 16 bytes. */
  readonly networkId: Uint8Array;
  readonly secret: TokenSecret;
  /** SHA-256 of the network root's public key, 32 bytes. */
  readonly rootKeyHash: Uint8Array;
  /** Addresses host:port of nodes from which the descriptor can be fetched. */
  readonly hints: readonly string[];
  /** Milliseconds since 1970; for people, the nodes decide. */
  readonly expiresMs: number;
}

/** ENR-1: the token as one line of text: prefix, base64url of the fields and of 4 bytes of their SHA-256. */
export function encodeToken(token: EnrolmentToken): string {
  const fields = new Writer()
    .u8(PROTOCOL_VERSION)
    .raw(token.networkId)
    .raw(token.secret.bytes)
    .raw(token.rootKeyHash)
    .list(token.hints, (w, hint) => w.text(hint))
    .u64(token.expiresMs)
    .finish();
  return TEXT_PREFIX + toBase64Url(concat(fields, sha256(fields).subarray(0, CHECKSUM_LENGTH)));
}

/** Reads a token. @throws TOKEN_MALFORMED when it is cut, changed, or no token at all */
export function decodeToken(text: string): EnrolmentToken {
  try {
    if (!text.startsWith(TEXT_PREFIX)) throw malformed();
    const bytes = fromBase64Url(text.slice(TEXT_PREFIX.length));
    const fields = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_LENGTH));
    const checksum = bytes.subarray(fields.length);
    if (!equalConstantTime(checksum, sha256(fields).subarray(0, CHECKSUM_LENGTH))) throw malformed();
    const reader = new Reader(fields, 'token');
    if (reader.u8() !== PROTOCOL_VERSION) throw malformed();
    const token: EnrolmentToken = {
      networkId: reader.raw(SHORT_ID_LENGTH),
      secret: Secret.of('TokenSecret', reader.raw(32)),
      rootKeyHash: reader.raw(32),
      hints: reader.list(MAX_HINTS, (r) => r.text(MAX_ADDRESS_LENGTH)),
      expiresMs: readCount(reader),
    };
    reader.end();
    return token;
  } catch (error) {
    if (error instanceof SymmetraError && error.code === 'TOKEN_MALFORMED') throw error;
    throw malformed();
  }
}

/** ENR-1: the public id of a token, 16 bytes, derived from T one way. */
export function tokenIdOf(networkId: Uint8Array, secret: TokenSecret): Uint8Array {
  const context = tokenContext(networkId, EMPTY, EMPTY);
  return extractExpand(suites.get(1), [secret.bytes], 'enrolTokenId', context, SHORT_ID_LENGTH);
}

/**
 * ENR-1: t_i = KDF(T, "enrol token", node id, node key hash), 32 bytes, under suite 1 whatever the enrolment's
 * suite is.
 */
export function nodeTokenSecret(
  networkId: Uint8Array,
  secret: TokenSecret,
  nodeId: string,
  nodeKeyHash: Uint8Array,
): NodeTokenSecret {
  const context = tokenContext(networkId, utf8(nodeId), nodeKeyHash);
  return Secret.of('NodeTokenSecret', extractExpand(suites.get(1), [secret.bytes], 'enrolToken', context));
}

/** ENR-1: device id = SHA-256(label, token id, n_E), 32 bytes. Every node computes and compares it. */
export function deviceIdOf(tokenId: Uint8Array, enrolmentNonce: Uint8Array): Uint8Array {
  return domainHash(labelBytes('enrolDeviceId'), new Writer().raw(tokenId).raw(enrolmentNonce).finish());
}

/** t_i sealed to a node's suite 1 KEM key, as it stands in the control event (CTL-4). */
export interface SealedTokenSecret {
  readonly ciphertext: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Seals t_i to a node (CTL-4). `coins` are 32 fresh random bytes. */
export function sealTokenSecret(
  networkId: Uint8Array,
  tokenId: Uint8Array,
  nodeId: string,
  nodeKemKey: Uint8Array,
  secret: NodeTokenSecret,
  coins: Uint8Array,
): SealedTokenSecret {
  const suite = suites.get(1);
  const { ciphertext, sharedSecret } = suite.kem.encapsulate(nodeKemKey, coins);
  const context = tokenContext(networkId, utf8(nodeId), suite.hash(tokenId, ciphertext));
  const key = expand(suite, sharedSecret, 'enrolTokenSeal', context);
  const sealed = sealOnce(suite, key, 'enrolTokenSeal', context, ZERO_NONCE, tokenId, secret.bytes);
  sharedSecret.fill(0);
  key.fill(0);
  return { ciphertext, sealed };
}

/** Opens t_i at the node. @throws AUTHENTICATION_FAILED when it was sealed to another key or token */
export function openTokenSecret(
  networkId: Uint8Array,
  tokenId: Uint8Array,
  nodeId: string,
  nodeSecretKey: Uint8Array,
  token: SealedTokenSecret,
): NodeTokenSecret {
  const suite = suites.get(1);
  const sharedSecret = suite.kem.decapsulate(token.ciphertext, nodeSecretKey);
  const context = tokenContext(networkId, utf8(nodeId), suite.hash(tokenId, token.ciphertext));
  const key = expand(suite, sharedSecret, 'enrolTokenSeal', context);
  const opened = openOnce(suite, key, 'enrolTokenSeal', context, ZERO_NONCE, tokenId, token.sealed);
  sharedSecret.fill(0);
  key.fill(0);
  return Secret.of('NodeTokenSecret', opened);
}

/** The key of a sealed token secret is fresh with its encapsulation, so its one-shot nonce may be constant. */
const ZERO_NONCE = new Uint8Array(32);

function tokenContext(networkId: Uint8Array, responder: Uint8Array, transcriptHash: Uint8Array): KdfContext {
  return { networkId, initiator: EMPTY, responder, epoch: u64(0), transcriptHash };
}

function malformed(): SymmetraError {
  return new SymmetraError('TOKEN_MALFORMED', 'the token is not complete or was changed; copy it again');
}
