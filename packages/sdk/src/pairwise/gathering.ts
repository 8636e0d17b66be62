import { toHex } from '@symmetra/crypto';
import { quorum } from '@symmetra/protocol';
import type { CheckedDelivery } from '@symmetra/protocol';

const MAX_GATHERINGS = 1024;

/** The deliveries of one key id that came so far. */
interface Gathered {
  readonly good: Map<string, CheckedDelivery>;
  /** Nodes that delivered something bad. */
  readonly bad: Set<string>;
}

/** PAIR-5: collects deliveries until enough agree. What is pushed out here, the nodes bring again. */
export class Gathering {
  readonly #byKey = new Map<string, Gathered>();

  /** The nodes that have delivered so far. */
  nodesOf(keyId: string): readonly string[] {
    return [...(this.#byKey.get(keyId)?.good.keys() ?? [])];
  }

  /** Takes a delivery that fits its own header. @returns the quorum, once there is one */
  add(delivery: CheckedDelivery): readonly CheckedDelivery[] | undefined {
    const gathered = this.#of(toHex(delivery.header.keyId));
    const former = gathered.good.get(delivery.nodeId);
    gathered.good.set(delivery.nodeId, delivery);
    former?.share.wipe();
    return quorum([...gathered.good.values()]);
  }

  /** Takes note of a bad delivery. */
  addBad(keyId: string, nodeId: string): void {
    this.#of(keyId).bad.add(nodeId);
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
    const gathered: Gathered = { good: new Map(), bad: new Set() };
    const [oldest] = this.#byKey;
    if (oldest !== undefined && this.#byKey.size >= MAX_GATHERINGS) {
      this.#byKey.delete(oldest[0]);
      for (const { share } of oldest[1].good.values()) share.wipe();
    }
    this.#byKey.set(keyId, gathered);
    return gathered;
  }
}
