import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import {
  CommandFailed,
  connectFailure,
  failed,
  replyFailure,
  sentinelRefusal,
  unavailable,
} from './redis-error.js';
import type { ClientAddress } from './redis-options.js';

/**
 * One connection to the master. It ends with the first thing that goes wrong on it and never comes
 * back, so that nothing is ever sent twice: whoever needs another one opens it. All times are those of
 * `performance.now()`.
 */
export class RedisConnection {
  readonly #client: Redis;
  #serverAhead = 0;
  #dropped = false;

  private constructor(client: Redis) {
    this.#client = client;
  }

  /** @throws STORE_UNAVAILABLE, STORE_TLS, STORE_REFUSED */
  static async open(options: ClientAddress, deadline: number): Promise<RedisConnection> {
    let reason: unknown;
    let client: Redis | undefined;
    try {
      client = new Redis({
        ...options,
        lazyConnect: true,
        protocol: 2,
        disableClientInfo: true,
        enableReadyCheck: false,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        retryStrategy: null,
        sentinelRetryStrategy: () => null,
      });
      client.on('error', (error) => (reason ??= error));
      client.on('sentinelError', (error: Error) => (reason ??= sentinelRefusal(error)));
      const connection = new RedisConnection(client);
      await connection.#within(client.connect(), deadline, () => unavailable('timeout'));
      return connection;
    } catch (error) {
      client?.disconnect();
      throw connectFailure(reason ?? error);
    }
  }

  /** Whether commands can be sent. */
  get usable(): boolean {
    return !this.#dropped && this.#client.status === 'ready';
  }

  /**
   * Sends one command; its reply has Buffers for strings. No reply by the deadline ends the connection.
   * @throws CommandFailed
   */
  async send(
    deadline: number,
    command: string,
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    if (!this.usable) throw new CommandFailed(unavailable('closed'), 'no', true);
    try {
      return await this.#within(
        this.#client.callBuffer(command, [...args]),
        deadline,
        () => new CommandFailed(failed('timeout'), 'unknown', true),
      );
    } catch (error) {
      if (error instanceof CommandFailed) throw error;
      if (error instanceof Error && error.name === 'ReplyError') throw replyFailure(error);
      throw new CommandFailed(failed('closed'), 'unknown', true);
    }
  }

  /** Asks for the server's clock, by which `serverTime` tells its time. */
  async readClock(deadline: number): Promise<void> {
    const [seconds, microseconds] = (await this.send(deadline, 'TIME', [])) as [Buffer, Buffer];
    this.#serverAhead = Number(seconds) * 1000 + Number(microseconds) / 1000 - performance.now();
  }

  /** The server's time at a moment of ours, in milliseconds since 1970; early by half a round trip at most. */
  serverTime(moment: number): number {
    return this.#serverAhead + moment;
  }

  /** Ends the connection at once. */
  drop(): void {
    this.#dropped = true;
    const { stream } = this.#client;
    this.#client.disconnect();
    stream?.destroy();
  }

  async #within<T>(promise: Promise<T>, deadline: number, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          reject(late());
          this.drop();
        },
        Math.max(0, deadline - performance.now()),
      );
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
