import { SymmetraError } from '@symmetra/crypto';
import type { SourceClock } from './clock.js';
import type { NoiseBlock, NoiseSource, SourceDescription } from './noise-source.js';
import { hasText } from './text.js';

/** The most samples that one call may ask of a source. */
export const MAX_READ_SAMPLES = 2 ** 20;

/** Bits a sample from which on a long run of text can not be noise. */
const TEXT_CHECK_BITS = 7.5;

/** A device or a connection that delivers samples, a byte each, in the order in which they were measured. */
export interface ByteFeed {
  /**
   * Fills the whole of `target`, opening or connecting first where that is needed. One call at a time. It settles soon
   * after `signal` is aborted, with its reason.
   * @throws SOURCE_SHORT_READ, SOURCE_BAD_PAYLOAD, SOURCE_UNREACHABLE, SOURCE_UNTRUSTED, SOURCE_REFUSED,
   *   SOURCE_CREDENTIAL
   */
  readInto(target: Uint8Array, signal: AbortSignal): Promise<void>;
  /** After an error: lets go of whatever is half done, so that the next call starts afresh. */
  reset(): void;
  /** Lets go of the device or the connection for good. Never rejected; may be called twice. */
  close(): Promise<void>;
}

/** How a {@link ByteNoise} is built. */
export interface ByteNoiseOptions {
  readonly description: SourceDescription;
  readonly feed: ByteFeed;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered in full; after that the source is silent. */
  readonly timeoutMs: number;
}

/**
 * A source over a feed of bytes: the time limit, one call at a time, and the checks that hold for all feeds. A sample
 * must fit its bits. Where bytes are conditioned, or at least 7.5 bits of a byte are claimed, a run of 64 bytes of ASCII
 * text is a page or a banner and no noise: in such noise one begins at a given place with a probability below 2^-56.
 */
export class ByteNoise implements NoiseSource {
  readonly description: SourceDescription;
  readonly #feed: ByteFeed;
  readonly #clock: SourceClock;
  readonly #timeoutMs: number;
  #current: AbortController | undefined;
  #closed = false;

  constructor({ description, feed, clock, timeoutMs }: ByteNoiseOptions) {
    this.description = description;
    this.#feed = feed;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws also SOURCE_BAD_COUNT and SOURCE_BUSY, which are defects of the program. */
  async read(count: number, signal: AbortSignal): Promise<NoiseBlock> {
    this.#checkCall(count);
    signal.throwIfAborted();
    const limit = new AbortController();
    const stop = (): void => limit.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const timer = this.#clock.setTimer(this.#timeoutMs, () => limit.abort(this.#silent(count)));
    this.#current = limit;
    const samples = new Uint8Array(count);
    try {
      await this.#feed.readInto(samples, limit.signal);
      limit.signal.throwIfAborted();
      this.#checkSamples(samples);
      return { samples };
    } catch (error) {
      samples.fill(0);
      this.#feed.reset();
      throw limit.signal.aborted ? limit.signal.reason : error;
    } finally {
      this.#current = undefined;
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#current?.abort(this.#closedError());
    await this.#feed.close();
  }

  #checkCall(count: number): void {
    if (this.#closed) throw this.#closedError();
    if (!Number.isInteger(count) || count < 1 || count > MAX_READ_SAMPLES) {
      throw new SymmetraError('SOURCE_BAD_COUNT', `${count} is not a number of samples that can be read`, {
        source: this.description.name,
        count,
      });
    }
    if (this.#current !== undefined) {
      throw new SymmetraError('SOURCE_BUSY', 'the source is being read already', {
        source: this.description.name,
      });
    }
  }

  #checkSamples(samples: Uint8Array): void {
    const { name, bitsPerSample, minEntropyPerSample, raw } = this.description;
    const bound = 2 ** bitsPerSample;
    if (bitsPerSample < 8 && samples.some((sample) => sample >= bound)) {
      throw new SymmetraError(
        'SOURCE_BAD_PAYLOAD',
        'a sample has more bits than the source is said to give',
        {
          source: name,
          bitsPerSample,
        },
      );
    }
    // What was conditioned is uniform, whatever it is credited.
    const bits = raw ? minEntropyPerSample : bitsPerSample;
    if (bits >= TEXT_CHECK_BITS && hasText(samples)) {
      throw new SymmetraError('SOURCE_BAD_PAYLOAD', 'the source sent text where noise should be', {
        source: name,
      });
    }
  }

  #silent(count: number): SymmetraError {
    return new SymmetraError('SOURCE_SILENT', 'the source did not give the samples in time', {
      source: this.description.name,
      count,
      timeoutMs: this.#timeoutMs,
    });
  }

  #closedError(): SymmetraError {
    return new SymmetraError('SOURCE_CLOSED', 'the source is closed', { source: this.description.name });
  }
}
