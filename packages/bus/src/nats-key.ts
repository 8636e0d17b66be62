import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SymmetraError } from '@symmetra/crypto';

/*
 * The keys of NATS: Ed25519, written as base32 of a type, the bytes and a check sum (CRC-16/XMODEM, low byte first).
 * https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KEY_BYTES = 32;
const CHECK_BYTES = 2;
/** `U`: the public key of a user. */
const USER = 20 << 3;
/** `SU`: the seed of one. The second type is spread over two bytes. */
const SEED_OF_USER = [(18 << 3) | (USER >> 5), (USER & 0x1f) << 3] as const;
/** PKCS #8 around the 32 bytes of an Ed25519 seed (RFC 8410). */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/** A key by which a node proves to a NATS server who it is. */
export interface Nkey {
  /** ASCII text, secret. The caller wipes it. */
  readonly seed: Uint8Array;
  /** Stands in the configuration of the server. */
  readonly public: string;
}

/** Makes a user key from the randomness of the operating system. */
export function createNkey(): Nkey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  const raw = der.subarray(-KEY_BYTES);
  const seed = encode(SEED_OF_USER, raw);
  der.fill(0);
  return { seed, public: publicOf(privateKey) };
}

/** Signs the challenges of servers. The key itself is held by OpenSSL, outside the reach of this code. */
export class NkeySigner {
  readonly public: string;
  readonly #key: KeyObject;

  /**
   * @param seed text as {@link Nkey} has it; a line break behind it is left out. The caller wipes it.
   * @throws SymmetraError BAD_NKEY
   */
  constructor(seed: Uint8Array) {
    const raw = decodeSeed(seed);
    const der = new Uint8Array([...PKCS8, ...raw]);
    this.#key = createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
    raw.fill(0);
    der.fill(0);
    this.public = publicOf(this.#key);
  }

  /** @returns base64url text */
  sign(challenge: string): string {
    return sign(null, Buffer.from(challenge), this.#key).toString('base64url');
  }
}

function publicOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return Buffer.from(encode([USER], der.subarray(-KEY_BYTES))).toString('latin1');
}

function decodeSeed(text: Uint8Array): Uint8Array {
  let end = text.length;
  while (end > 0 && (text[end - 1] as number) <= 0x20) end -= 1;
  const bytes = fromBase32(text.subarray(0, end));
  const raw = bytes?.slice(SEED_OF_USER.length, -CHECK_BYTES);
  const isSeed =
    bytes !== undefined &&
    raw?.length === KEY_BYTES &&
    SEED_OF_USER.every((byte, index) => bytes[index] === byte) &&
    encode(SEED_OF_USER, raw).every((char, index) => char === text[index]);
  bytes?.fill(0);
  if (isSeed) return raw;
  throw new SymmetraError('BAD_NKEY', 'this is no seed of a NATS user (58 characters that begin with SU)');
}

function encode(type: readonly number[], key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(type.length + key.length + CHECK_BYTES);
  bytes.set(type);
  bytes.set(key, type.length);
  const check = crc16(bytes.subarray(0, -CHECK_BYTES));
  bytes.set([check & 0xff, check >> 8], bytes.length - CHECK_BYTES);
  const text = toBase32(bytes);
  bytes.fill(0);
  return text;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff;
  }
  return crc;
}

/** Bytes to bytes: a string could not be wiped. */
function toBase32(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(Math.ceil((bytes.length * 8) / 5));
  for (let i = 0; i < text.length; i++) {
    const at = Math.floor((i * 5) / 8);
    const pair = ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
    text[i] = ALPHABET.charCodeAt((pair >> (11 - ((i * 5) % 8))) & 0x1f);
  }
  return text;
}

function fromBase32(text: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8) + 1);
  for (const [i, char] of text.entries()) {
    const value = ALPHABET.indexOf(String.fromCharCode(char));
    if (value < 0) return undefined;
    const at = Math.floor((i * 5) / 8);
    const pair = value << (11 - ((i * 5) % 8));
    bytes[at] = (bytes[at] as number) | (pair >> 8);
    bytes[at + 1] = (bytes[at + 1] ?? 0) | (pair & 0xff);
  }
  return bytes.slice(0, -1);
}
