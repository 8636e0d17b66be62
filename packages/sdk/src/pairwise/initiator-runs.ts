import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import {
  MAX_IN_FLIGHT,
  coefficientLength,
  offered,
  receivePairAcknowledge,
  receiveRefusal,
  receiveResponse,
  requestSecrets,
  startNegotiation,
} from '@symmetra/protocol';
import type { PairConfirmed, PairRefuse, PairRequest, PairRequested } from '@symmetra/protocol';
import { asSymmetraError, codeOf } from '../failure.js';
import { newRecord } from '../keys/key-record.js';
import type { RowChange } from '../state/device-state.js';
import { deviceClosed } from '../timers.js';
import { InitiatorRun } from './initiator-run.js';
import type { RunRecord } from './initiator-run.js';
import { NodeApprovals } from './node-approvals.js';
import type { PairParts } from './pair-parts.js';

const PREFIX = 'run/';
const S_BYTES = 32;
/** Authentic answers that end a negotiation. */
const FINAL = new Set(['CONTINUITY_REQUIRED', 'BAD_RESPONSE']);

/** What a negotiation is asked to be; the rest follows from the descriptor and from policy. */
export interface RunRequest {
  readonly request: Omit<
    PairRequest,
    'initiator' | 'keyId' | 'continuity' | 'policyRevision' | 'descriptorVersion'
  >;
  readonly directKem: boolean;
  readonly mayGoDirect: boolean;
  readonly renews?: Uint8Array;
}

interface EndOptions {
  /** The owner of the device knows by other means. */
  readonly isTold?: boolean;
  /** Whether the reason holds for what the run has become. */
  readonly matches?: (run: InitiatorRun) => boolean;
}

/** The negotiations that this device begins (PAIR-1, PAIR-2, PAIR-8), each until it is finished or expires. */
export class InitiatorRuns {
  readonly #parts: PairParts;
  readonly #approvals: NodeApprovals;
  readonly #runs = new Map<string, InitiatorRun>();
  readonly #queues = new Map<string, (() => void)[]>();
  #closed = false;

