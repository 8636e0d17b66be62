import type { Logger, Timer } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import type { DirectPaths } from '../direct/direct-paths.js';
import { codeOf } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { Timers } from '../timers.js';

const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const RESEND = { firstMs: 1000, maxMs: 60_000 };
/** After so many repeats without an answer the home is doubted, once for each message. */
const DOUBTED_REPEATS = 2;

/** A message for a peer about one negotiation. */
export interface Outgoing {
  readonly keyId: string;
  readonly headerHash: Uint8Array;
  readonly peer: Uint8Array;
  /** A pair message, canonical bytes. */
  readonly message: Uint8Array;
}

interface Repeated {
  readonly outgoing: Outgoing;
  /** False while the message is held back for the direct path. */
  isSent: boolean;
  attempt: number;
  timer: Timer;
}

/** What sending to peers needs. */
export interface MessengerParts {
  readonly connection: () => Connection;
  readonly paths: DirectPaths;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Carries pair messages to peers (PAIR-10): directly where there is a way, else through the home nodes, and both ways
 * when the first was not enough. Copies do no harm.
 */
export class Messenger {
  readonly #parts: MessengerParts;
  readonly #repeated = new Map<string, Repeated>();

  constructor(parts: MessengerParts) {
    this.#parts = parts;
  }

  /** Sends once. */
  send(outgoing: Outgoing): void {
    const { keyId, headerHash, message } = outgoing;
    if (!this.#parts.paths.send(keyId, headerHash, message)) void this.#relay(outgoing);
  }

  /**
   * Sends, and again with growing pauses until {@link Messenger.stop}.
   *
   * @param graceMs how long to wait for the peer to open the direct path before the first message goes another way
   */
  repeat(outgoing: Outgoing, graceMs = 0): void {
    const { keyId, headerHash } = outgoing;
    this.stop(keyId);
    const repeated: Repeated = { outgoing, isSent: false, attempt: 0, timer: { cancel: () => undefined } };
    this.#repeated.set(keyId, repeated);
    if (graceMs === 0 || this.#parts.paths.has(keyId, headerHash)) this.#sendFirst(repeated);
    else repeated.timer = this.#parts.timers.set(graceMs, () => this.#sendFirst(repeated));
  }

  /** What is repeated about a negotiation has been answered. */
  stop(keyId: string): void {
    this.#repeated.get(keyId)?.timer.cancel();
    this.#repeated.delete(keyId);
  }

  /** A way has opened: what is repeated about a negotiation goes out now. */
  hurry(keyId: string): void {
    const repeated = this.#repeated.get(keyId);
    if (repeated?.isSent === true) this.send(repeated.outgoing);
    else if (repeated !== undefined) this.#sendFirst(repeated);
  }

  /** The device is connected again: everything that is repeated goes out now. */
  hurryAll(): void {
    for (const repeated of this.#repeated.values()) {
      repeated.isSent = true;
      repeated.attempt = 0;
      repeated.timer.cancel();
      this.#sendBothWays(repeated.outgoing);
      this.#arm(repeated);
    }
  }

  #sendFirst(repeated: Repeated): void {
    repeated.timer.cancel();
    repeated.isSent = true;
    this.send(repeated.outgoing);
    this.#arm(repeated);
  }

  #arm(repeated: Repeated): void {
    const pause = pauseMs(RESEND, repeated.attempt, fractionOf(this.#parts.random.bytes));
    repeated.timer = this.#parts.timers.set(pause, () => {
      repeated.attempt += 1;
      this.#sendBothWays(repeated.outgoing);
      if (repeated.attempt === DOUBTED_REPEATS) this.#parts.connection().doubtHome();
      this.#arm(repeated);
    });
  }

  #sendBothWays(outgoing: Outgoing): void {
    const { keyId, headerHash, message } = outgoing;
    this.#parts.paths.send(keyId, headerHash, message);
    void this.#relay(outgoing);
  }

  async #relay({ keyId, peer, message }: Outgoing): Promise<void> {
    try {
      await this.#parts.connection().callHome(RELAY, { peer, message });
    } catch (error) {
      this.#parts.logger.debug({ keyId, code: codeOf(error) }, 'A message to a peer was not relayed.');
    }
  }
}
