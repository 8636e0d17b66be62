import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { SymmetraError } from '@symmetra/crypto';
import { admit, redisKeys } from './redis-admission.js';
import type { Admission, RedisKeys } from './redis-admission.js';
import { RedisConnection } from './redis-connection.js';
import { CommandFailed, unavailable } from './redis-error.js';
import type { RedisSettings } from './redis-options.js';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
/** Of the time that is left, what one attempt to connect may take: a server that hangs must not use it up. */
const ATTEMPT_SHARE = 0.5;

/**
 * The way to the server: one connection, opened when it is needed, and another one when it failed. A
 * command that was not carried out is tried again, with a growing pause, until its deadline.
 */
export class RedisLink {
  readonly keys: RedisKeys;
  readonly #settings: RedisSettings;
  #admission: Admission | undefined;
  #opening: Promise<Admission> | undefined;

  constructor(settings: RedisSettings) {
    this.#settings = settings;
    this.keys = redisKeys(settings.prefix);
  }

  /**
   * Runs commands on a connection, again and again while they fail but may succeed later. `repeatable`
   * says that they change nothing, so that they are tried again as well when no reply came.
   * @throws SymmetraError that names the last failure
   */
  async run<T>(
    deadline: number,
    repeatable: boolean,
    commands: (admission: Admission) => Promise<T>,
  ): Promise<T> {
    let failure: SymmetraError | undefined;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      let admission: Admission | undefined;
      try {
        admission = await this.#admitted(deadline);
        if (performance.now() >= deadline) throw unavailable('timeout');
        return await commands(admission);
      } catch (error) {
        if (error instanceof CommandFailed) {
          if (error.again && admission) this.#forget(admission);
          if (error.made === 'unknown' && !repeatable) throw error.error;
        }
        const latest = undone(error);
        if (latest.code !== 'STORE_UNAVAILABLE') throw latest;
        // That the time ran out says less than what used it up.
        if (latest.details['cause'] !== 'timeout') failure = latest;
        failure ??= latest;
      }
      // Jitter: the replicas of a node do not come back as one.
      const delay = wait * (0.5 + Math.random() / 2);
      if (performance.now() + delay >= deadline) throw failure;
      await pause(delay);
    }
  }

  close(): void {
    if (this.#admission) this.#forget(this.#admission);
  }

  async #admitted(deadline: number): Promise<Admission> {
    if (this.#admission?.connection.usable === true) return this.#admission;
    this.#opening ??= this.#open(deadline).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(deadline: number): Promise<Admission> {
    const now = performance.now();
    const limit = now + (deadline - now) * ATTEMPT_SHARE;
    const connection = await RedisConnection.open(this.#settings.client, limit);
    try {
      this.#admission = await admit(connection, this.keys, limit);
      return this.#admission;
    } catch (error) {
      connection.drop();
      throw undone(error);
    }
  }

  /** Another caller may have opened a new connection by now: that one stays. */
  #forget(admission: Admission): void {
    admission.connection.drop();
    if (this.#admission === admission) this.#admission = undefined;
  }
}

/** The failure of something that changes nothing: no reply is no worse than no server. */
function undone(error: unknown): SymmetraError {
  if (error instanceof SymmetraError) return error;
  if (!(error instanceof CommandFailed)) throw error;
  return error.made === 'no' ? error.error : unavailable(`${error.error.details['cause']}`);
}
