import { createCipheriv, createHash, createHmac } from 'node:crypto';

/*
 * The formulas of docs/protocol/01-encoding.md and 02-suites.md once more, on node:crypto alone and without a line of
 * packages/: what the vectors hold is what two independent computations agree on.
 */

/** The parameters of a suite, as the document lists them. */
export interface HandSuite {
  readonly id: number;
  readonly hash: 'sha256' | 'sha512';
  readonly hashLength: 32 | 64;
  readonly aead: 'aes-256-gcm' | 'chacha20-poly1305';
}

export const HAND_SUITES: readonly HandSuite[] = [
  { id: 1, hash: 'sha256', hashLength: 32, aead: 'aes-256-gcm' },
  { id: 2, hash: 'sha512', hashLength: 64, aead: 'chacha20-poly1305' },
  { id: 3, hash: 'sha256', hashLength: 32, aead: 'aes-256-gcm' },
];

/** What a derivation binds beside its label. */
export interface HandContext {
  readonly networkId: Uint8Array;
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  readonly epoch: Uint8Array;
  readonly transcriptHash: Uint8Array;
}

export const NONE = new Uint8Array(0);

export const u8 = (n: number): Uint8Array => Uint8Array.of(n);
export const u16 = (n: number): Uint8Array => Uint8Array.of(n >>> 8, n & 0xff);

export function u32(n: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return new Uint8Array(bytes);
}

export function u64(n: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return new Uint8Array(bytes);
}

export const raw = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
export const bytes = (value: Uint8Array): Uint8Array => raw(u16(value.length), value);
export const utf8 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf8'));
export const text = (value: string): Uint8Array => bytes(utf8(value));

export function list<T>(items: readonly T[], encode: (item: T) => Uint8Array): Uint8Array {
  return raw(u16(items.length), ...items.map(encode));
}

export const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

export function hash(suite: HandSuite, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash(suite.hash)
      .update(raw(...parts))
      .digest(),
  );
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(raw(...parts))
      .digest(),
  );
}

function mac(suite: HandSuite, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac(suite.hash, key)
      .update(raw(...parts))
      .digest(),
  );
}

/** HKDF-Expand of RFC 5869 with the info of this protocol. */
export function expand(
  suite: HandSuite,
  key: Uint8Array,
  label: string,
  context: HandContext,
  length: number = suite.hashLength,
): Uint8Array {
  const info = raw(
    text(`symmetra/1 ${label}`),
    u8(suite.id),
    context.networkId,
    bytes(context.initiator),
    bytes(context.responder),
    bytes(context.epoch),
    bytes(context.transcriptHash),
    u16(length),
  );
  let block: Uint8Array = NONE;
  let okm: Uint8Array = NONE;
  for (let i = 1; okm.length < length; i++) {
    block = mac(suite, key, block, info, u8(i));
    okm = raw(okm, block);
  }
  return okm.slice(0, length);
}

/** HKDF-Extract over framed inputs; the label's text is the salt. */
export function extract(suite: HandSuite, label: string, ikms: readonly Uint8Array[]): Uint8Array {
  return mac(suite, utf8(`symmetra/1 ${label}`), ...ikms.map(bytes));
}

/** AEAD of the suite: ciphertext || tag. */
export function seal(
  suite: HandSuite,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(suite.aead as 'aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad);
  const body = raw(cipher.update(plaintext), cipher.final());
  return raw(body, cipher.getAuthTag());
}

/** The key of one message, and the message under it with a nonce of zeros. */
export function sealOnce(
  suite: HandSuite,
  key: Uint8Array,
  label: string,
  context: HandContext,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): { readonly messageKey: Uint8Array; readonly sealed: Uint8Array } {
  const transcriptHash = hash(suite, bytes(context.transcriptHash), bytes(nonce));
  const messageKey = expand(suite, key, label, { ...context, transcriptHash }, 32);
  return { messageKey, sealed: seal(suite, messageKey, new Uint8Array(12), aad, plaintext) };
}

/** MAC under a key derived for one purpose. */
export function taggedUnder(
  suite: HandSuite,
  key: Uint8Array,
  label: string,
  context: HandContext,
  ...parts: readonly Uint8Array[]
): { readonly key: Uint8Array; readonly tag: Uint8Array } {
  const derived = expand(suite, key, label, context);
  return { key: derived, tag: mac(suite, derived, ...parts) };
}
