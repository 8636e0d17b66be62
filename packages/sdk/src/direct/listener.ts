import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';
import type { Endpoint } from './addresses.js';
import { OPENING } from './frames.js';

/** First byte of a TLS connection. */
const TLS_HANDSHAKE = 0x16;
const FIRST_BYTE_MS = 10_000;
const MAX_CONNECTIONS = 512;

/** Who takes the connections of a listener. */
export interface ListenerParts {
  readonly onDirect: (socket: Socket) => void;
  readonly onTls: (socket: Socket) => void;
}

/** The one TCP port at which peers reach a device: direct frames and channels, told apart by their first byte. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(parts: ListenerParts) {
    this.#server = createServer((socket) => this.#sort(socket, parts));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Begins to listen. @throws PORT_IN_USE, LISTEN_FAILED */
  async listen(host: string, port: number): Promise<Endpoint> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port)));
      server.listen({ host, port }, resolve);
    });
    server.removeAllListeners('error');
    // A connection that can not be accepted is the peer's trouble; the listener goes on.
    server.on('error', () => undefined);
    const address = server.address();
    if (address === null || typeof address === 'string') throw listenError(undefined, host, port);
    return { host, port: address.port };
  }

  /** Stops listening, and ends the connections that nobody has taken. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #sort(socket: Socket, parts: ListenerParts): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const drop = (): void => {
      socket.destroy();
    };
    socket.on('error', drop);
    socket.setTimeout(FIRST_BYTE_MS, drop);
    socket.once('readable', () => {
      const first: unknown = socket.read();
      socket.setTimeout(0);
      socket.removeListener('timeout', drop);
      if (!Buffer.isBuffer(first)) return;
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) parts.onTls(socket);
      else if (first[0] === OPENING[0]) parts.onDirect(socket);
      else socket.destroy();
    });
  }
}

function listenError(cause: unknown, host: string, port: number): SymmetraError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EADDRINUSE'
    ? new SymmetraError('PORT_IN_USE', 'another program listens on this port', { host, port })
    : new SymmetraError('LISTEN_FAILED', 'the device could not listen', { host, port }, { cause });
}
