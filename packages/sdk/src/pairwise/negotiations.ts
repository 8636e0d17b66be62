import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import { decodeHeader, decodePairMessage, offered } from '@symmetra/protocol';
import type { KeyMaterial, PairMessage, PairRequested } from '@symmetra/protocol';
import { asSymmetraError, codeOf, mostTelling } from '../failure.js';
import { describe, newRecord } from '../keys/key-record.js';
import type { Key, KeyInfo, PendingKey } from '../keys/key-info.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { InitiatorRun } from './initiator-run.js';
import { InitiatorRuns } from './initiator-runs.js';
import type { RunRequest } from './initiator-runs.js';
import { checkedWishes } from './negotiate-options.js';
import type { NegotiateOptions } from './negotiate-options.js';
import type { PairParts } from './pair-parts.js';
import { ResponderRuns } from './responder-runs.js';
import type { Delivery } from './responder-runs.js';

const DEFAULT_WAIT_MS = 30_000;
const MAX_BEGINNINGS = 4;

/** Begins and answers negotiations, and tells what comes of them. */
export class Negotiations {
  readonly #initiator: InitiatorRuns;
  readonly #responder: ResponderRuns;
  readonly #parts: PairParts;
  readonly #suite: () => number;

  private constructor(
    parts: PairParts,
    initiator: InitiatorRuns,
    responder: ResponderRuns,
    suite: () => number,
  ) {
    this.#parts = parts;
    this.#initiator = initiator;
    this.#responder = responder;
    this.#suite = suite;
  }

  /** @param suite the suite to use when nothing else is asked */
  static async load(parts: PairParts, suite: () => number): Promise<Negotiations> {
    return new Negotiations(parts, await InitiatorRuns.load(parts), await ResponderRuns.load(parts), suite);
  }

  /** Goes on with what a former process left. */
  resume(): void {
    this.#initiator.resume();
    this.#responder.resume();
  }

  /**
   * Agrees on a key with a peer. What can be put right by beginning anew is put right: a descriptor that is older than
   * the nodes', a suite that policy forbids when none was asked for, a first contact that needs all nodes, a
   * negotiation that others overtook.
   * @throws BAD_PEER, PEER_SELF, BAD_OPTION; the nodes' code when too few approve (PEER_UNKNOWN, PEER_REVOKED, ...); the
   *   peer's code when it refuses (CONTINUITY_REQUIRED, ...)
   */
  async negotiate(
    peer: Uint8Array,
    options: NegotiateOptions,
    renews?: Uint8Array,
  ): Promise<Key | PendingKey> {
    let all = options.threshold === 'all';
    let overtaken = false;
    for (let beginning = 1; ; beginning++) {
      const suiteId = options.suite ?? this.#suite();
      const request = this.#requestFor(peer, options, suiteId, all, renews);
      const run = await this.#initiator.start(request);
      try {
        return await this.#outcome(run, options.wait ?? DEFAULT_WAIT_MS);
      } catch (error) {
        if (beginning === MAX_BEGINNINGS || !run.isOver) throw error;
        const code = codeOf(error);
        if (code === 'DESCRIPTOR_OLD') await this.#askAllNodes();
        else if (code === 'SUITE_FORBIDDEN' && options.suite === undefined) {
          await this.#checkForbidden(suiteId, error);
        } else if (code === 'FIRST_CONTACT_NEEDS_ALL' && !all) all = true;
        else if (run.wasOvertaken && !overtaken) overtaken = true;
        else throw error;
      }
    }
  }

  /** The initiator of a negotiation opened the direct path. */
  hello(keyId: string): void {
    this.#responder.hello(keyId);
  }

  /** A delivery of a node. */
  deliver(nodeId: string, delivery: Delivery): void {
    this.#watch(this.#responder.deliver(nodeId, delivery));
  }

  /** A pair message, whichever way it came; it authenticates itself. */
  receive(bytes: Uint8Array, direct: boolean): void {
    let message: PairMessage;
    try {
      message = decodePairMessage(bytes);
    } catch (error) {
      this.#parts.logger.warn({ code: codeOf(error) }, 'A message of a peer was dropped.');
      return;
    }
    const keyId = toHex(message.keyId);
    switch (message.kind) {
      case 'response':
        this.#watch(this.#initiator.receiveResponse(keyId, bytes, direct));
        break;
      case 'refuse':
        this.#watch(this.#initiator.receiveRefusal(keyId, message));
        break;
      case 'acknowledge':
        this.#watch(this.#initiator.receiveAcknowledge(keyId, bytes));
        break;
      case 'confirm':
        this.#watch(this.#responder.receiveConfirm(keyId, bytes, direct));
        break;
    }
  }

