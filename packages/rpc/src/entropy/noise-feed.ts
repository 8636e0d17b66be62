import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';
import { asBuffer, decode, encode } from '../codec.js';
import type { Message } from '../codec.js';
import { fromStatus } from '../errors.js';
import { checkSource } from './expected-source.js';
import type { ExpectedSource } from './expected-source.js';
import { nextMessage } from './next-message.js';

export type { ExpectedSource } from './expected-source.js';

const STREAM_NOISE = '/symmetra.entropy.v1.EntropyService/StreamNoise';
const BLOCK_SAMPLES = 4096;
/** A block of 65,536 samples with what stands around it. */
const MAX_MESSAGE_BYTES = 70_000;
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** What proves the two sides to one another; PEM texts. */
export interface UpstreamCredentials {
  /** False: without TLS, which suits this machine only. */
  readonly encrypted: boolean;
  /** The authorities that are trusted; those of Node when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The token of `authorization: Bearer`; never sent without TLS. */
  readonly bearer?: string;
}

/** How a {@link NoiseFeed} is built. */
export interface NoiseFeedOptions {
  /** What the configuration says of the source; what the server says may not contradict it. */
  readonly expected: ExpectedSource;
  /** host:port */
  readonly address: string;
  /** The name of the source at the server; empty: whichever it chooses. */
  readonly source: string;
  /** The name that the server's certificate must have, where it is not the host of `address`. */
  readonly serverName?: string;
  /** Called at each connection. */
  readonly credentials: () => Promise<UpstreamCredentials>;
}

interface Opened {
  readonly client: Client;
  readonly stream: ClientReadableStream<Buffer>;
  /** What the stream failed with while nobody read. */
  failure: ServiceError | undefined;
}

/**
 * The noise of an entropy server (symmetra.entropy.v1), a byte a sample. It connects at the first read and again after
 * each error. A gap or a repetition among the blocks, and a source that is not what was expected, are
 * SOURCE_BAD_PAYLOAD.
 */
export class NoiseFeed {
  readonly #options: NoiseFeedOptions;
  #opened: Opened | undefined;
  #described = false;
  #sequence = 0;
  #left: Uint8Array = new Uint8Array(0);

  constructor(options: NoiseFeedOptions) {
    this.#options = options;
  }

  /**
   * Fills the whole of `target`. One call at a time.
   * @throws SOURCE_BAD_PAYLOAD, SOURCE_SHORT_READ when the server ends the stream, SOURCE_UNREACHABLE, SOURCE_REFUSED;
   *   the reason of `signal`.
   */
  async readInto(target: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#opened ??= await this.#open();
    const opened = this.#opened;
    let filled = 0;
    while (filled < target.length) {
      if (this.#left.length === 0) this.#left = await this.#nextBlock(opened, filled, target.length, signal);
      const part = this.#left.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      part.fill(0);
      this.#left = this.#left.subarray(part.length);
    }
  }

  /** Ends the stream; the next read opens another. */
  reset(): void {
    this.#left.fill(0);
    this.#left = new Uint8Array(0);
    this.#opened?.stream.cancel();
    this.#opened?.client.close();
    this.#opened = undefined;
    this.#described = false;
    this.#sequence = 0;
  }

  /** Never rejected; may be called twice. */
  async close(): Promise<void> {
    this.reset();
  }

  async #open(): Promise<Opened> {
    const { address, source, serverName, credentials: load } = this.#options;
    const client = new Client(address, channelCredentials(await load()), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
    });
    const request = encode('symmetra.entropy.v1.StreamNoiseRequest', { source, blockSamples: BLOCK_SAMPLES });
    const stream = client.makeServerStreamRequest(
      STREAM_NOISE,
      asBuffer,
      (message: Buffer) => message,
      request,
    );
    const opened: Opened = { client, stream, failure: undefined };
    stream.on('error', (error: ServiceError) => {
      opened.failure = error;
    });
    return opened;
  }

  async #nextBlock(opened: Opened, got: number, wanted: number, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      const message = await this.#next(opened, signal);
      if (message === undefined) {
        throw this.#error('SOURCE_SHORT_READ', 'the server ended the stream', { got, wanted });
      }
      const { description, block } = this.#decode(message);
      if (block) return this.#samplesOf(block);
      if (description) this.#checkDescription(description);
      else throw this.#error('SOURCE_BAD_PAYLOAD', 'the server sent neither a description nor a block');
    }
  }

  async #next(opened: Opened, signal: AbortSignal): Promise<Buffer | undefined> {
    let message: Buffer | undefined;
    try {
      message = await nextMessage(opened.stream, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#failure(error as ServiceError);
    }
    if (message === undefined && opened.failure !== undefined) throw this.#failure(opened.failure);
    return message;
  }

  #decode(message: Buffer): Message<'symmetra.entropy.v1.StreamNoiseResponse'> {
    try {
      return decode('symmetra.entropy.v1.StreamNoiseResponse', message);
    } catch (error) {
      throw this.#error('SOURCE_BAD_PAYLOAD', 'the server sent no message of the service', {}, error);
    }
  }

  #checkDescription(description: Message<'symmetra.entropy.v1.SourceDescription'>): void {
    if (this.#described) throw this.#error('SOURCE_BAD_PAYLOAD', 'the server describes the source twice');
    checkSource(this.#options.expected, description);
    this.#described = true;
  }

  #samplesOf({ sequence, samples }: Message<'symmetra.entropy.v1.NoiseBlock'>): Uint8Array {
    if (!this.#described) throw this.#error('SOURCE_BAD_PAYLOAD', 'the server does not describe the source');
    if (sequence !== this.#sequence || samples.length === 0) {
      const details = { sequence, expected: this.#sequence };
      throw this.#error('SOURCE_BAD_PAYLOAD', 'a block is missing, repeated or empty', details);
    }
    this.#sequence += 1;
    return samples;
  }

  #failure(error: ServiceError): SymmetraError {
    const { code } = fromStatus(error, this.#options.address);
    const details = { reason: code, status: status[error.code] ?? 'unknown' };
    if (error.code === status.UNAVAILABLE) {
      return this.#error('SOURCE_UNREACHABLE', 'the entropy server can not be reached', details, error);
    }
    return this.#error('SOURCE_REFUSED', 'the entropy server refused or broke the stream', details, error);
  }

  #error(
    code: string,
    message: string,
    details: Readonly<Record<string, string | number>> = {},
    cause?: unknown,
  ): SymmetraError {
    return new SymmetraError(code, message, { source: this.#options.expected.name, ...details }, { cause });
  }
}

/** Verification is switched on by name, so that no variable of the environment switches it off. */
function channelCredentials({ encrypted, ca, cert, key, bearer }: UpstreamCredentials): ChannelCredentials {
  if (!encrypted) return credentials.createInsecure();
  const bytes = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  const channel = credentials.createSsl(bytes(ca), bytes(key), bytes(cert), { rejectUnauthorized: true });
  if (bearer === undefined) return channel;
  const token = credentials.createFromMetadataGenerator((_options, callback) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${bearer}`);
    callback(null, metadata);
  });
  return credentials.combineChannelCredentials(channel, token);
}
