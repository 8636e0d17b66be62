import { equalConstantTime, toHex } from '@symmetra/crypto';
import type { CheckedDelivery, Header } from '@symmetra/protocol';
import type { PairParts } from './pair-parts.js';

/** How long after the response a delivery counts as missing. */
const MISSING_MS = 5000;
/** How long after the first delivery the other nodes are asked again. */
const SILENT_MS = 1000;

type JudgeParts = Pick<PairParts, 'reports' | 'timers' | 'acknowledger' | 'connection'>;

/** PAIR-11: compares what each node delivered with what the quorum did. Bad deliveries never change a run. */
export class DeliveryJudge {
  readonly #parts: JudgeParts;
  /** The nodes whose delivery has not come, by key id, while they have time. */
  readonly #awaited = new Map<string, Set<string>>();

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  /** The first delivery of a key came. The nodes from which none follows soon may have lost the device's session. */
  expect({ header }: CheckedDelivery, arrived: () => readonly string[]): void {
    this.#parts.timers.set(SILENT_MS, () => {
      const came = new Set(arrived());
      this.#parts.connection().suspect(header.nodes.filter((nodeId) => !came.has(nodeId)));
    });
  }

  /** Judges what had come when the quorum was there; what is missing has some time yet. */
  judge(quorumMember: CheckedDelivery, good: readonly CheckedDelivery[], bad: ReadonlySet<string>): void {
    const { header, headerHash } = quorumMember;
    for (const nodeId of bad) this.badShare(header, nodeId, headerHash);
    for (const delivery of good) this.#compare(delivery, headerHash);
    const came = new Set([...good.map((delivery) => delivery.nodeId), ...bad]);
    const missing = new Set(header.nodes.filter((nodeId) => !came.has(nodeId)));
    if (missing.size === 0) return;
    const keyId = toHex(header.keyId);
    this.#awaited.set(keyId, missing);
    this.#parts.timers.set(MISSING_MS, () => {
      this.#awaited.delete(keyId);
      for (const nodeId of missing) this.#missing(header, nodeId, headerHash);
    });
  }

  /** The nodes whose delivery may still come. */
  awaited(keyId: string): ReadonlySet<string> {
    return this.#awaited.get(keyId) ?? new Set();
  }

  /** A delivery that fits its own header came: whatever became of the key, its node was not silent. */
  arrived({ header, nodeId }: CheckedDelivery): void {
    this.#awaited.get(toHex(header.keyId))?.delete(nodeId);
  }

  /** A delivery that fits its own header came behind the quorum. */
  late(delivery: CheckedDelivery, headerHash: Uint8Array): void {
    this.arrived(delivery);
    this.#compare(delivery, headerHash);
  }

  /** A share does not fit its commitment. */
  badShare({ keyId, initiator }: Header, node: string, headerHash: Uint8Array): void {
    this.#awaited.get(toHex(keyId))?.delete(node);
    this.#parts.reports.report({ keyId, node, initiator, reason: 'SHARE_MISMATCH', headerHash });
  }

  #compare(delivery: CheckedDelivery, headerHash: Uint8Array): void {
    if (equalConstantTime(delivery.headerHash, headerHash)) return;
    const { header, nodeId: node, headerBytes: evidence } = delivery;
    const { keyId, initiator } = header;
    this.#parts.reports.report({ keyId, node, initiator, reason: 'HEADER_MISMATCH', headerHash, evidence });
  }

  /** The node may have the share all the same, and is told that it is not needed any more. */
  #missing({ keyId, initiator }: Header, node: string, headerHash: Uint8Array): void {
    this.#parts.acknowledger.add(node, keyId);
    this.#parts.reports.report({ keyId, node, initiator, reason: 'DELIVERY_MISSING', headerHash });
  }
}
