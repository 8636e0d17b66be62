import type { Clock } from '@symmetra/runtime';
import type { DeviceState } from '../state/device-state.js';
import type { ClockRecord } from '../state/records.js';

const ROW = 'clock';
/** A smaller change is not worth a write. */
const NOTABLE_MS = 1000;
/** A device clock that is further off is worth a warning, and nothing more. */
const WARN_MS = 5 * 60_000;

/** Clocks of honest nodes are not further apart than that. */
const MAX_SPREAD_MS = 60_000;

/**
 * The time of the nodes, as far as their sessions told it: what `k` of them agree on. Fewer nodes, which may all lie,
 * change nothing; until enough have spoken, the time is what it was before.
 */
export class NodeClock {
  readonly #clock: Clock;
  readonly #state: DeviceState;
  readonly #offsets = new Map<string, number>();
  #offset: number;
  #stored: number;

  private constructor(clock: Clock, state: DeviceState, offset: number) {
    this.#clock = clock;
    this.#state = state;
    this.#offset = offset;
    this.#stored = offset;
  }

  static async load(clock: Clock, state: DeviceState): Promise<NodeClock> {
    const record = await state.read<ClockRecord>(ROW);
    return new NodeClock(clock, state, record === undefined ? 0 : record.aheadMs - record.behindMs);
  }

  /** Milliseconds since 1970 by the nodes. */
  now(): number {
    return Math.round(this.#clock.now() + this.#offset);
  }

  /** Milliseconds that the nodes are ahead of the device's clock; negative when they are behind. */
  get offsetMs(): number {
    return this.#offset;
  }

  /** Whether the device's clock is so far off that its owner should know. */
  get isOff(): boolean {
    return Math.abs(this.#offset) > WARN_MS;
  }

  /**
   * Takes note of a node's clock.
   * @param roundTripMs how long the answer took that carried it
   * @param threshold k
   */
  async note(nodeId: string, clockMs: number, roundTripMs: number, threshold: number): Promise<void> {
    this.#offsets.set(nodeId, clockMs + roundTripMs / 2 - this.#clock.now());
    const agreed = tightest([...this.#offsets.values()], threshold);
    if (agreed === undefined) return;
    this.#offset = agreed;
    if (Math.abs(this.#offset - this.#stored) < NOTABLE_MS) return;
    this.#stored = this.#offset;
    const ms = Math.round(Math.abs(this.#offset));
    const record: ClockRecord = {
      aheadMs: this.#offset > 0 ? ms : 0,
      behindMs: this.#offset > 0 ? 0 : ms,
    };
    await this.#state.commit([{ key: ROW, value: record }]);
  }
}

/** The middle of the `count` values that lie closest together; undefined when even they lie far apart. */
function tightest(values: readonly number[], count: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const windows = sorted
    .slice(0, Math.max(0, sorted.length - count + 1))
    .map((from, i) => ({ from, to: sorted[i + count - 1] ?? Infinity }))
    .filter(({ from, to }) => to - from <= MAX_SPREAD_MS)
    .toSorted((a, b) => a.to - a.from - (b.to - b.from));
  const [first] = windows;
  return first && (first.from + first.to) / 2;
}
