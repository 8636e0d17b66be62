import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';

/** A TCP listener that can find and cut the connection of one peer, which gRPC does not offer. */
export class Listener {
  readonly #server = createServer({ noDelay: true });
  readonly #sockets = new Map<string, Socket>();
  readonly #onError: (error: Error) => void;

  /**
   * @param onConnection takes over each new connection.
   * @param onError is told when a connection could not be accepted, for example for lack of descriptors.
   */
  constructor(onConnection: (socket: Socket) => void, onError: (error: Error) => void) {
    this.#server.on('connection', (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#sockets.set(peer, socket);
      socket.once('close', () => this.#sockets.delete(peer));
      onConnection(socket);
    });
    this.#onError = onError;
  }

  /**
   * Begins to listen and returns the port; port 0 takes a free one.
   * @throws SymmetraError PORT_IN_USE, LISTEN_FAILED.
   */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', this.#onError);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more connections; those that are open stay. Fulfilled when none is open any more. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** Ends the connection of a peer `address:port` at once. */
  cut(peer: string): void {
    this.#sockets.get(peer)?.destroy();
  }

  /** Ends all connections at once. */
  cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): SymmetraError {
  if (error.code === 'EADDRINUSE') {
    return new SymmetraError(
      'PORT_IN_USE',
      `port ${port} of ${host} is in use`,
      { host, port },
      { cause: error },
    );
  }
  const reason = error.code ?? 'unknown';
  return new SymmetraError(
    'LISTEN_FAILED',
    `can not listen on port ${port} of ${host}: ${reason}`,
    { host, port, reason },
    { cause: error },
  );
}
