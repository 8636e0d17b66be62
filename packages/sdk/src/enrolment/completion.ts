import type { SymmetraError } from '@symmetra/crypto';
import type { Logger } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import { asSymmetraError, codeOf, isLocalFailure, mayPass, mostTelling } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import { Waiters } from '../session/waiters.js';
import type { Timers } from '../timers.js';
import type { EnrolmentRuns } from './enrolment-run.js';

const RETRY = { firstMs: 300, maxMs: 30_000 };
/** After so many failures a node counts as lost for those who wait; the device goes on trying. */
const FAILURES_BEFORE_TELLING = 3;
/** After how long a node that refused is asked again. */
const REFUSED_PAUSE_MS = 600_000;

/** What the completion of an enrolment needs. */
export interface CompletionParts {
  readonly runs: EnrolmentRuns;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How many nodes must be done. */
  readonly threshold: () => number;
  /** How many nodes are done. */
  readonly ready: () => number;
  /** One more node is done. */
  readonly onProgress: () => void;
  /** A node refuses the device, or its disk is full, when it is enrolled with enough others; it tries again later. */
  readonly onRefused: (error: SymmetraError) => void;
}

/** Drives the enrolments at all nodes at the same time, each until it is done. */
export class EnrolmentCompletion {
  readonly #parts: CompletionParts;
  readonly #waiters = new Waiters();
  readonly #driven = new Set<string>();
  readonly #lost = new Map<string, SymmetraError>();

  constructor(parts: CompletionParts) {
    this.#parts = parts;
  }

  /** Begins with every node that is not done yet. */
  start(): void {
    for (const nodeId of this.#parts.runs.unfinished()) {
      if (this.#driven.has(nodeId)) continue;
      this.#driven.add(nodeId);
      void this.#drive(nodeId);
    }
  }

  /** Fulfilled when enough nodes are done. @throws why too few can be */
  async enough(): Promise<void> {
    this.start();
    if (this.#isEnough()) return;
    this.#tellIfHopeless();
    await this.#waiters.wait();
  }

  /** Ends the waiting. */
  close(error: SymmetraError): void {
    this.#waiters.fail(error);
  }

  async #drive(nodeId: string): Promise<void> {
    const { runs, timers, random, logger, onProgress, onRefused } = this.#parts;
    try {
      for (let failures = 0; ;) {
        try {
          await runs.complete(nodeId, failures);
          this.#lost.delete(nodeId);
          logger.info({ node: nodeId }, 'The device is enrolled at a node.');
          onProgress();
          if (this.#isEnough()) {
            this.#waiters.release();
            // A node that knows no token of the device may hear of it from these.
            this.start();
          }
          return;
        } catch (error) {
          failures += 1;
          // An introduction needs a home; with the next one it is begun again.
          if (codeOf(error) === 'LINK_CLOSED') return;
          logger.warn(
            { node: nodeId, attempt: failures, code: codeOf(error) },
            'The enrolment at a node failed.',
          );
          const passing = mayPass(error);
          if (!passing || failures >= FAILURES_BEFORE_TELLING) this.#lost.set(nodeId, asSymmetraError(error));
          this.#tellIfHopeless();
          if (!passing && this.#isEnough()) onRefused(asSymmetraError(error));
          // No node said no: once there is room on the disk, the enrolment goes on.
          if (!passing && !isLocalFailure(error)) {
            void this.#beginLater();
            return;
          }
          await timers.sleep(pauseMs(RETRY, failures - 1, fractionOf(random.bytes)));
          if (!runs.unfinished().includes(nodeId)) return;
        }
      }
    } catch (error) {
      // The device was closed.
      this.#lost.set(nodeId, asSymmetraError(error));
    } finally {
      this.#driven.delete(nodeId);
    }
  }

  /** Nobody signs a refusal, and whoever forwards the call can make one up: it is asked again, slowly. */
  async #beginLater(): Promise<void> {
    try {
      await this.#parts.timers.sleep(REFUSED_PAUSE_MS);
      this.start();
    } catch {
      // The device was closed.
    }
  }

  #isEnough(): boolean {
    return this.#parts.ready() >= this.#parts.threshold();
  }

  #tellIfHopeless(): void {
    const { runs, ready, threshold } = this.#parts;
    const possible = ready() + runs.unfinished().filter((nodeId) => !this.#lost.has(nodeId)).length;
    if (possible < threshold()) this.#waiters.fail(mostTelling([...this.#lost.values()]));
  }
}
