import { equalConstantTime, toHex } from '@symmetra/crypto';
import type { SymmetraError } from '@symmetra/crypto';
import { nodeRequests } from '@symmetra/protocol';
import type { NodeRequest, PairRequested } from '@symmetra/protocol';
import { fractionOf, pauseMs } from '../backoff.js';
import { NodeRefusal, asSymmetraError, codeOf, isTransportFailure, mostTelling } from '../failure.js';
import type { InitiatorRun } from './initiator-run.js';
import type { PairParts } from './pair-parts.js';

const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const RETRY = { firstMs: 500, maxMs: 30_000 };
/** A node at which the enrolment is not finished, or that holds much for the peer already, may approve later. */
const PASSING = new Set(['NOT_ENROLLED', 'DEVICE_UNKNOWN', 'STEP_UNFINISHED', 'PEER_BUSY']);

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
        throw new NodeRefusal(nodeId, 'HEADER_MISMATCH', 'the node approved another header', {});
      }
      run.approved.add(nodeId);
      run.unreached.delete(nodeId);
      this.#learnAddresses(run, receipt.responder?.addresses ?? []);
      return true;
    } catch (error) {
      logger.info({ keyId: run.keyId, node: nodeId, code: codeOf(error) }, 'A node did not approve a key.');
      if (error instanceof NodeRefusal && !PASSING.has(error.code)) {
        run.refused.set(nodeId, error);
        if (run.isHopeless && !run.isOver && !run.isWriting) {
          await this.#fail(run, mostTelling([...run.refused.values()]));
        }
        return true;
      }
      this.#noteUnreached(run, nodeId, asSymmetraError(error));
      return false;
    }
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
