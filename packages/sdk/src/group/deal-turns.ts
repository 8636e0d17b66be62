import { SymmetraError } from '@symmetra/crypto';
import { codeOf, mostTelling } from '../failure.js';
import { Lane } from '../lane.js';
import type { Timers } from '../timers.js';

/** How long a caller waits; the deal goes on behind it. */
const CALLER_MS = 30_000;

/** What turns need. */
export interface DealTurnsParts {
  readonly timers: Timers;
  /** What nobody waits for did not come about. */
  readonly onFailure: (error: unknown) => void;
}

/** The deals of each group, one after the other. */
export class DealTurns {
  readonly #parts: DealTurnsParts;
  readonly #lanes = new Map<string, Lane>();

  constructor(parts: DealTurnsParts) {
    this.#parts = parts;
  }

  /**
   * Runs a task in its turn, for a caller who waits a bounded time.
   * @param failures why it has not come about yet
   * @throws what the task throws; the most telling of the failures, or GROUP_PENDING, when it takes longer
   */
  async awaited(group: string, task: () => Promise<void>, failures: () => readonly unknown[]): Promise<void> {
    let isAwaited = true;
    const running = this.#laneOf(group).run(task);
    running.catch((error: unknown) => {
      if (!isAwaited) this.#failed(error);
    });
    try {
      await this.#parts.timers.within(CALLER_MS, running, () =>
        failures().length > 0 ? mostTelling(failures()) : groupPending(),
      );
    } finally {
      isAwaited = false;
    }
  }

  /** Runs a task in its turn for which nobody waits. */
  unawaited(group: string, task: () => Promise<void>): void {
    this.#laneOf(group)
      .run(task)
      .catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (codeOf(error) !== 'DEVICE_CLOSED') this.#parts.onFailure(error);
  }

  #laneOf(group: string): Lane {
    const lane = this.#lanes.get(group) ?? new Lane();
    this.#lanes.set(group, lane);
    return lane;
  }
}

/** An epoch that was dealt takes its time. */
export function groupPending(): SymmetraError {
  return new SymmetraError('GROUP_PENDING', 'the epoch has not come into force yet; the device goes on');
}
