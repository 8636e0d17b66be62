import { issueChallenge } from '@symmetra/protocol';
import type { Challenge, NodeChain } from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';

const LIFETIME_MS = 60_000;
const MAX_CHALLENGES = 10_000;
const NONCE_BYTES = 32;

interface Issued {
  readonly challenge: Challenge;
  /** Monotonic milliseconds. */
  readonly expiresAt: number;
}

/** ATK-8: the challenges that wait for a proof, one for each device, in bounded memory. */
export class Challenges {
  readonly #issued = new Map<string, Issued>();
  readonly #random: RandomBytes;
  readonly #now: () => number;

  /** @param now monotonic milliseconds. */
  constructor(random: RandomBytes, now: () => number) {
    this.#random = random;
    this.#now = now;
  }

  /**
   * The nonce to send. While one waits the same is given again, so that whoever repeats old messages can not make the
   * device's own proof worthless.
   */
  issue(deviceHex: string, chain: NodeChain): Uint8Array {
    const waiting = this.of(deviceHex);
    if (waiting !== undefined) return waiting.nonce;
    const challenge = issueChallenge(chain, this.#random(NONCE_BYTES));
    this.#issued.set(deviceHex, { challenge, expiresAt: this.#now() + LIFETIME_MS });
    this.#forgetOldest();
    return challenge.nonce;
  }

  /** The challenge that a device was given and that still counts. */
  of(deviceHex: string): Challenge | undefined {
    const issued = this.#issued.get(deviceHex);
    if (issued === undefined || issued.expiresAt > this.#now()) return issued?.challenge;
    this.#issued.delete(deviceHex);
    return undefined;
  }

  /** A proof was accepted: the challenge counts no more. */
  settle(deviceHex: string): void {
    this.#issued.delete(deviceHex);
  }

  #forgetOldest(): void {
    if (this.#issued.size <= MAX_CHALLENGES) return;
    for (const oldest of this.#issued.keys()) {
      this.#issued.delete(oldest);
      return;
    }
  }
}
