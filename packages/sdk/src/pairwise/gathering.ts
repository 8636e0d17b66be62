import { toHex } from '@symmetra/crypto';
import { quorum, sameLimits } from '@symmetra/protocol';
import type { CheckedDelivery } from '@symmetra/protocol';
import type { Timers } from '../timers.js';
import type { BadDelivery } from './delivery-judge.js';

const MAX_GATHERINGS = 1024;
/** How long a quorum whose nodes granted different limits waits for more of them. */
const DIVIDED_MS = 1000;

/** The deliveries of one key id that came so far. */
interface Gathered {
  readonly good: Map<string, CheckedDelivery>;
  /** Nodes that delivered something bad, and what it was. */
  readonly bad: Map<string, BadDelivery>;
}

/** Called with the quorum that there is when no better one came in time. */
export type OnDivided = (quorum: readonly CheckedDelivery[]) => void;

/** PAIR-5: collects deliveries until enough agree. What is pushed out here, the nodes bring again. */
export class Gathering {
  readonly #byKey = new Map<string, Gathered>();
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Whether anything came. */
  has(keyId: string): boolean {
    return this.#byKey.has(keyId);
  }

  /** The nodes that have delivered so far. */
  nodesOf(keyId: string): readonly string[] {
    return [...(this.#byKey.get(keyId)?.good.keys() ?? [])];
  }

  /**
   * Takes a delivery that fits its own header.
   * @returns the quorum, once there is one that granted the same limits, or for which nobody is left to wait for
   */
  add(delivery: CheckedDelivery, onDivided: OnDivided): readonly CheckedDelivery[] | undefined {
    const { header, nodeId } = delivery;
    const keyId = toHex(header.keyId);
    const gathered = this.#of(keyId);
    const former = gathered.good.get(nodeId);
    gathered.good.set(nodeId, delivery);
    former?.share.wipe();
    const agreed = quorum([...gathered.good.values()]);
    if (agreed === undefined) return undefined;
    const settled = agreeing(agreed);
    if (settled !== undefined || agreed.length === header.nodes.length) return settled ?? agreed;
    this.#timers.set(DIVIDED_MS, () => {
      if (this.#byKey.get(keyId) !== gathered) return;
      const now = quorum([...gathered.good.values()]);
      if (now !== undefined) onDivided(now);
    });
    return undefined;
  }

  /** Takes note of a bad delivery. */
  addBad(keyId: string, nodeId: string, reason: BadDelivery): void {
    this.#of(keyId).bad.set(nodeId, reason);
  }

  /** Ends the gathering of a key id. @returns what came */
  take(keyId: string): Gathered {
    const gathered = this.#of(keyId);
    this.#byKey.delete(keyId);
    return gathered;
  }

  /** Erases all shares. */
  close(): void {
    for (const gathered of this.#byKey.values()) for (const { share } of gathered.good.values()) share.wipe();
    this.#byKey.clear();
  }

  #of(keyId: string): Gathered {
    const known = this.#byKey.get(keyId);
    if (known !== undefined) return known;
    const gathered: Gathered = { good: new Map(), bad: new Map() };
    const [oldest] = this.#byKey;
    if (oldest !== undefined && this.#byKey.size >= MAX_GATHERINGS) {
      this.#byKey.delete(oldest[0]);
      for (const { share } of oldest[1].good.values()) share.wipe();
    }
    this.#byKey.set(keyId, gathered);
    return gathered;
  }
}

/** PAIR-5: those of a quorum that granted the same limits, when they are enough by themselves. */
function agreeing(agreed: readonly CheckedDelivery[]): readonly CheckedDelivery[] | undefined {
  return agreed
    .map(({ granted }) => agreed.filter((other) => sameLimits(granted, other.granted)))
    .find((same) => same.length >= (same[0]?.header.threshold ?? 0));
}
