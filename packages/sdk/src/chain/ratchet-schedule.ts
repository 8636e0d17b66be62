import type { Clock, Logger } from '@symmetra/runtime';
import { fractionOf, jittered } from '../backoff.js';
import { codeOf } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Timers } from '../timers.js';
import type { Chains } from './chains.js';
import type { Stepper } from './stepper.js';

const JITTER = 0.1;
const MAX_PAUSE_MS = 10 * 60_000;

/** What the schedule needs. */
export interface RatchetScheduleParts {
  readonly chains: Chains;
  readonly stepper: Stepper;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds between two steps at a node. */
  readonly everyMs: number;
  /** The suite that a step asks for. */
  readonly suiteId: () => number;
  /** The stage that a step at a node asks for. */
  readonly stage: (nodeId: string) => string;
}

/** Takes a ratchet step at every node from time to time, so that a stolen state is soon of no use. */
export class RatchetSchedule {
  readonly #parts: RatchetScheduleParts;
  readonly #dueAfterMs: number;
  #started = false;

  constructor(parts: RatchetScheduleParts) {
    this.#parts = parts;
    this.#dueAfterMs = jittered(parts.everyMs, fractionOf(parts.random.bytes), JITTER);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#arm();
  }

  #arm(): void {
    const { timers, everyMs } = this.#parts;
    timers.set(Math.min(MAX_PAUSE_MS, everyMs / 4), () => {
      void this.#step().finally(() => this.#arm());
    });
  }

  async #step(): Promise<void> {
    const { chains, clock } = this.#parts;
    const due = chains.ready().filter((nodeId) => {
      const { steppedMs } = chains.record(nodeId);
      return clock.now() >= steppedMs + this.#dueAfterMs;
    });
    await Promise.all(due.map(async (nodeId) => this.#stepAt(nodeId)));
  }

  async #stepAt(nodeId: string): Promise<void> {
    const { stepper, suiteId, stage, logger } = this.#parts;
    try {
      await stepper.step(nodeId, { suiteId: suiteId(), stage: stage(nodeId) });
    } catch (error) {
      logger.warn({ node: nodeId, code: codeOf(error) }, 'A scheduled ratchet step did not come about.');
    }
  }
}