  /** The keys of negotiations that are not finished: as far as this device has them. */
  unfinished(): readonly KeyInfo[] {
    const begun = this.#initiator.all().map((run) => {
      const { state } = run.record;
      return state.kind === 'confirmed'
        ? describe(recordOf(run, state.key), 'confirmed')
        : this.#requested(run, state);
    });
    return [...begun, ...this.#responder.all().map((record) => describe(record, 'pending'))];
  }

  /**
   * Gives negotiations up, for example because the peer was revoked. Those that become keys meanwhile stand among the
   * keys when it is fulfilled.
   * @returns the key ids of those that were given up
   */
  async abandon(
    matches: (keyId: string, peer: Uint8Array) => boolean,
    error: SymmetraError,
  ): Promise<readonly string[]> {
    const begun = await this.#initiator.abandon((run) => matches(run.keyId, run.record.peer), error);
    return [...begun, ...(await this.#responder.abandon(matches, error))];
  }

  /** Ends what took too long. @returns when the next one does, node time */
  async sweep(nowMs: number): Promise<number> {
    return Math.min(await this.#initiator.sweep(nowMs), await this.#responder.sweep(nowMs));
  }

  /** Ends everything that waits. */
  close(): void {
    this.#initiator.close();
    this.#responder.close();
  }

  #watch(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.#parts.onFailure(error));
  }

  /** What is asked for, while there is no key yet. */
  #requested(run: InitiatorRun, state: PairRequested): KeyInfo {
    const header = decodeHeader(this.#parts.context, state.header);
    return {
      keyId: run.keyId,
      peer: toBase32(run.record.peer),
      role: 'initiator',
      purpose: header.purpose,
      suite: header.suiteId,
      length: header.keyLength,
      notAfter: new Date(run.record.expiresMs).toISOString(),
      usesLeft: header.limits.uses === 0 ? null : header.limits.uses,
      nodes: [...run.approved.keys()],
      directKem: state.direct !== undefined,
      continuity: false,
      policyRevision: header.policyRevision,
      fingerprint: '',
      state: 'pending',
      direct: false,
    };
  }

  async #outcome(run: InitiatorRun, waitMs: number): Promise<Key | PendingKey> {
    const late = new SymmetraError('KEY_PENDING', 'the peer has not answered yet');
    try {
      if (waitMs === 0) throw late;
      run.isAwaited = true;
      await this.#parts.timers.within(waitMs, run.outcome, () => late);
      return this.#parts.keys.open(run.keyId);
    } catch (error) {
      if (error !== late) throw asSymmetraError(error);
      if (waitMs > 0 && run.isStuck) await this.#giveUp(run);
      return pendingKey(run);
    } finally {
      run.isAwaited = false;
    }
  }

  /** Too few nodes could be reached for the peer to learn of the negotiation; a response that came says otherwise. */
  async #giveUp(run: InitiatorRun): Promise<void> {
    const error = mostTelling([...run.unreached.values(), ...run.refused.values()]);
    await this.#initiator.abandon((one) => one === run && one.isStuck, error);
    if (run.isOver) throw error;
  }

  #requestFor(
    peer: Uint8Array,
    options: NegotiateOptions,
    suiteId: number,
    all: boolean,
    renews: Uint8Array | undefined,
  ): RunRequest {
    const { descriptors, policies, deviceId, continuity } = this.#parts;
    if (equalConstantTime(peer, deviceId)) {
      throw new SymmetraError('PEER_SELF', 'the peer is this device itself');
    }
    const { nodes, threshold } = descriptors.current;
    const isFirst = offered(continuity.offers(peer)).length === 0;
    const needsAll = all || (isFirst && policies.current.firstContactAll);
    return {
      request: {
        suiteId,
        responder: peer,
        ...checkedWishes(options),
        threshold: needsAll ? nodes.length : threshold,
        nodes: nodes.map((node) => node.id),
      },
      directKem: options.directKem ?? true,
      mayGoDirect: options.direct ?? true,
      ...(renews !== undefined && { renews }),
    };
  }

  /** Another suite is chosen only when the policy, as this device verifies it, forbids this one. @throws the refusal */
  async #checkForbidden(suiteId: number, refusal: unknown): Promise<void> {
    const { policies } = this.#parts;
    await this.#askAllNodes();
    if (policies.suites.includes(suiteId) || policies.suites.length === 0) throw refusal;
  }

  /** Looks for a newer descriptor and policy, whatever the first node that answers says. */
  async #askAllNodes(): Promise<void> {
    const { descriptors } = this.#parts;
    await descriptors.refresh([], descriptors.current.version + 1);
  }
}

function recordOf(run: InitiatorRun, material: KeyMaterial): KeyRecord {
  const { confirmedMs: createdMs, direct, addresses } = run.record;
  return newRecord({ material, role: 'initiator', createdMs, direct, addresses });
}

function pendingKey(run: InitiatorRun): PendingKey {
  return {
    state: 'pending',
    keyId: run.keyId,
    peer: toBase32(run.record.peer),
    approved: [...run.approved.keys()],
  };
}