  private constructor(parts: PairParts) {
    this.#parts = parts;
    this.#approvals = new NodeApprovals(parts, async (run, error) => {
      await this.#end(run, error);
    });
  }

  static async load(parts: PairParts): Promise<InitiatorRuns> {
    const runs = new InitiatorRuns(parts);
    for (const { value } of await parts.state.list<RunRecord>(PREFIX)) {
      const run = new InitiatorRun(value);
      runs.#runs.set(run.keyId, run);
    }
    return runs;
  }

  all(): readonly InitiatorRun[] {
    return [...this.#runs.values()];
  }

  /** Goes on with what a former process left. */
  resume(): void {
    for (const run of this.all()) {
      if (run.record.state.kind === 'requested') this.#approvals.ask(run, run.record.state);
      else this.#sendConfirm(run, run.record.state);
    }
  }

  /** Begins a negotiation; beyond the bound per peer it waits for its turn. Durable when fulfilled. */
  async start(request: RunRequest): Promise<InitiatorRun> {
    await this.#turn(toHex(request.request.responder));
    if (this.#closed) throw deviceClosed();
    const { context, random, continuity, descriptors, policies, nodeClock } = this.#parts;
    const { responder, suiteId, threshold, nodes, limits } = request.request;
    const keyId = random.bytes(16);
    const step = startNegotiation(
      context,
      {
        ...request.request,
        initiator: this.#parts.deviceId,
        keyId,
        descriptorVersion: descriptors.current.version,
        policyRevision: policies.revision,
        continuity: continuity.offers(responder),
      },
      {
        split: random.bytes(S_BYTES),
        coefficients: random.bytes(coefficientLength(threshold)),
        ...(request.directKem && { seed: random.bytes(context.suites.get(suiteId).kem.seedLength) }),
      },
    );
    const now = nodeClock.now();
    const run = new InitiatorRun({
      state: step.state,
      keyId,
      peer: responder,
      headerHash: step.state.headerHash,
      nodes,
      threshold,
      confirmedMs: 0,
      expiresMs: now + limits.lifetimeSeconds * 1000,
      addresses: [],
      mayGoDirect: request.mayGoDirect,
      direct: false,
      ...(request.renews !== undefined && { renews: request.renews }),
    });
    this.#runs.set(run.keyId, run);
    await run.changes.begin(async () => this.#ask(run, step.state));
    return run;
  }

  /** PAIR-2: the negotiation is durable before any node hears of it. */
  async #ask(run: InitiatorRun, state: PairRequested): Promise<void> {
    try {
      await this.#parts.state.commit([this.#row(run.record)]);
    } catch (error) {
      this.#remove(run);
      for (const secret of secretsOf(state)) secret.wipe();
      throw error;
    }
    if (run.isOver) return;
    const { mayGoDirect, peer, keyId, headerHash } = run.record;
    if (mayGoDirect) this.#parts.paths.greet(toHex(peer), keyId, headerHash);
    this.#approvals.ask(run, state);
  }

  /** PAIR-8: a response; only its exact copy gets the confirmation again. */
  async receiveResponse(keyId: string, bytes: Uint8Array, direct: boolean): Promise<void> {
    const run = this.#runs.get(keyId);
    if (run === undefined || run.changes.isUnderWay || run.isOver) return;
    const { state } = run.record;
    if (state.kind === 'confirmed') {
      if (equalConstantTime(state.response, bytes)) this.#parts.messenger.send(this.#outgoing(run, state));
      return;
    }
    try {
      await run.changes.begin(async () => this.#confirm(run, state, bytes, direct));
    } catch (error) {
      if (FINAL.has(codeOf(error))) await this.#end(run, asSymmetraError(error));
      else this.#parts.logger.warn({ keyId, code: codeOf(error) }, 'A response was dropped.');
    }
  }

  async #confirm(run: InitiatorRun, state: PairRequested, bytes: Uint8Array, direct: boolean): Promise<void> {
    const { context, continuity, nodeClock } = this.#parts;
    const { peer } = run.record;
    const step = receiveResponse(context, state, continuity.offers(peer), bytes);
    const record: RunRecord = { ...run.record, state: step.state, direct, confirmedMs: nodeClock.now() };
    await this.#parts.state.commit([this.#row(record), ...continuity.setOffers(peer, step.continuity)]);
    for (const secret of step.consumed) secret.wipe();
    if (run.isOver) {
      // The device was closed meanwhile; the next process sends the confirmation.
      for (const secret of secretsOf(step.state)) secret.wipe();
      return;
    }
    run.record = record;
    this.#sendConfirm(run, step.state);
  }

  /** PAIR-9: the acknowledgement; the key is active. */
  async receiveAcknowledge(keyId: string, bytes: Uint8Array): Promise<void> {
    const run = this.#runs.get(keyId);
    if (run === undefined || run.changes.isUnderWay || run.isOver) return;
    const { state } = run.record;
    if (state.kind !== 'confirmed') return;
    try {
      await run.changes.begin(async () => this.#finish(run, state, bytes));
    } catch (error) {
      this.#parts.logger.warn({ keyId, code: codeOf(error) }, 'An acknowledgement was dropped.');
    }
  }

  async #finish(run: InitiatorRun, state: PairConfirmed, bytes: Uint8Array): Promise<void> {
    const { continuity, keys } = this.#parts;
    const { confirmedMs: createdMs, direct, addresses, peer } = run.record;
    const step = receivePairAcknowledge(state, continuity.offers(peer), bytes);
    const record = newRecord({ material: step.state.key, role: 'initiator', createdMs, direct, addresses });
    await this.#parts.state.commit([
      keys.row(record),
      { key: PREFIX + run.keyId, value: null },
      ...continuity.setOffers(peer, step.continuity),
      ...this.#renewedRow(run),
    ]);
    for (const secret of step.consumed) secret.wipe();
    // The device was closed meanwhile; the next process finds the key.
    if (run.isOver) return;
    keys.adopt(record);
    this.#remove(run);
    this.#parts.onKey(record);
    run.finish();
  }

  /** PAIR-7: an authentic refusal ends the negotiation. */
  async receiveRefusal(keyId: string, message: PairRefuse): Promise<void> {
    const run = this.#runs.get(keyId);
    if (run === undefined || run.changes.isUnderWay || run.isOver) return;
    const { state } = run.record;
    if (state.kind !== 'requested') return;
    try {
      const code = receiveRefusal(this.#parts.context, state, message);
      await this.#end(run, new SymmetraError(code, 'the peer refuses the key', { keyId }));
    } catch (error) {
      this.#parts.logger.warn({ keyId, code: codeOf(error) }, 'A refusal was dropped.');
    }
  }

  /** Ends negotiations that took too long. @returns when the next one does, node time */
  async sweep(nowMs: number): Promise<number> {
    for (const run of this.all()) {
      if (run.record.expiresMs > nowMs) continue;
      await this.#end(
        run,
        new SymmetraError('KEY_EXPIRED', 'the peer did not answer in time', { keyId: run.keyId }),
      );
    }
    return Math.min(...this.all().map((run) => run.record.expiresMs));
  }

  /**
   * Gives negotiations up, for example because the peer was revoked. One whose acknowledgement is being written becomes
   * a key, which the caller then finds among the keys.
   * @returns the key ids of those that were given up
   */
  async abandon(matches: (run: InitiatorRun) => boolean, error: SymmetraError): Promise<readonly string[]> {
    const given: string[] = [];
    // Runs that begin meanwhile are met too.
    for (const run of this.#runs.values()) {
      if (matches(run) && (await this.#end(run, error, { isTold: true, matches }))) given.push(run.keyId);
    }
    return given;
  }

  /** Ends all waiting and erases the secrets from memory; the rows stay. */
  close(): void {
    this.#closed = true;
    for (const run of this.all()) {
      run.isOver = true;
      run.giveUp(deviceClosed());
      for (const secret of secretsOf(run.record.state)) secret.wipe();
    }
    for (const queue of this.#queues.values()) for (const next of queue) next();
    this.#runs.clear();
  }

  #sendConfirm(run: InitiatorRun, state: PairConfirmed): void {
    this.#parts.messenger.repeat(this.#outgoing(run, state));
  }

  #outgoing(run: InitiatorRun, state: PairConfirmed) {
    const { headerHash, peer } = run.record;
    return { keyId: run.keyId, headerHash, peer, message: state.confirm };
  }

  #renewedRow(run: InitiatorRun): readonly RowChange[] {
    const { renews, keyId } = run.record;
    const old = renews && this.#parts.keys.get(toHex(renews));
    if (old === undefined) return [];
    const record = { ...old, renewedBy: keyId };
    this.#parts.keys.adopt(record);
    return [this.#parts.keys.row(record)];
  }

  /** Ends a negotiation without a key, after what is being written. @returns false when there is no reason any more */
  async #end(
    run: InitiatorRun,
    error: SymmetraError,
    { isTold = false, matches = () => true }: EndOptions = {},
  ): Promise<boolean> {
    return run.changes.next(async () => {
      if (run.isOver || !matches(run)) return false;
      await this.#fail(run, error, isTold);
      return true;
    });
  }

  async #fail(run: InitiatorRun, error: SymmetraError, isTold: boolean): Promise<void> {
    run.isOver = true;
    run.wasOvertaken = error.code === 'CONTINUITY_REQUIRED' && this.#isOvertaken(run);
    const { ended, state, nodeClock } = this.#parts;
    const ending = ended.end(run.record.keyId, run.record.peer, error.code, nodeClock.now());
    ended.adopt([ending]);
    try {
      await state.insist([{ key: PREFIX + run.keyId, value: null }, ending]);
    } catch (error_) {
      this.#parts.onFailure(error_);
    }
    this.#remove(run);
    for (const secret of secretsOf(run.record.state)) secret.wipe();
    if (!run.isAwaited && !isTold) this.#parts.onGivenUp(run.keyId, error);
    run.giveUp(error);
  }

  /** PAIR-8: whether other negotiations changed what this device holds since it made its offers. */
  #isOvertaken({ record: { state, peer } }: InitiatorRun): boolean {
    if (state.kind !== 'requested') return false;
    const now = offered(this.#parts.continuity.offers(peer));
    return !state.offered.some((old) => now.some((entry) => equalConstantTime(entry.id, old.id)));
  }

  #remove(run: InitiatorRun): void {
    run.isOver = true;
    this.#runs.delete(run.keyId);
    this.#parts.messenger.stop(run.keyId);
    this.#parts.paths.drop(run.keyId);
    const peer = toHex(run.record.peer);
    const queue = this.#queues.get(peer);
    queue?.shift()?.();
    if (queue?.length === 0) this.#queues.delete(peer);
  }

  /** PAIR-5: at most {@link MAX_IN_FLIGHT} unfinished negotiations with one peer. */
  async #turn(peer: string): Promise<void> {
    while (this.all().filter((run) => toHex(run.record.peer) === peer).length >= MAX_IN_FLIGHT) {
      await new Promise<void>((resolve) => {
        const queue = this.#queues.get(peer) ?? [];
        queue.push(resolve);
        this.#queues.set(peer, queue);
      });
    }
  }

  #row(record: RunRecord): RowChange {
    return { key: PREFIX + toHex(record.keyId), value: record };
  }
}

function secretsOf(state: PairRequested | PairConfirmed): readonly { wipe(): void }[] {
  if (state.kind === 'requested') return requestSecrets(state);
  return [state.key.applicationKey, state.key.tlsKey, state.continuity.secret];
}
