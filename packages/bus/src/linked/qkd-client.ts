import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SymmetraError } from '@symmetra/crypto';
import type { BusClock } from '../in-process.js';
import type { QkdKey, QkdSource } from './options.js';

/** Bits of the keys that are asked for. */
const KEY_BITS = 256;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_KEY_ID = 128;
const KEY_ID = /^[\x21-\x7e]+$/;
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** How the key management entity (KME) of this site is reached. */
export interface QkdClientOptions {
  /** `https://host:port`; `http:` only for a KME on this machine. */
  readonly url: string;
  /** SAE_ID of the node at the other end. */
  readonly peerSaeId: string;
  /** Whether there is no link with that node without a QKD key. */
  readonly required: boolean;
  readonly clock: BusClock;
  /** How long an answer may take. */
  readonly timeoutMs: number;
  /** PEM; the KME knows this node by its certificate. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** A source of QKD keys over the REST interface of ETSI GS QKD 014 V1.1.1. @throws QKD_UNAVAILABLE when the address is not to be used */
export function qkdClient(options: QkdClientOptions): QkdSource {
  const base = new URL(options.url);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && LOOPBACK.has(base.hostname))) {
    throw unavailable('the KME is reached over https only');
  }
  const keys = `/api/v1/keys/${encodeURIComponent(options.peerSaeId)}`;
  return {
    required: options.required,
    async newKey() {
      const answer = await ask(options, base, `${keys}/enc_keys`, { number: 1, size: KEY_BITS });
      return readKey(answer);
    },
    async keyOf(keyId) {
      const answer = await ask(options, base, `${keys}/dec_keys`, { key_IDs: [{ key_ID: keyId }] });
      const found = readKey(answer);
      if (found.keyId === keyId) return found.key;
      found.key.fill(0);
      throw badAnswer('the KME gave another key than the one that was asked for');
    },
  };
}

/** Section 6.3: the first key of a key container. The text of the answer can not be erased, its bytes are. @throws QKD_BAD_ANSWER */
function readKey(answer: Buffer): QkdKey {
  let container: unknown;
  try {
    container = JSON.parse(answer.toString('utf8'));
  } catch {
    throw badAnswer('the KME did not answer with JSON');
  } finally {
    answer.fill(0);
  }
  const first = fieldOf(container, 'keys', isList)?.[0];
  const keyId = fieldOf(first, 'key_ID', isString);
  const key = fieldOf(first, 'key', isString);
  if (keyId === undefined || keyId.length > MAX_KEY_ID || !KEY_ID.test(keyId)) {
    throw badAnswer('the KME named no key');
  }
  if (key === undefined || !BASE64_KEY.test(key)) throw badAnswer('the KME gave no key of 256 bits');
  return { keyId, key: new Uint8Array(Buffer.from(key, 'base64')) };
}

function ask(options: QkdClientOptions, base: URL, path: string, body: object): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const send = base.protocol === 'https:' ? httpsRequest : httpRequest;
    const text = JSON.stringify(body);
    const request = send(
      new URL(path, base),
      {
        ...options.tls,
        rejectUnauthorized: true,
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => readAnswer(response, resolve, fail),
    );
    const timer = options.clock.setTimer(options.timeoutMs, () =>
      fail(unavailable('the KME did not answer in time')),
    );
    function fail(error: SymmetraError): void {
      timer.cancel();
      reject(error);
      request.destroy();
    }
    request.on('error', () => fail(unavailable('the KME can not be reached')));
    request.on('close', () => timer.cancel());
    request.end(text);
  });
}

function readAnswer(
  response: IncomingMessage,
  resolve: (answer: Buffer) => void,
  fail: (error: SymmetraError) => void,
): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) fail(badAnswer('the KME answered with too much'));
    else parts.push(part);
  });
  response.on('error', () => fail(unavailable('the KME broke off its answer')));
  response.on('end', () => {
    const answer = Buffer.concat(parts);
    for (const part of parts) part.fill(0);
    if (response.statusCode === 200) return resolve(answer);
    answer.fill(0);
    fail(
      new SymmetraError('QKD_UNAVAILABLE', 'the KME refused to give a key', {
        status: response.statusCode ?? 0,
      }),
    );
  });
}

function fieldOf<T>(value: unknown, name: string, is: (field: unknown) => field is T): T | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const field: unknown = Reflect.get(value, name);
  return is(field) ? field : undefined;
}

function isList(field: unknown): field is readonly unknown[] {
  return Array.isArray(field);
}

function isString(field: unknown): field is string {
  return typeof field === 'string';
}

function unavailable(message: string): SymmetraError {
  return new SymmetraError('QKD_UNAVAILABLE', message);
}

function badAnswer(message: string): SymmetraError {
  return new SymmetraError('QKD_BAD_ANSWER', message);
}
