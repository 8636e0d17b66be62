import { toBase32, toHex } from '@symmetra/crypto';
import type { Logger } from '@symmetra/runtime';
import type { Chains } from '../chain/chains.js';
import { codeOf, isTransportFailure } from '../failure.js';
import type { Connection } from '../session/connection.js';
import type { Timers } from '../timers.js';

const REPORT = '/symmetra.pairwise.v1.PairwiseService/Report';
/** A silent node is reported once in this time, however many keys it misses. */
const MISSING_EVERY_MS = 60_000;
const MAX_REMEMBERED = 1024;
/** A node that a report does not reach is told again a few times. */
const MAX_ATTEMPTS = 4;
const AGAIN_MS = 2000;
/** What a report may carry of what a node delivered. */
const MAX_EVIDENCE_BYTES = 6 * 1024;

/** Why a delivery is reported. */
export type ReportReason =
  'SHARE_MISMATCH' | 'EPHEMERAL_KEY_MISMATCH' | 'HEADER_MISMATCH' | 'LIMITS_MISMATCH' | 'DELIVERY_MISSING';

/** A delivery that was bad or missing: evidence for people, against the node or the initiator that dealt. */
export interface DeliveryReport {
  readonly keyId: string;
  readonly node: string;
  /** Device id of the initiator. */
  readonly initiator: string;
  readonly reason: ReportReason;
}

/** What a report is made of. */
export interface Evidence {
  readonly keyId: Uint8Array;
  readonly node: string;
  readonly initiator: Uint8Array;
  readonly reason: ReportReason;
  /** Hash of the header that the other nodes delivered. */
  readonly headerHash: Uint8Array;
  /** What differs: a header, the hash of one in a receipt, or limits. */
  readonly evidence?: Uint8Array;
}

/** What reporting needs. */
export interface ReportParts {
  readonly connection: () => Connection;
  readonly chains: Chains;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly onReport: (report: DeliveryReport) => void;
}

/** PAIR-11: reports bad and missing deliveries to every node, each once. */
export class Reports {
  readonly #parts: ReportParts;
  readonly #made = new Set<string>();
  readonly #missing = new Map<string, number>();

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  report(evidence: Evidence): void {
    const { keyId, node, initiator, reason, headerHash } = evidence;
    if (!this.#isNew(evidence)) return;
    const report = { keyId: toHex(keyId), node, initiator: toBase32(initiator), reason };
    this.#parts.logger.warn(
      { keyId: report.keyId, node, peer: report.initiator, code: reason },
      'What a node delivered or answered was bad, or missing.',
    );
    this.#parts.onReport(report);
    const shown = (evidence.evidence ?? new Uint8Array(0)).subarray(0, MAX_EVIDENCE_BYTES);
    for (const nodeId of this.#parts.chains.ready()) {
      void this.#send(nodeId, { keyId, node, initiator, reason, headerHash, evidence: shown });
    }
  }

  #isNew({ keyId, node, reason }: Evidence): boolean {
    if (reason === 'DELIVERY_MISSING') {
      const now = this.#parts.timers.monotonic();
      if (now < (this.#missing.get(node) ?? 0)) return false;
      this.#missing.set(node, now + MISSING_EVERY_MS);
      return true;
    }
    const id = `${toHex(keyId)} ${node} ${reason}`;
    if (this.#made.has(id)) return false;
    if (this.#made.size >= MAX_REMEMBERED) this.#made.clear();
    this.#made.add(id);
    return true;
  }

  async #send(
    nodeId: string,
    request: {
      keyId: Uint8Array;
      node: string;
      initiator: Uint8Array;
      reason: string;
      headerHash: Uint8Array;
      evidence: Uint8Array;
    },
  ): Promise<void> {
    const { connection, timers, logger } = this.#parts;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      try {
        await connection().call(nodeId, REPORT, request);
        return;
      } catch (error) {
        logger.debug({ node: nodeId, attempt, code: codeOf(error) }, 'A report did not reach a node.');
        if (!isTransportFailure(error)) return;
      }
      const isClosed = await timers.sleep(AGAIN_MS).then(
        () => false,
        () => true,
      );
      if (isClosed) return;
    }
  }
}
