import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SymmetraError } from '@symmetra/crypto';
import { ByteNoise } from './byte-noise.js';
import type { ByteFeed } from './byte-noise.js';
import { pause } from './clock.js';
import type { SourceClock } from './clock.js';
import { EGD_MAX_BYTES, egdRequest, readEgdLength } from './egd.js';
import { checkExposure } from './exposure.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';
import { fillFrom, shortRead } from './readable.js';
import { connectionError, loadTls } from './tls-files.js';
import type { TlsFiles } from './tls-files.js';

/** How long an EGD server that has nothing is left alone. */
const EMPTY_PAUSE_MS = 100;

/** Where a stream is found: a TCP port, with TLS or without, or a Unix socket. */
export type StreamAddress =
  | {
      readonly host: string;
      readonly port: number;
      readonly tls?: TlsFiles & { readonly serverName?: string | undefined };
      /** The way to another machine is protected otherwise, and needs no TLS. */
      readonly exposed?: boolean;
    }
  | { readonly path: string };

/** How a {@link streamSource} is opened. */
export interface StreamSourceOptions {
  readonly description: SourceDescription;
  readonly address: StreamAddress;
  /** `raw`: the server sends noise and nothing else. `egd`: it answers the requests of the EGD protocol. */
  readonly protocol: 'raw' | 'egd';
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered, connecting included. */
  readonly timeoutMs: number;
}

/**
 * A TCP or Unix stream, a byte a sample. It connects at the first read and again after each error; a connection that
 * ended between two blocks is replaced without one.
 * @throws BAD_CONFIG when the stream of another machine has neither TLS nor `exposed`.
 */
export function streamSource(options: StreamSourceOptions): NoiseSource {
  const { description, address, protocol, clock, timeoutMs } = options;
  if ('host' in address) {
    checkExposure(description.name, address.host, address.tls !== undefined, address.exposed === true);
  }
  const feed = new StreamFeed(description.name, address, protocol, clock);
  return new ByteNoise({ description, feed, clock, timeoutMs });
}

class StreamFeed implements ByteFeed {
  readonly #name: string;
  readonly #address: StreamAddress;
  readonly #clock: SourceClock;
  readonly #fillFrom: (socket: Socket, target: Uint8Array, signal: AbortSignal) => Promise<number>;
  #socket: Socket | undefined;

  constructor(name: string, address: StreamAddress, protocol: 'raw' | 'egd', clock: SourceClock) {
    this.#name = name;
    this.#address = address;
    this.#clock = clock;
    this.#fillFrom = protocol === 'raw' ? fillFrom : async (...args) => this.#askEgd(...args);
  }

  async readInto(target: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.#socket !== undefined && this.#socket.errored !== null) this.reset();
    const used = this.#socket !== undefined;
    let got = await this.#readOnce(target, signal);
    if (got === 0 && used) {
      this.reset();
      got = await this.#readOnce(target, signal);
    }
    if (got < target.length) throw shortRead(this.#name, got, target.length);
  }

  reset(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    this.reset();
  }

  async #readOnce(target: Uint8Array, signal: AbortSignal): Promise<number> {
    this.#socket ??= await this.#connect(signal);
    const socket = this.#socket;
    try {
      return await this.#fillFrom(socket, target, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SymmetraError) throw error;
      throw connectionError(this.#name, error);
    }
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { socket, ready } = await this.#dial();
    // A failure between two reads waits in `socket.errored` for the next one.
    socket.on('error', () => undefined);
    try {
      await happens(socket, ready, signal);
      return socket;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      throw connectionError(this.#name, error);
    }
  }

  async #dial(): Promise<{ socket: Socket; ready: string }> {
    const address = this.#address;
    if ('path' in address) return { socket: connectPlain(address.path), ready: 'connect' };
    const { host, port, tls } = address;
    if (tls === undefined) return { socket: connectPlain({ host, port }), ready: 'connect' };
    const files = await loadTls(this.#name, tls);
    // A name is stated to the server and verified; an address is verified only.
    const servername = tls.serverName ?? (isIP(host) === 0 ? host : '');
    try {
      return { socket: connectTls({ ...files, host, port, servername }), ready: 'secureConnect' };
    } catch (error) {
      throw connectionError(this.#name, error);
    }
  }

  /** The same as {@link fillFrom}, asking for every part of it. */
  async #askEgd(socket: Socket, target: Uint8Array, signal: AbortSignal): Promise<number> {
    const first = new Uint8Array(1);
    let filled = 0;
    while (filled < target.length) {
      const asked = Math.min(EGD_MAX_BYTES, target.length - filled);
      socket.write(egdRequest(asked));
      if ((await fillFrom(socket, first, signal)) === 0) break;
      const announced = readEgdLength(this.#name, first[0] ?? 0, asked);
      if (announced === 0) await pause(this.#clock, EMPTY_PAUSE_MS, signal);
      const part = target.subarray(filled, filled + announced);
      const got = await fillFrom(socket, part, signal);
      filled += got;
      if (got < announced) break;
    }
    return filled;
  }
}

/** Waits for an event of a socket. Fails with the socket's error, or the reason of `signal`. */
async function happens(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      act();
    };
    socket.once(event, () => settle(resolve));
    socket.once('error', (error) => settle(() => reject(error)));
    socket.once('close', () => settle(() => reject(socket.errored ?? new Error('closed'))));
  });
}
