import type { Socket } from 'node:net';
import { equalConstantTime, toHex } from '@symmetra/crypto';
import type { Timers } from '../timers.js';
import { dial } from './dial.js';
import { DirectConnection } from './direct-connection.js';
import type { DirectFrame } from './frames.js';

/** A peer that did not answer is left alone for a while. */
const UNREACHABLE_MS = 30_000;
const MAX_PATHS = 4096;

interface Path {
  readonly connection: DirectConnection;
  readonly headerHash: Uint8Array;
}

/** What the direct path needs. */
export interface DirectPathParts {
  readonly timers: Timers;
  /** A pair message came directly. */
  readonly onMessage: (message: Uint8Array) => void;
  /** An initiator can be reached directly for this negotiation. */
  readonly onHello: (keyId: string) => void;
}

/** PAIR-10: the TCP connections to peers, and which negotiation goes over which. */
export class DirectPaths {
  readonly #parts: DirectPathParts;
  readonly #paths = new Map<string, Path>();
  readonly #byPeer = new Map<string, DirectConnection>();
  readonly #dialling = new Map<string, Promise<DirectConnection | undefined>>();
  readonly #unreachable = new Map<string, number>();
  readonly #connections = new Set<DirectConnection>();
  #closed = false;

  constructor(parts: DirectPathParts) {
    this.#parts = parts;
  }

  /** Takes a connection that a peer made. */
  accept(socket: Socket): void {
    this.#adopt(socket, false);
  }

  /** Whether there is a way for a negotiation with this header. */
  has(keyId: string, headerHash: Uint8Array): boolean {
    const path = this.#paths.get(keyId);
    return path !== undefined && equalConstantTime(path.headerHash, headerHash);
  }

  /** Sends a pair message directly. False when there is no way. */
  send(keyId: string, headerHash: Uint8Array, message: Uint8Array): boolean {
    if (!this.has(keyId, headerHash)) return false;
    return this.#paths.get(keyId)?.connection.send({ kind: 'message', message }) ?? false;
  }

  /** Says HELLO over the connection to a peer that stands already. @returns whether one stands */
  greet(peer: string, keyId: Uint8Array, headerHash: Uint8Array): boolean {
    const connection = this.#byPeer.get(peer);
    return connection !== undefined && this.#hello(connection, keyId, headerHash);
  }

  /** Connects to a peer and says HELLO. @returns whether it could be reached */
  async dial(
    peer: string,
    addresses: readonly string[],
    keyId: Uint8Array,
    headerHash: Uint8Array,
  ): Promise<boolean> {
    if (this.greet(peer, keyId, headerHash)) return true;
    const dialling = this.#dialling.get(peer) ?? this.#dialAny(peer, addresses);
    const connection = await dialling;
    return connection !== undefined && this.#hello(connection, keyId, headerHash);
  }

  /** A negotiation is over. */
  drop(keyId: string): void {
    this.#paths.delete(keyId);
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  #hello(connection: DirectConnection, keyId: Uint8Array, headerHash: Uint8Array): boolean {
    if (!connection.send({ kind: 'hello', keyId, headerHash })) return false;
    this.#remember(toHex(keyId), { connection, headerHash });
    return true;
  }

  async #dialAny(peer: string, addresses: readonly string[]): Promise<DirectConnection | undefined> {
    const now = this.#parts.timers.monotonic();
    if ((this.#unreachable.get(peer) ?? 0) > now) return undefined;
    const dialling = this.#dialNow(peer, addresses).finally(() => this.#dialling.delete(peer));
    this.#dialling.set(peer, dialling);
    return dialling;
  }

  async #dialNow(peer: string, addresses: readonly string[]): Promise<DirectConnection | undefined> {
    const { timers } = this.#parts;
    const socket = await dial(addresses, timers);
    if (socket === undefined || this.#closed) {
      socket?.destroy();
      if (this.#unreachable.size >= MAX_PATHS) this.#unreachable.clear();
      this.#unreachable.set(peer, timers.monotonic() + UNREACHABLE_MS);
      return undefined;
    }
    const connection = this.#adopt(socket, true);
    this.#byPeer.set(peer, connection);
    return connection;
  }

  #adopt(socket: Socket, dialled: boolean): DirectConnection {
    const connection = new DirectConnection(socket, dialled, {
      frame: (frame, from) => this.#receive(frame, from),
      closed: (from) => this.#forget(from),
    });
    this.#connections.add(connection);
    return connection;
  }

  #receive(frame: DirectFrame, connection: DirectConnection): void {
    if (frame.kind === 'hello') {
      const keyId = toHex(frame.keyId);
      this.#remember(keyId, { connection, headerHash: frame.headerHash });
      this.#parts.onHello(keyId);
      return;
    }
    this.#parts.onMessage(frame.message);
  }

  /** The oldest way is forgotten beyond the bound; its negotiation goes on through the home nodes. */
  #remember(keyId: string, path: Path): void {
    this.#paths.delete(keyId);
    const [oldest] = this.#paths.keys();
    if (oldest !== undefined && this.#paths.size >= MAX_PATHS) this.#paths.delete(oldest);
    this.#paths.set(keyId, path);
  }

  #forget(connection: DirectConnection): void {
    this.#connections.delete(connection);
    for (const [keyId, path] of this.#paths) if (path.connection === connection) this.#paths.delete(keyId);
    for (const [peer, known] of this.#byPeer) if (known === connection) this.#byPeer.delete(peer);
  }
}
