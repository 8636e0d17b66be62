import { equalConstantTime, toHex } from '@symmetra/crypto';
import type { SymmetraError } from '@symmetra/crypto';
import { nodeRequests, sameLimits, within } from '@symmetra/protocol';
import type { Limits, NodeRequest, PairRequested } from '@symmetra/protocol';
import { fractionOf, pauseMs } from '../backoff.js';
import { NodeRefusal, asSymmetraError, codeOf, isTransportFailure, mostTelling } from '../failure.js';
import type { InitiatorRun } from './initiator-run.js';
import { limitsEvidence } from './delivery-judge.js';
import type { PairParts } from './pair-parts.js';
import type { ReportReason } from './reports.js';

const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
/** What a receipt grants that does not say it. */
const NOTHING: Limits = { lifetimeSeconds: 0, uses: 0 };
/** How long the response of a peer that is there may take. */
const RESPONSE_MS = 4000;
const RETRY = { firstMs: 500, maxMs: 30_000 };
/** A node at which the enrolment is not finished, or that holds much for the peer already, may approve later. */
const PASSING = new Set(['NOT_ENROLLED', 'DEVICE_UNKNOWN', 'STEP_UNFINISHED', 'PEER_BUSY', 'NODE_STALE']);

/** PAIR-2, PAIR-3: takes a negotiation to its nodes, and what they say back to it. */
export class NodeApprovals {
  readonly #parts: PairParts;
  readonly #fail: (run: InitiatorRun, error: SymmetraError) => Promise<void>;

  /** @param fail ends a negotiation that too few nodes can still approve */
  constructor(parts: PairParts, fail: (run: InitiatorRun, error: SymmetraError) => Promise<void>) {
    this.#parts = parts;
    this.#fail = fail;
  }

  /** Asks every node, at the same time. */
  ask(run: InitiatorRun, state: PairRequested): void {
    for (const request of nodeRequests(this.#parts.context, state)) void this.#askNode(run, request);
  }

  /** One node, until it approves or refuses, or the answer is not needed any more. */
  async #askNode(run: InitiatorRun, request: NodeRequest): Promise<void> {
    const { timers, random, onFailure } = this.#parts;
    // The run may be confirmed, and its shares erased, while this node's session is still being opened.
    const share = request.share.slice();
    try {
      for (let attempt = 0; !run.isOver && run.record.state.kind === 'requested'; attempt++) {
        if (await this.#askOnce(run, { ...request, share })) return;
        await timers.sleep(pauseMs(RETRY, attempt, fractionOf(random.bytes)));
      }
    } catch (error) {
      if (codeOf(error) !== 'DEVICE_CLOSED') onFailure(error);
    } finally {
      share.fill(0);
    }
  }

  /** @returns whether the node has decided */
  async #askOnce(run: InitiatorRun, { nodeId, header, share, ephemeralKey }: NodeRequest): Promise<boolean> {
    const { connection, logger } = this.#parts;
    try {
      const receipt = await connection().call(nodeId, NEGOTIATE, { header, share, ephemeralKey });
      if (!equalConstantTime(receipt.headerHash, run.record.headerHash)) {
        this.#report(run, nodeId, 'HEADER_MISMATCH', receipt.headerHash);
        throw new NodeRefusal(nodeId, 'HEADER_MISMATCH', 'the node approved another header', {});
      }
      run.approved.set(nodeId, receipt.granted ?? NOTHING);
      run.unreached.delete(nodeId);
      this.#compareLimits(run);
      if (receipt.responder?.online === true) this.#expectAnswer(run, nodeId);
      this.#learnAddresses(run, receipt.responder?.addresses ?? []);
      return true;
    } catch (error) {
      logger.info({ keyId: run.keyId, node: nodeId, code: codeOf(error) }, 'A node did not approve a key.');
      if (error instanceof NodeRefusal && !PASSING.has(error.code)) {
        run.refused.set(nodeId, error);
        if (run.isHopeless && !run.isOver && !run.changes.isUnderWay) {
          await this.#fail(run, mostTelling([...run.refused.values()]));
        }
        return true;
      }
      this.#noteUnreached(run, nodeId, asSymmetraError(error));
      return false;
    }
  }

  /** PAIR-10: when enough nodes say that the peer is there, and no response comes, the home may withhold it. */
  #expectAnswer(run: InitiatorRun, nodeId: string): void {
    const { timers, connection } = this.#parts;
    run.online.add(nodeId);
    if (run.online.size !== run.record.threshold) return;
    timers.set(RESPONSE_MS, () => {
      if (!run.isOver && run.record.state.kind === 'requested') connection().doubtHome();
    });
  }

  /** PAIR-11: once enough nodes have granted the same, those that granted less are reported. */
  #compareLimits(run: InitiatorRun): void {
    const all = [...run.approved.entries()];
    const common = all.find(
      ([, one]) => all.filter(([, other]) => sameLimits(one, other)).length >= run.record.threshold,
    );
    if (common === undefined) return;
    for (const [nodeId, granted] of all) {
      if (!within(common[1], granted)) this.#report(run, nodeId, 'LIMITS_MISMATCH', limitsEvidence(granted));
    }
  }

  #report({ record }: InitiatorRun, node: string, reason: ReportReason, evidence: Uint8Array): void {
    const { reports, deviceId } = this.#parts;
    const { keyId, headerHash } = record;
    reports.report({ keyId, node, initiator: deviceId, reason, headerHash, evidence });
  }

  /** Only what a node says inside a session is its word; anything else is tried again. */
  #noteUnreached(run: InitiatorRun, nodeId: string, error: SymmetraError): void {
    run.unreached.set(nodeId, error);
    if (isTransportFailure(error) || PASSING.has(error.code)) return;
    run.turnedAway.set(nodeId, error);
    if (run.looksHopeless) run.giveUp(mostTelling([...run.turnedAway.values(), ...run.refused.values()]));
  }

  /** PAIR-10: the first receipt that says where the peer is opens the direct path. */
  #learnAddresses(run: InitiatorRun, addresses: readonly string[]): void {
    if (addresses.length === 0 || run.record.addresses.length > 0) return;
    run.record = { ...run.record, addresses };
    const { mayGoDirect, peer, keyId, headerHash } = run.record;
    if (!mayGoDirect || this.#parts.paths.has(run.keyId, headerHash)) return;
    void this.#parts.paths.dial(toHex(peer), addresses, keyId, headerHash);
  }
}
