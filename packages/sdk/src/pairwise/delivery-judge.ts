import { Writer, equalConstantTime, toHex } from '@symmetra/crypto';
import { within } from '@symmetra/protocol';
import type { CheckedDelivery, Header, Limits } from '@symmetra/protocol';
import type { PairParts } from './pair-parts.js';
import type { ReportReason } from './reports.js';

/** How long after the response a delivery counts as missing. */
const MISSING_MS = 5000;
/** How long after the first delivery the other nodes are asked again. */
const SILENT_MS = 1000;

type JudgeParts = Pick<PairParts, 'reports' | 'timers' | 'acknowledger' | 'connection'>;

/** What the quorum delivered, or the key that came of it. */
export interface Agreed {
  readonly headerHash: Uint8Array;
  readonly limits: Limits;
}

/** What a delivery that is bad by itself is reported as. */
export type BadDelivery = Exclude<ReportReason, 'HEADER_MISMATCH' | 'DELIVERY_MISSING'>;

/** What a delivery is reported as that failed its checks; undefined when it says nothing about the node. */
export function badDeliveryOf(code: string): BadDelivery | undefined {
  if (code === 'BAD_LIMITS') return 'LIMITS_MISMATCH';
  return code === 'SHARE_MISMATCH' || code === 'EPHEMERAL_KEY_MISMATCH' ? code : undefined;
}

/** PAIR-11: compares what each node delivered with what the quorum did. Bad deliveries never change a run. */
export class DeliveryJudge {
  readonly #parts: JudgeParts;
  /** The nodes whose delivery has not come, by key id, while they have time. */
  readonly #awaited = new Map<string, Set<string>>();

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  /** The first delivery of a key came. The nodes from which none follows soon may have lost the device's session. */
  expect(header: Header, arrived: () => readonly string[]): void {
    this.#parts.timers.set(SILENT_MS, () => {
      const came = new Set(arrived());
      this.#parts.connection().suspect(header.nodes.filter((nodeId) => !came.has(nodeId)));
    });
  }

  /** Judges what had come when the quorum was there; what is missing has some time yet. */
  judge(
    header: Header,
    agreed: Agreed,
    good: readonly CheckedDelivery[],
    bad: ReadonlyMap<string, BadDelivery>,
  ): void {
    const { headerHash } = agreed;
    for (const [nodeId, reason] of bad) this.bad(header, nodeId, reason, headerHash);
    for (const delivery of good) this.#compare(delivery, agreed);
    const came = new Set([...good.map((delivery) => delivery.nodeId), ...bad.keys()]);
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
  late(delivery: CheckedDelivery, agreed: Agreed): void {
    this.arrived(delivery);
    this.#compare(delivery, agreed);
  }

  /** A delivery does not fit its header. */
  bad({ keyId, initiator }: Header, node: string, reason: BadDelivery, headerHash: Uint8Array): void {
    this.#awaited.get(toHex(keyId))?.delete(node);
    this.#parts.reports.report({ keyId, node, initiator, reason, headerHash });
  }

  /** A key never lives longer than a node of its quorum granted: only one outside of it can have granted less. */
  #compare(delivery: CheckedDelivery, { headerHash, limits }: Agreed): void {
    const { header, nodeId: node, headerBytes, granted } = delivery;
    const { keyId, initiator } = header;
    const about = { keyId, node, initiator, headerHash };
    if (!equalConstantTime(delivery.headerHash, headerHash)) {
      this.#parts.reports.report({ ...about, reason: 'HEADER_MISMATCH', evidence: headerBytes });
    } else if (!within(limits, granted)) {
      this.#parts.reports.report({ ...about, reason: 'LIMITS_MISMATCH', evidence: limitsEvidence(granted) });
    }
  }

  /** The node may have the share all the same, and is told that it is not needed any more. */
  #missing({ keyId, initiator }: Header, node: string, headerHash: Uint8Array): void {
    this.#parts.acknowledger.add(node, keyId);
    this.#parts.reports.report({ keyId, node, initiator, reason: 'DELIVERY_MISSING', headerHash });
  }
}

/** PAIR-11: limits as a report shows them. */
export function limitsEvidence({ lifetimeSeconds, uses }: Limits): Uint8Array {
  return new Writer().u32(lifetimeSeconds).u32(uses).finish();
}
