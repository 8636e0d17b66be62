import { Agent as PlainAgent, request as requestPlain } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { SymmetraError } from '@symmetra/crypto';
import { systemCode } from '../readable.js';
import { connectionError, loadSecret, loadTls } from '../tls-files.js';
import type { TlsFiles } from '../tls-files.js';
import { badPayload } from './payload.js';

/** How this side proves itself to the server; both from files, read anew at each connection. */
export interface HttpCredentials extends TlsFiles {
  /** The token of `authorization: Bearer`. */
  readonly bearerFile?: string | undefined;
  /** The key of `x-api-key`. */
  readonly apiKeyFile?: string | undefined;
}

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** Media types, the first of which is asked for; the reply must be of one of them. */
  readonly accept: readonly string[];
  /** JSON. */
  readonly body?: string;
  /** The longest reply that is read, in bytes. */
  readonly maxBytes: number;
}

/** Sends one request and returns the body of the reply, which has status 200 and a media type that was agreed. */
export type HttpCall = (request: HttpRequest, signal: AbortSignal) => Promise<Uint8Array>;

interface Opened {
  readonly agent: PlainAgent | TlsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * One connection to one server, kept alive between requests. node:http and node:https because they take the
 * authorities, the certificate and the end of one connection as they are; they follow no redirect, unpack nothing and
 * heed no proxy of the environment.
 */
export class HttpConnection {
  readonly #name: string;
  readonly #encrypted: boolean;
  readonly #credentials: HttpCredentials;
  #opened: Opened | undefined;

  constructor(name: string, encrypted: boolean, credentials: HttpCredentials) {
    this.#name = name;
    this.#encrypted = encrypted;
    this.#credentials = credentials;
  }

  /**
   * @throws SOURCE_REFUSED for any status but 200, with `status` and, where a busy server states it, `retryAfterMs`;
   *   SOURCE_BAD_PAYLOAD, SOURCE_SHORT_READ, SOURCE_UNREACHABLE, SOURCE_UNTRUSTED, SOURCE_CREDENTIAL
   */
  async call(request: HttpRequest, signal: AbortSignal): Promise<Uint8Array> {
    this.#opened ??= await this.#open();
    const reply = await this.#send(this.#opened, request, signal);
    try {
      checkStatus(this.#name, reply);
      checkMediaType(this.#name, reply.headers, request.accept);
      return await readBody(this.#name, reply, request.maxBytes, signal);
    } finally {
      if (!reply.readableEnded) reply.destroy();
    }
  }

  /** Ends the connection; the next call opens another, with credentials read anew. */
  reset(): void {
    this.#opened?.agent.destroy();
    this.#opened = undefined;
  }

  async #open(): Promise<Opened> {
    const { bearerFile, apiKeyFile } = this.#credentials;
    const headers = {
      'accept-encoding': 'identity',
      ...(bearerFile !== undefined && {
        authorization: `Bearer ${await loadSecret(this.#name, bearerFile)}`,
      }),
      ...(apiKeyFile !== undefined && { 'x-api-key': await loadSecret(this.#name, apiKeyFile) }),
    };
    const agent = this.#encrypted
      ? new TlsAgent({ ...(await loadTls(this.#name, this.#credentials)), keepAlive: true, maxSockets: 1 })
      : new PlainAgent({ keepAlive: true, maxSockets: 1 });
    return { agent, headers };
  }

  async #send(opened: Opened, request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    for (;;) {
      const sent = this.#start(opened, request);
      try {
        return await replyTo(sent, signal);
      } catch (error) {
        sent.destroy();
        signal.throwIfAborted();
        const reason = systemCode(error);
        if (reason.startsWith('HPE_')) throw badPayload(this.#name, 'the server does not speak HTTP');
        // The server ended a connection that it had kept: another one, at once.
        const stale = sent.reusedSocket && reason === 'ECONNRESET';
        if (!stale) throw connectionError(this.#name, error);
      }
    }
  }

  #start({ agent, headers }: Opened, { method, url, accept, body }: HttpRequest): ClientRequest {
    const send = this.#encrypted ? requestTls : requestPlain;
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    try {
      const request = send(url, { method, agent, headers: { ...headers, ...content, accept: accept[0] } });
      // Whoever waits for the reply hears of an error; after that it is the body's, which says so itself.
      request.on('error', () => undefined);
      return request.end(body);
    } catch (error) {
      throw connectionError(this.#name, error);
    }
  }
}

async function replyTo(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    request.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      reject(new Error('closed'));
    });
    request.once('response', resolve);
    // No response follows: what came instead has a status, and the rest of it is none of ours.
    request.once('upgrade', (reply, socket) => {
      socket.destroy();
      resolve(reply);
    });
    request.once('error', reject);
  });
}

function checkStatus(name: string, reply: IncomingMessage): void {
  const { statusCode: status = 0, headers } = reply;
  if (status === 200) return;
  const busy = status === 429 || status === 503;
  const retryAfterMs = busy ? readRetryAfter(headers['retry-after'], headers.date) : undefined;
  throw new SymmetraError('SOURCE_REFUSED', `the server answered with status ${status}`, {
    source: name,
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function checkMediaType(name: string, headers: IncomingHttpHeaders, accepted: readonly string[]): void {
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw badPayload(name, 'the payload is encoded, which was not asked for');
  }
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (accepted.includes(type.trim().toLowerCase())) return;
  throw badPayload(name, 'the payload is of another media type than was agreed');
}

async function readBody(
  name: string,
  reply: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  const stop = (): void => void reply.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const part of reply as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maxBytes) throw badPayload(name, 'the payload is longer than can be', { maxBytes });
      parts.push(part);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SymmetraError) throw error;
    throw new SymmetraError(
      'SOURCE_SHORT_READ',
      'the payload ended early',
      { source: name },
      { cause: error },
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(parts);
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3).
 * @param date the header Date of the same reply, against which a time is taken: no clock is compared with another.
 * @returns undefined when there is no header that can be understood.
 */
export function readRetryAfter(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const wait = Date.parse(value) - Date.parse(date ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
