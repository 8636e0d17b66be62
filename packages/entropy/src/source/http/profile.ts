import type { HttpCall } from './connection.js';
import { checkLength, readAscii, readBase64, readHex, readJsonAt, readValue } from './payload.js';
import type { TextForm } from './payload.js';
import { QrngOpenApi } from './qrng-open-api.js';

/** What a server speaks, and how its noise is written. */
export type HttpProfileOptions =
  | { readonly profile: 'qrng-open-api'; readonly entropyType?: string }
  | { readonly profile: 'quantis' }
  | { readonly profile: 'json'; readonly jsonPath: string; readonly form: TextForm }
  | { readonly profile: 'base64' | 'hex' | 'raw' };

/** One way to ask a server for noise. */
export interface HttpProfile {
  /**
   * Asks once, for about `bytes` samples as far as the server lets itself be asked.
   * @returns the samples of one reply, at least one, all of them checked for their form.
   * @throws SOURCE_BAD_PAYLOAD, and whatever `call` throws.
   */
  ask(bytes: number, call: HttpCall, signal: AbortSignal): Promise<Uint8Array>;
  /** After an error: forgets what the server said before. */
  reset(): void;
}

const OCTETS = ['application/octet-stream'];
const TEXT = ['text/plain', 'application/octet-stream'];
const JSON_TYPES = ['application/json'];
/** Line ends after a text, and the frame around a value in JSON. */
const SLACK_BYTES = 4096;
/** The most that one sample takes: `255, ` in a list of numbers with spaces and a line end. */
const BYTES_PER_NUMBER = 6;

/**
 * @param url the server's base for `qrng-open-api` and `quantis`; else the whole URL, in which `{bytes}` stands for the
 *   number of bytes.
 */
export function httpProfile(name: string, url: string, options: HttpProfileOptions): HttpProfile {
  switch (options.profile) {
    case 'qrng-open-api':
      return new QrngOpenApi(name, url, options.entropyType);
    case 'quantis':
      return new PlainProfile(name, `${withoutSlash(url)}/api/2.0/streambytes?size={bytes}`, RAW);
    case 'json':
      return new PlainProfile(name, url, {
        accept: JSON_TYPES,
        bytesPerSample: BYTES_PER_NUMBER,
        read: (body) => readValue(name, readJsonAt(name, body, options.jsonPath), options.form),
      });
    case 'base64':
      return new PlainProfile(
        name,
        url,
        textual((body) => readBase64(name, readAscii(name, body))),
      );
    case 'hex':
      return new PlainProfile(
        name,
        url,
        textual((body) => readHex(name, readAscii(name, body))),
      );
    case 'raw':
      return new PlainProfile(name, url, RAW);
  }
}

/** How one body is read. */
interface BodyFormat {
  readonly accept: readonly string[];
  /** The most bytes of a body that one sample takes. */
  readonly bytesPerSample: number;
  /** @throws SOURCE_BAD_PAYLOAD */
  readonly read: (body: Uint8Array) => Uint8Array;
}

const RAW: BodyFormat = { accept: OCTETS, bytesPerSample: 1, read: (body) => body };

const textual = (read: BodyFormat['read']): BodyFormat => ({ accept: TEXT, bytesPerSample: 2, read });

/** One GET for exactly so many bytes. */
class PlainProfile implements HttpProfile {
  readonly #name: string;
  readonly #url: string;
  readonly #format: BodyFormat;

  constructor(name: string, url: string, format: BodyFormat) {
    this.#name = name;
    this.#url = url;
    this.#format = format;
  }

  async ask(bytes: number, call: HttpCall, signal: AbortSignal): Promise<Uint8Array> {
    const { accept, bytesPerSample, read } = this.#format;
    const url = new URL(this.#url.replaceAll('{bytes}', String(bytes)));
    const maxBytes = bytes * bytesPerSample + SLACK_BYTES;
    const body = await call({ method: 'GET', url, accept, maxBytes }, signal);
    return checkLength(this.#name, read(body), bytes);
  }

  reset(): void {
    // The server says nothing beside the noise.
  }
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
