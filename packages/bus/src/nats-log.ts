import { setTimeout as delay } from 'node:timers/promises';
import { SymmetraError } from '@symmetra/crypto';
import { NatsError } from 'nats';
import type { JetStreamClient, JetStreamManager, StreamInfo } from 'nats';
import { checkEntry } from './log-stream.js';
import type { LogEntry, LogState, LogStream } from './log-stream.js';
import type { NatsConnection } from './nats-connection.js';
import { NatsLogFollower } from './nats-log-follower.js';
import { checkStream, streamConfig } from './nats-log-config.js';
import { NatsNames, checkNodeId } from './nats-names.js';

/** How long JetStream has for one answer. */
const ANSWER_MS = 3000;
/** How long a start waits for the stream. */
const OPEN_MS = 15_000;
const PAUSE_MS = 250;
const NO_STREAM = 10059;
const NO_ENTRY = 10037;
const WRONG_LAST = 10071;

/** Which log it is. */
export interface NatsLogOptions {
  readonly networkIdHex: string;
  readonly node: string;
  /** On how many servers of the NATS cluster the log is kept, where this node is the one that makes it. */
  readonly replicas: number;
  /** How long to wait for the stream, in milliseconds. 15 s when left out. */
  readonly openMs?: number;
}

/**
 * The log of a network in JetStream. Whichever node comes first makes it; each one checks, whenever it looks, that it is
 * what it has to be.
 * @throws SymmetraError LOG_UNAVAILABLE; LOG_MISCONFIGURED; NODE_ID_UNUSABLE
 */
export async function openNatsLog(connection: NatsConnection, options: NatsLogOptions): Promise<LogStream> {
  checkNodeId(options.node);
  const log = new NatsLog(connection, options, await managerOf(connection));
  const end = performance.now() + (options.openMs ?? OPEN_MS);
  for (;;) {
    try {
      await log.state();
      return log;
    } catch (error) {
      if (!isUnavailable(error) || performance.now() + PAUSE_MS >= end) throw error;
      await delay(PAUSE_MS);
    }
  }
}

class NatsLog implements LogStream {
  readonly #connection: NatsConnection;
  readonly #names: NatsNames;
  readonly #replicas: number;
  readonly #jetStream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #followers = new Set<NatsLogFollower>();
  #closed = false;

  constructor(
    connection: NatsConnection,
    { networkIdHex, replicas }: NatsLogOptions,
    manager: JetStreamManager,
  ) {
    this.#connection = connection;
    this.#names = new NatsNames(networkIdHex);
    this.#replicas = replicas;
    this.#jetStream = connection.core.jetstream({ timeout: ANSWER_MS });
    this.#manager = manager;
  }

  async append(data: Uint8Array, last: number): Promise<number> {
    checkEntry(data);
    this.#checkReachable();
    try {
      const expect = { streamName: this.#names.stream, lastSequence: last };
      const { seq } = await this.#jetStream.publish(this.#names.log, data.slice(), { expect });
      return seq;
    } catch (error) {
      if (apiCode(error) !== WRONG_LAST) throw unavailable(error);
      throw new SymmetraError('LOG_MOVED', 'another entry of the log is newer', { expected: last });
    }
  }

  async state(): Promise<LogState> {
    this.#checkReachable();
    const { created, state, config } = await this.#info();
    checkStream(config, this.#names);
    return { incarnation: created, last: state.last_seq };
  }

  async next(after: number): Promise<LogEntry | undefined> {
    this.#checkReachable();
    const query = { seq: after + 1, next_by_subj: this.#names.log };
    try {
      const { seq, data } = await this.#manager.streams.getMessage(this.#names.stream, query);
      return { sequence: seq, data };
    } catch (error) {
      if (apiCode(error) === NO_ENTRY) return undefined;
      throw unavailable(error);
    }
  }

  follow(after: number, onEntry: (entry: LogEntry) => Promise<void>): () => Promise<void> {
    this.#checkOpen();
    const follower = new NatsLogFollower(this.#connection, this.#names.stored, {
      after,
      onEntry,
      state: () => this.state(),
      next: (place) => this.next(place),
    });
    this.#followers.add(follower);
    return async () => {
      this.#followers.delete(follower);
      await follower.stop();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#followers].map((follower) => follower.stop()));
    this.#followers.clear();
  }

  /** What JetStream says of the stream, which is made where it is missing. */
  async #info(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.info(this.#names.stream);
    } catch (error) {
      if (apiCode(error) !== NO_STREAM) throw unavailable(error);
    }
    try {
      return await this.#manager.streams.add(streamConfig(this.#names, this.#replicas));
    } catch (error) {
      // Another node was faster, this one may not, or the servers have not found one another: it is looked for again.
      throw unavailable(error);
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new SymmetraError('LOG_UNAVAILABLE', 'the log was closed on this side');
  }

  #checkReachable(): void {
    this.#checkOpen();
    if (this.#connection.connected) return;
    throw new SymmetraError('LOG_UNAVAILABLE', 'there is no connection to a NATS server');
  }
}

async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return connection.core.jetstreamManager({ timeout: ANSWER_MS, checkAPI: false });
}

function isUnavailable(error: unknown): boolean {
  return error instanceof SymmetraError && error.code === 'LOG_UNAVAILABLE';
}

function apiCode(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}

/** Nothing certain is known: neither that the entry was appended nor that it was not. */
function unavailable(error: unknown): SymmetraError {
  const reason = apiCode(error) ?? (error instanceof NatsError ? error.code : 'UNKNOWN');
  return new SymmetraError('LOG_UNAVAILABLE', 'JetStream did not answer, or could not do it', { reason });
}
