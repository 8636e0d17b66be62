import { equalConstantTime } from '@symmetra/crypto';
import type { LogHead } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import type { ControlState } from './control-state.js';
import type { Heartbeat } from './heartbeat.js';

/** How long a node that stated a head and could not show its event is not waited for. */
const DISBELIEVED_MS = 3_600_000;

/** What a node said last, and when it was asked: it may have been true only until then. */
interface Heard {
  readonly beat: Heartbeat;
  readonly askedMs: number;
}

/** A head above the own one, whose event a node owes. */
interface Debt {
  readonly number: number;
  readonly sinceMs: number;
}

export interface PeerHeadsParts {
  readonly clock: Clock;
  readonly state: ControlState;
  readonly maxStalenessMs: number;
}

/** CTL-7: what the other nodes say of the control log, and whether it agrees with what this node knows. */
export class PeerHeads {
  readonly #parts: PeerHeadsParts;
  readonly #heard = new Map<string, Heard>();
  readonly #debts = new Map<string, Debt>();
  /** Until when a node is not waited for. */
  readonly #disbelieved = new Map<string, number>();
  /** The head for which {@link PeerHeads.#freshUntilMs} was counted. */
  #countedHead: LogHead | undefined;
  #freshUntilMs = 0;
  /** k or more nodes state a higher number: at least one of them is honest. */
  #isBehind = false;

  constructor(parts: PeerHeadsParts) {
    this.#parts = parts;
  }

  /** Whether k nodes, this one included, agree on the head, and no event is known to be missing; not at a halted node. */
  get agree(): boolean {
    const { clock, state } = this.#parts;
    if (state.halted) return false;
    if (state.descriptor.threshold <= 1) return true;
    const now = clock.monotonic();
    if (this.#countedHead !== state.head) this.#count();
    return now < this.#freshUntilMs && !this.#isBehind && !this.#owes(now);
  }

  /** Whether fewer than k nodes, this one included, answered lately, whatever they said. */
  get isIsolated(): boolean {
    const { clock, state, maxStalenessMs } = this.#parts;
    const since = clock.monotonic() - maxStalenessMs;
    const reached = [...this.#heard.values()].filter(({ askedMs }) => askedMs > since);
    return reached.length + 1 < state.descriptor.threshold;
  }

  /** When a node answered last, as far as it is known: the time at which it was asked. */
  askedMs(peer: string): number | undefined {
    return this.#heard.get(peer)?.askedMs;
  }

  /** Its newest heartbeat. */
  beatOf(peer: string): Heartbeat | undefined {
    return this.#heard.get(peer)?.beat;
  }

  /** CTL-8: whether more than half of the nodes said since then how far they are, and this one knows of nothing it lacks. */
  isAbreast(sinceMs: number): boolean {
    const { clock, state } = this.#parts;
    if (this.#owes(clock.monotonic())) return false;
    const others = [...this.#heard.values()].filter(
      ({ beat, askedMs }) => askedMs >= sinceMs && beat.head.number <= state.head.number,
    );
    return 2 * (others.length + 1) > state.descriptor.nodes.length;
  }

  /** A node answered. An answer to an earlier question changes nothing. */
  answered(peer: string, beat: Heartbeat, askedMs: number): void {
    const before = this.#heard.get(peer);
    if (before !== undefined && before.askedMs > askedMs) return;
    this.#heard.set(peer, { beat, askedMs });
    this.#count();
  }

  /** A node says that there is an event which this node has not. */
  states(peer: string, number: number): void {
    const { clock, state } = this.#parts;
    if (number <= state.head.number || this.isDisbelieved(peer)) return;
    if (!this.#debts.has(peer)) this.#debts.set(peer, { number, sinceMs: clock.monotonic() });
  }

  /** Whether what a node states is taken for a reason to wait. */
  isDisbelieved(peer: string): boolean {
    return (this.#disbelieved.get(peer) ?? 0) > this.#parts.clock.monotonic();
  }

  /** A node showed an event that this one could not take: it is waited for until it can. */
  excuse(peer: string): void {
    const debt = this.#debts.get(peer);
    if (debt !== undefined) this.#debts.set(peer, { ...debt, sinceMs: this.#parts.clock.monotonic() });
  }

  /** A node showed everything that it has. @returns whether it showed less than it had stated */
  showed(peer: string, stated: number): boolean {
    const { clock, state } = this.#parts;
    const isBare = stated > state.head.number;
    this.#debts.delete(peer);
    if (isBare) this.#disbelieved.set(peer, clock.monotonic() + DISBELIEVED_MS);
    else this.#disbelieved.delete(peer);
    return isBare;
  }

  /**
   * The nodes whose events were waited for long enough: they are waited for no more.
   * @returns those which answered heartbeats meanwhile; nobody while k nodes state more: then it is this node that can not
   *   take what they show
   */
  overdue(): readonly { readonly peer: string; readonly number: number }[] {
    const { clock, state, maxStalenessMs } = this.#parts;
    const now = clock.monotonic();
    const late: { readonly peer: string; readonly number: number }[] = [];
    for (const [peer, { number, sinceMs }] of this.#debts) {
      const isPaid = number <= state.head.number;
      if (!isPaid && now - sinceMs < maxStalenessMs) continue;
      this.#debts.delete(peer);
      if (isPaid) continue;
      this.#disbelieved.set(peer, now + DISBELIEVED_MS);
      if (!this.#isBehind && (this.askedMs(peer) ?? 0) > sinceMs) late.push({ peer, number });
    }
    return late;
  }

  #owes(now: number): boolean {
    const { state, maxStalenessMs } = this.#parts;
    for (const { number, sinceMs } of this.#debts.values()) {
      if (number > state.head.number && now - sinceMs < maxStalenessMs) return true;
    }
    return false;
  }

  /** The k-th newest word of those that agree, this node's own included, is good until then. */
  #count(): void {
    const { state, maxStalenessMs } = this.#parts;
    const { head, descriptor } = state;
    const heard = [...this.#heard.values()];
    const higher = heard.filter(({ beat }) => beat.head.number > head.number);
    const times = heard
      .filter(({ beat }) => isSame(beat.head, head))
      .map(({ askedMs }) => askedMs)
      .toSorted((a, b) => b - a);
    const oldest = times[descriptor.threshold - 2];
    this.#countedHead = head;
    this.#isBehind = higher.length >= descriptor.threshold;
    this.#freshUntilMs = oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + maxStalenessMs;
  }
}

export function isSame(one: LogHead, other: LogHead): boolean {
  return one.number === other.number && equalConstantTime(one.hash, other.hash);
}
