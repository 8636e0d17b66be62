import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Prng } from '@symmetra/testing';

const CHANNEL = 'net.client.socket';

/** Every TCP connection that this process makes, so that a test can cut some of them. */
export class SocketCutter {
  readonly #sockets = new Set<Socket>();
  readonly #onSocket: (message: unknown) => void;
  #spared = 0;

  constructor() {
    this.#onSocket = (message) => this.#collect((message as { readonly socket: Socket }).socket);
    subscribe(CHANNEL, this.#onSocket);
  }

  /** Connections that are made meanwhile are not cut. */
  async spare<T>(work: () => Promise<T>): Promise<T> {
    this.#spared += 1;
    try {
      return await work();
    } finally {
      this.#spared -= 1;
    }
  }

  /** Cuts some connections, as a network does that forgets them. @returns how many */
  cut(prng: Prng, count: number): number {
    const sockets = [...this.#sockets];
    const chosen = new Set(Array.from({ length: Math.min(count, sockets.length) }, () => prng.pick(sockets)));
    for (const socket of chosen) socket.destroy();
    return chosen.size;
  }

  end(): void {
    unsubscribe(CHANNEL, this.#onSocket);
    this.#sockets.clear();
  }

  #collect(socket: Socket): void {
    if (this.#spared > 0) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
