import { SymmetraError } from '@symmetra/crypto';
import { ByteNoise } from '../byte-noise.js';
import type { ByteFeed } from '../byte-noise.js';
import { pause } from '../clock.js';
import type { SourceClock } from '../clock.js';
import { checkExposure } from '../exposure.js';
import type { NoiseSource, SourceDescription } from '../noise-source.js';
import { HttpConnection } from './connection.js';
import type { HttpCall, HttpCredentials } from './connection.js';
import { httpProfile } from './profile.js';
import type { HttpProfile, HttpProfileOptions } from './profile.js';

/** However long a server asks to be left alone, it is asked again after that. */
const LONGEST_WAIT_MS = 300_000;
/** However soon a server wants to be asked again. */
const SHORTEST_WAIT_MS = 250;

/** How an {@link httpSource} is opened. */
export interface HttpSourceOptions {
  readonly description: SourceDescription;
  /** http: or https:, without user, password and fragment. */
  readonly url: string;
  readonly profile: HttpProfileOptions;
  readonly credentials?: HttpCredentials;
  /** How many bytes one request asks for, 1 to 2^20; the server may have limits. */
  readonly bytesPerRequest: number;
  /** The way to another machine is protected otherwise, and needs no TLS. */
  readonly exposed?: boolean;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered, whatever number of requests it takes. */
  readonly timeoutMs: number;
}

/**
 * A server that gives noise over HTTP, a byte a sample. What one reply holds beyond the block is the beginning of the
 * next one, and is dropped after an error. A server that states Retry-After is left alone for so long, 5 minutes at
 * most.
 * @throws BAD_CONFIG for a URL that is none, or that needs TLS.
 */
export function httpSource(options: HttpSourceOptions): NoiseSource {
  const { description, url, profile, credentials = {}, bytesPerRequest, exposed = false } = options;
  const { clock, timeoutMs } = options;
  const { protocol, hostname } = checkUrl(description.name, url, credentials);
  const encrypted = protocol === 'https:';
  checkExposure(description.name, hostname, encrypted, exposed);
  const feed = new HttpFeed({
    profile: httpProfile(description.name, url, profile),
    connection: new HttpConnection(description.name, encrypted, credentials),
    bytesPerRequest,
    clock,
    timeoutMs,
  });
  return new ByteNoise({ description, feed, clock, timeoutMs });
}

function checkUrl(name: string, text: string, { bearerFile, apiKeyFile }: HttpCredentials): URL {
  const refuse = (reason: string): SymmetraError =>
    new SymmetraError('BAD_CONFIG', `the URL of the source ${reason}`, { source: name });
  if (!URL.canParse(text)) throw refuse('is none');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is neither http: nor https:');
  if (url.username !== '' || url.password !== '') throw refuse('holds a user or a password');
  if (url.hash !== '') throw refuse('has a fragment');
  if (url.protocol === 'http:' && (bearerFile ?? apiKeyFile) !== undefined) {
    throw refuse('is http:, over which no credential is sent');
  }
  return url;
}

interface HttpFeedParts {
  readonly profile: HttpProfile;
  readonly connection: HttpConnection;
  readonly bytesPerRequest: number;
  readonly clock: SourceClock;
  readonly timeoutMs: number;
}

class HttpFeed implements ByteFeed {
  readonly #parts: HttpFeedParts;
  readonly #call: HttpCall;
  #left: Uint8Array = new Uint8Array(0);
  /** On the injected clock: when the server may be asked again. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #refusal: SymmetraError | undefined;

  constructor(parts: HttpFeedParts) {
    this.#parts = parts;
    this.#call = async (request, signal) => parts.connection.call(request, signal);
  }

  async readInto(target: Uint8Array, signal: AbortSignal): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#left.length === 0) this.#left = await this.#ask(signal);
      const part = this.#left.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      part.fill(0);
      this.#left = this.#left.subarray(part.length);
    }
  }

  reset(): void {
    this.#left.fill(0);
    this.#left = new Uint8Array(0);
    this.#parts.profile.reset();
    this.#parts.connection.reset();
  }

  async close(): Promise<void> {
    this.reset();
  }

  /** Asks once, and again when the server asks for a pause that the time limit allows. */
  async #ask(signal: AbortSignal): Promise<Uint8Array> {
    const { profile, bytesPerRequest } = this.#parts;
    for (;;) {
      await this.#waitItsTurn(signal);
      try {
        return await profile.ask(bytesPerRequest, this.#call, signal);
      } catch (error) {
        if (!(error instanceof SymmetraError) || !this.#isToWait(error)) throw error;
      }
    }
  }

  /** Whether the server only asks for a pause. */
  #isToWait(error: SymmetraError): boolean {
    const { retryAfterMs } = error.details;
    if (error.code !== 'SOURCE_REFUSED' || typeof retryAfterMs !== 'number') return false;
    const wait = Math.max(SHORTEST_WAIT_MS, Math.min(retryAfterMs, LONGEST_WAIT_MS));
    this.#notBefore = this.#parts.clock.monotonic() + wait;
    this.#refusal = error;
    return true;
  }

  async #waitItsTurn(signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs } = this.#parts;
    const wait = this.#notBefore - clock.monotonic();
    if (wait <= 0) return;
    // Longer than any read may take: the caller hears why now rather than of a silence later.
    if (wait >= timeoutMs && this.#refusal !== undefined) throw this.#refusal;
    await pause(clock, wait, signal);
  }
}
