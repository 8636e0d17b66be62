import type { Clock, Timer } from '@symmetra/runtime';
import type { Presence } from './presence-table.js';
import type { Presences } from './presences.js';

/** Pauses before a device is nudged again; by then it has asked by itself. */
const PAUSES_MS: readonly number[] = [1000, 2000, 4000, 8000, 16_000, 32_000];

/** What became of an event on its way to the device's home. */
export type Carried = 'handed over' | 'not linked' | 'unreached';

export interface NudgesParts {
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly presences: Presences;
  /** Sends an event that says nothing: its number tells the device that others are missing (SES-6). */
  readonly nudge: (presence: Presence) => Promise<Carried>;
}

/** Devices whose homes could not be reached with an event: they are told as soon as the homes can be. */
export class Nudges {
  readonly #parts: NudgesParts;
  readonly #timers = new Map<Presence, Timer>();
  #stopped = false;

  constructor(parts: NudgesParts) {
    this.#parts = parts;
  }

  /** An event did not reach the home of a device. */
  begin(presence: Presence): void {
    if (!this.#timers.has(presence)) this.#arm(presence, PAUSES_MS);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #arm(presence: Presence, [pauseMs, ...later]: readonly number[]): void {
    if (this.#stopped) return;
    if (pauseMs === undefined) {
      this.#timers.delete(presence);
      this.#parts.presences.refute(presence);
      return;
    }
    const timer = this.#parts.clock.setTimer(pauseMs, () => void this.#nudge(presence, later));
    this.#timers.set(presence, timer);
  }

  async #nudge(presence: Presence, later: readonly number[]): Promise<void> {
    const { presences, nudge } = this.#parts;
    // A device that attached again, or is gone, needs none.
    const isCurrent = presences.here(presence.session.deviceHex) === presence;
    if (isCurrent && (await nudge(presence)) === 'unreached') this.#arm(presence, later);
    else this.#timers.delete(presence);
  }
}
