import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SymmetraError, fromHex, toBase32, toHex } from '@symmetra/crypto';
import type { Logger } from '@symmetra/runtime';
import { dial } from '../direct/dial.js';
import { asSymmetraError, codeOf } from '../failure.js';
import { peerOf } from '../keys/key-record.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { KeyStore } from '../keys/key-store.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Timers } from '../timers.js';
import { Carrier } from './carrier.js';
import type { ChannelFrame } from './channel-frames.js';
import type { PskCounters } from './psk-counters.js';
import { SecureChannel } from './secure-channel.js';
import { connectTls, createTlsServer } from './tls.js';
import type { TlsServerParts } from './tls.js';

const CHANNEL_ID_BYTES = 16;
const FIRST_FRAME_MS = 10_000;
const MOVE_PAUSES_MS = [0, 1000, 5000, 20_000];

/** What channels need. */
export interface ChannelParts {
  readonly keys: KeyStore;
  readonly counters: PskCounters;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
  /** A peer has opened a channel. @returns whether somebody takes it */
  readonly onChannel: (channel: SecureChannel) => boolean;
  /** A key is not needed by a channel any more. */
  readonly onIdle: () => void;
}

/** The open channels of a device (CHN-5). */
export class Channels {
  readonly #parts: ChannelParts;
  readonly #channels = new Map<string, SecureChannel>();
  readonly #addresses = new Map<string, readonly string[]>();
  /** Keys under which connections are being made. */
  readonly #connecting: string[] = [];
  readonly #server: ReturnType<typeof createTlsServer>;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    const serverParts: TlsServerParts = {
      find: (identity) => parts.counters.find(identity),
      random: parts.random.bytes,
      onConnection: (socket, { keyId, counter }) => {
        this.#holding(keyId, async () => this.#accept(socket, keyId, counter)).catch((error: unknown) => {
          parts.logger.info({ keyId, code: codeOf(error) }, 'A channel connection was refused.');
          socket.destroy();
        });
      },
    };
    this.#server = createTlsServer(serverParts);
  }

  /** Takes a TCP connection that begins with TLS. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /**
   * Opens a channel under a key.
   * @throws PEER_UNREACHABLE, CHANNEL_REFUSED, KEY_UNKNOWN, KEY_EXPIRED, KEY_USED_UP
   */
  async open(record: KeyRecord, addresses: readonly string[]): Promise<SecureChannel> {
    const id = this.#parts.random.bytes(CHANNEL_ID_BYTES);
    const keyId = toHex(record.material.keyId);
    return this.#holding(keyId, async () => {
      const carrier = await this.#connect(keyId, addresses, { kind: 'open', channelId: id });
      const channel = this.#create(toHex(id), toBase32(peerOf(record)), 'client', carrier);
      this.#addresses.set(channel.id, addresses);
      return channel;
    });
  }

  /** Whether a channel runs under a key, or is about to. */
  uses(keyId: string): boolean {
    if (this.#connecting.includes(keyId)) return true;
    return [...this.#channels.values()].some((channel) => channel.keyId === keyId);
  }

  /** Moves the channels of one key to the one that took its place. */
  move(formerKeyId: string, keyId: string): void {
    for (const channel of this.#channels.values()) {
      if (channel.keyId !== formerKeyId) continue;
      if (channel.role === 'client') void this.#moveClient(channel, keyId);
      else channel.askToMove(keyId);
    }
  }

  /** Closes the channels under some keys. */
  closeUnder(keyIds: readonly string[], error: SymmetraError): void {
    for (const channel of this.#channels.values()) if (keyIds.includes(channel.keyId)) channel.destroy(error);
  }

  /** Closes everything. */
  close(error: SymmetraError): void {
    for (const channel of this.#channels.values()) channel.destroy(error);
    this.#server.removeAllListeners();
  }

  /** Keeps a key, even one whose last use this is, until what is made under it stands. */
  async #holding<T>(keyId: string, task: () => Promise<T>): Promise<T> {
    this.#connecting.push(keyId);
    try {
      return await task();
    } finally {
      this.#connecting.splice(this.#connecting.indexOf(keyId), 1);
      this.#parts.onIdle();
    }
  }

  #create(id: string, peer: string, role: 'client' | 'server', carrier: Carrier): SecureChannel {
    const channel = new SecureChannel({
      id,
      peer,
      role,
      carrier,
      onMoveAsked: (asked, keyId) => void this.#moveClient(asked, keyId),
    });
    this.#channels.set(id, channel);
    // Whoever uses the channel has listeners of his own; without any, an error must not end the process.
    channel.on('error', () => undefined);
    channel.once('close', () => {
      this.#channels.delete(id);
      this.#addresses.delete(id);
      this.#parts.onIdle();
    });
    return channel;
  }

  /** The client's side of a connection, up to the server's READY. */
  async #connect(keyId: string, addresses: readonly string[], first: ChannelFrame): Promise<Carrier> {
    const { timers, counters } = this.#parts;
    const socket = await dial(addresses, timers);
    if (socket === undefined) {
      throw new SymmetraError('PEER_UNREACHABLE', 'the peer can not be reached at its addresses', { keyId });
    }
    try {
      const tls = await connectTls(socket, await counters.takeForClient(keyId));
      const carrier = new Carrier(keyId, tls);
      carrier.send(first);
      const frame = await this.#firstFrame(carrier);
      if (frame.kind !== 'ready') throw unexpected();
      return carrier;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** CHN-2, CHN-5: the server's side. The counter is used up, durably, before anything is read. */
  async #accept(socket: TLSSocket, keyId: string, counter: number): Promise<void> {
    const { keys, counters, onChannel } = this.#parts;
    // The last use of a key may be this one: then the key is gone when it is counted.
    const record = keys.usable(keyId);
    await counters.accept(keyId, counter);
    const carrier = new Carrier(keyId, socket);
    const frame = await this.#firstFrame(carrier);
    const peer = toBase32(peerOf(record));
    if (frame.kind === 'open') {
      const id = toHex(frame.channelId);
      if (this.#channels.has(id)) throw unexpected();
      const channel = this.#create(id, peer, 'server', carrier);
      carrier.send({ kind: 'ready' });
      if (!onChannel(channel)) channel.destroy();
    } else if (frame.kind === 'move') {
      const channel = this.#channels.get(toHex(frame.channelId));
      if (channel?.peer !== peer || channel.role !== 'server' || channel.isMoving) throw unexpected();
      carrier.send({ kind: 'ready' });
      channel.moveTo(carrier);
    } else throw unexpected();
  }

  async #firstFrame(carrier: Carrier): Promise<ChannelFrame> {
    const frame = new Promise<ChannelFrame>((resolve, reject) => {
      carrier.listen({
        frame: (received, from) => {
          from.pause();
          resolve(received);
        },
        closed: () => reject(refused()),
      });
      carrier.resume();
    });
    return this.#parts.timers.within(FIRST_FRAME_MS, frame, refused);
  }

  /** Moves a channel that this device opened; while the old key lives, a failure does no harm. */
  async #moveClient(channel: SecureChannel, keyId: string): Promise<void> {
    const { keys, timers, logger } = this.#parts;
    const former = channel.keyId;
    for (const pause of MOVE_PAUSES_MS) {
      try {
        if (pause > 0) await timers.sleep(pause);
        if (channel.destroyed || channel.isMoving || channel.keyId !== former || former === keyId) return;
        const record = keys.usable(keyId);
        if (toBase32(peerOf(record)) !== channel.peer) return;
        const addresses = this.#addresses.get(channel.id) ?? record.addresses;
        const channelId = fromHex(channel.id);
        await this.#holding(keyId, async () => {
          const carrier = await this.#connect(keyId, addresses, { kind: 'move', channelId });
          if (channel.destroyed) carrier.destroy();
          else channel.moveTo(carrier);
        });
        return;
      } catch (error) {
        logger.info(
          { keyId, code: codeOf(asSymmetraError(error)) },
          'A channel could not move to its new key.',
        );
      }
    }
  }
}

function refused(): SymmetraError {
  return new SymmetraError('CHANNEL_REFUSED', 'the peer did not take the channel');
}

function unexpected(): SymmetraError {
  return new SymmetraError('BAD_ENCODING', 'the connection does not begin as a channel should');
}
