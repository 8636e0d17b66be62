import { toHex } from '@symmetra/crypto';
import type { SymmetraError } from '@symmetra/crypto';
import { checkDelivery, decodeHeader, receiveConfirm, respond, strictest } from '@symmetra/protocol';
import type { CheckedDelivery, DeliveryFields, Header, PairRefused } from '@symmetra/protocol';
import { codeOf } from '../failure.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { RowChange } from '../state/device-state.js';
import { DeliveryJudge, badDeliveryOf } from './delivery-judge.js';
import type { Agreed } from './delivery-judge.js';
import { Gathering } from './gathering.js';
import type { PairParts } from './pair-parts.js';
import { outgoingResponse, recordOf, wipeState } from './responder-run.js';
import type { ResponderRun, ResponseRecord } from './responder-run.js';
import { RunChanges } from './run-changes.js';

const PREFIX = 'response/';
/** How long a response waits for the initiator to open the direct path. */
const DIRECT_GRACE_MS = 100;
/** PAIR-7: pauses before a refusal is sent again. Nobody acknowledges it, and the initiator may be out of reach for a while. */
const REFUSE_AGAIN_MS: readonly number[] = [3000, 10_000, 30_000, 90_000, 270_000];

/** A delivery as a node's event brings it. */
export interface Delivery extends DeliveryFields {
  /** Where the initiator is reachable, host:port. */
  readonly addresses: readonly string[];
}

/** The negotiations that this device answers (PAIR-5 to PAIR-7, PAIR-9). */
export class ResponderRuns {
  readonly #parts: PairParts;
  readonly #judge: DeliveryJudge;
  readonly #gathering: Gathering;
  readonly #runs = new Map<string, ResponderRun>();
  /** The keys whose answers are being written. */
  readonly #answering = new Map<string, Agreed>();

  private constructor(parts: PairParts) {
    this.#parts = parts;
    this.#judge = new DeliveryJudge(parts);
    this.#gathering = new Gathering(parts.timers);
  }

  static async load(parts: PairParts): Promise<ResponderRuns> {
    const runs = new ResponderRuns(parts);
    for (const { name, value } of await parts.state.list<ResponseRecord>(PREFIX)) {
      runs.#runs.set(name, { keyId: name, record: value, changes: new RunChanges() });
    }
    return runs;
  }

  /** Goes on with what a former process left. */
  resume(): void {
    const { ended, messenger, nodeClock } = this.#parts;
    for (const run of this.#runs.values()) messenger.repeat(outgoingResponse(run));
    for (const keyId of ended.refusedSince(nodeClock.now() - sum(REFUSE_AGAIN_MS))) this.#refuseLater(keyId);
  }

  /** The keys that wait for the initiator's confirmation. */
  all(): readonly KeyRecord[] {
    return [...this.#runs.values()].map(({ record }) => recordOf(record, false));
  }

  /** PAIR-5: a delivery of one node. */
  async deliver(nodeId: string, delivery: Delivery): Promise<void> {
    const checked = await this.#check(nodeId, delivery);
    if (checked === undefined) return;
    const { header } = checked;
    const keyId = toHex(header.keyId);
    this.#judge.arrived(checked);
    const known = this.#agreedOn(keyId);
    if (known !== undefined) {
      this.#parts.acknowledger.add(nodeId, header.keyId);
      this.#judge.late(checked, known);
      checked.share.wipe();
      return;
    }
    const ended = this.#parts.ended.get(keyId);
    if (ended !== undefined) {
      this.#parts.acknowledger.add(nodeId, header.keyId);
      checked.share.wipe();
      this.#refuseAgain(keyId);
      return;
    }
    this.#expectOthers(header);
    const { addresses } = delivery;
    const quorum = this.#gathering.add(checked, (divided) => {
      this.#answer(divided, addresses).catch(this.#parts.onFailure);
    });
    if (quorum !== undefined) await this.#answer(quorum, addresses);
  }

  /** The initiator opened the direct path for a negotiation. */
  hello(keyId: string): void {
    this.#parts.messenger.hurry(keyId);
    this.#refuseAgain(keyId);
  }

  /** PAIR-9: a confirmation; a repeated one gets the same acknowledgement. */
  async receiveConfirm(keyId: string, bytes: Uint8Array, direct: boolean): Promise<void> {
    const run = this.#runs.get(keyId);
    try {
      if (run === undefined) this.#acknowledgeAgain(keyId, bytes);
      else if (!run.changes.isUnderWay) {
        await run.changes.begin(async () => this.#confirm(run, bytes, direct));
      }
    } catch (error) {
      this.#parts.logger.warn({ keyId, code: codeOf(error) }, 'A confirmation was dropped.');
      if (run !== undefined && codeOf(error) === 'CONTINUITY_REQUIRED') await this.#end(run, codeOf(error));
    }
  }

  /** Ends runs whose initiator never confirmed. @returns when the next one ends, node time */
  async sweep(nowMs: number): Promise<number> {
    for (const run of this.#runs.values()) {
      if (run.record.expiresMs <= nowMs) await this.#end(run, 'KEY_EXPIRED');
    }
    return Math.min(...[...this.#runs.values()].map((run) => run.record.expiresMs));
  }

  /**
   * Gives runs up, for example because the peer was revoked. One whose confirmation is being written becomes a key, which
   * the caller then finds among the keys.
   * @returns the key ids of those that were given up
   */
  async abandon(
    matches: (keyId: string, peer: Uint8Array) => boolean,
    error: SymmetraError,
  ): Promise<readonly string[]> {
    const given: string[] = [];
    // Runs that begin meanwhile are met too.
    for (const run of this.#runs.values()) {
      const isMeant = matches(run.keyId, run.record.state.key.initiator);
      if (isMeant && (await this.#end(run, error.code))) given.push(run.keyId);
    }
    return given;
  }

  /** Erases the secrets from memory; the rows stay. */
  close(): void {
    this.#gathering.close();
    for (const { record } of this.#runs.values()) wipeState(record.state);
    this.#runs.clear();
  }

  /** PAIR-5: one delivery by itself. A bad one is reported when the others tell what it should have been. */
  async #check(nodeId: string, delivery: Delivery): Promise<CheckedDelivery | undefined> {
    const { context, policies, deviceId, descriptors, acknowledger, logger } = this.#parts;
    let header: Header;
    try {
      header = decodeHeader(context, delivery.header);
      const { descriptorVersion } = header;
      if (descriptorVersion > descriptors.current.version) await descriptors.refresh([], descriptorVersion);
    } catch (error) {
      logger.warn({ node: nodeId, code: codeOf(error) }, 'A delivery was dropped.');
      return undefined;
    }
    try {
      return checkDelivery(context, policies.floors(deviceId), nodeId, delivery);
    } catch (error) {
      const keyId = toHex(header.keyId);
      logger.warn({ node: nodeId, keyId, code: codeOf(error) }, 'A delivery was dropped.');
      acknowledger.add(nodeId, header.keyId);
      const reason = badDeliveryOf(codeOf(error));
      if (reason === undefined) return undefined;
      const known = this.#agreedOn(keyId);
      if (known !== undefined) this.#judge.bad(header, nodeId, reason, known.headerHash);
      else {
        this.#expectOthers(header);
        this.#gathering.addBad(keyId, nodeId, reason);
      }
      return undefined;
    }
  }

  /** PAIR-6, PAIR-7: rebuilds S and answers. */
  async #answer(quorum: readonly CheckedDelivery[], addresses: readonly string[]): Promise<void> {
    const [first] = quorum;
    if (first === undefined) return;
    const { context, policies, deviceId, random, continuity, nodeClock } = this.#parts;
    const { header } = first;
    const keyId = toHex(header.keyId);
    const { good, bad } = this.#gathering.take(keyId);
    const { kem } = context.suites.get(header.suiteId);
    const held = continuity.held(header.initiator);
    const fresh = { nonce: random.bytes(32), coins: random.bytes(kem.coinsLength) };
    const step = respond(context, policies.floors(deviceId), quorum, held, fresh);
    const { state } = step;
    // Before anything is awaited: what comes from now on is late, and not missing.
    const agreed = { headerHash: first.headerHash, limits: strictest(quorum.map(({ granted }) => granted)) };
    this.#answering.set(keyId, agreed);
    this.#judge.judge(header, agreed, [...good.values()], bad);
    try {
      if (state.kind === 'refused') await this.#refuse(header, state, step.output);
      else {
        const createdMs = nodeClock.now();
        const expiresMs = createdMs + state.key.limits.lifetimeSeconds * 1000;
        const record = { state, createdMs, expiresMs, addresses };
        const run = { keyId, record, changes: new RunChanges() };
        this.#runs.set(keyId, run);
        const rows = continuity.setHeld(header.initiator, step.held);
        await run.changes.begin(async () => this.#send(run, rows));
      }
    } catch (error) {
      this.#parts.onFailure(error);
      return;
    } finally {
      this.#answering.delete(keyId);
    }
    for (const secret of step.consumed) secret.wipe();
    for (const nodeId of good.keys()) this.#parts.acknowledger.add(nodeId, header.keyId);
  }

  /** PAIR-7: the response, durable before it leaves. */
  async #send(run: ResponderRun, rows: readonly RowChange[]): Promise<void> {
    const { state, messenger, isListening } = this.#parts;
    try {
      await state.commit([{ key: PREFIX + run.keyId, value: run.record }, ...rows]);
    } catch (error) {
      this.#runs.delete(run.keyId);
      wipeState(run.record.state);
      throw error;
    }
    if (this.#isUnderWay(run)) messenger.repeat(outgoingResponse(run), isListening() ? DIRECT_GRACE_MS : 0);
  }

  /** PAIR-7: tells the initiator why there will be no key. */
  async #refuse(header: Header, state: PairRefused, message: Uint8Array): Promise<void> {
    const { ended, nodeClock } = this.#parts;
    const keyId = toHex(header.keyId);
    this.#parts.logger.info({ keyId, code: state.code }, 'A key was refused.');
    const ending = ended.end(header.keyId, header.initiator, state.code, nodeClock.now(), {
      message,
      headerHash: state.headerHash,
    });
    await this.#parts.state.commit([ending]);
    ended.adopt([ending]);
    this.#refuseAgain(keyId);
    this.#refuseLater(keyId);
  }

  #refuseLater(keyId: string, [pauseMs, ...later] = REFUSE_AGAIN_MS): void {
    if (pauseMs === undefined) return;
    this.#parts.timers.set(pauseMs, () => {
      this.#refuseAgain(keyId);
      this.#refuseLater(keyId, later);
    });
  }

  #refuseAgain(keyId: string): void {
    const ended = this.#parts.ended.get(keyId);
    if (ended?.refusal === undefined) return;
    this.#parts.messenger.send({ keyId, peer: ended.peer, ...ended.refusal });
  }

  async #confirm(run: ResponderRun, bytes: Uint8Array, direct: boolean): Promise<void> {
    const { continuity, keys, messenger } = this.#parts;
    const { state } = run.record;
    const peer = state.key.initiator;
    const step = receiveConfirm(state, continuity.held(peer), bytes);
    const record = recordOf(run.record, direct);
    await this.#parts.state.commit([
      keys.row(record),
      { key: PREFIX + run.keyId, value: null },
      ...continuity.setHeld(peer, step.held),
    ]);
    for (const secret of step.consumed) secret.wipe();
    // The device was closed meanwhile; the next process finds the key.
    if (!this.#isUnderWay(run)) return;
    keys.adopt(record);
    this.#runs.delete(run.keyId);
    messenger.stop(run.keyId);
    messenger.send({ keyId: run.keyId, headerHash: state.headerHash, peer, message: step.output });
    this.#parts.onKey(record);
  }

  #acknowledgeAgain(keyId: string, bytes: Uint8Array): void {
    const record = this.#parts.keys.get(keyId);
    if (record?.held === undefined) return;
    const { held, material } = record;
    const step = receiveConfirm({ kind: 'held', ...held, key: material }, [], bytes);
    const { headerHash } = held;
    this.#parts.messenger.send({ keyId, headerHash, peer: material.initiator, message: step.output });
  }

  /** Ends a run without a key, after what is being written. @returns false when it is over by then */
  async #end(run: ResponderRun, reason: string): Promise<boolean> {
    return run.changes.next(async () => {
      if (!this.#isUnderWay(run)) return false;
      const { ended, nodeClock, state, messenger } = this.#parts;
      const { key } = run.record.state;
      const ending = ended.end(key.keyId, key.initiator, reason, nodeClock.now());
      messenger.stop(run.keyId);
      await state.commit([{ key: PREFIX + run.keyId, value: null }, ending]);
      // Only now: a run that could not be ended is there to be ended again.
      this.#runs.delete(run.keyId);
      ended.adopt([ending]);
      wipeState(run.record.state);
      return true;
    });
  }

  /** Neither confirmed nor ended, and the device is open. */
  #isUnderWay(run: ResponderRun): boolean {
    return this.#runs.get(run.keyId) === run;
  }

  /** The first delivery of a key, good or bad, came: others must follow. */
  #expectOthers(header: Header): void {
    const keyId = toHex(header.keyId);
    if (this.#gathering.has(keyId)) return;
    this.#judge.expect(header, () => this.#arrived(keyId, header.nodes));
  }

  /** The nodes of which nothing is missing: for a key that is answered, those that nobody waits for any more. */
  #arrived(keyId: string, nodes: readonly string[]): readonly string[] {
    if (this.#agreedOn(keyId) === undefined) return this.#gathering.nodesOf(keyId);
    const awaited = this.#judge.awaited(keyId);
    return nodes.filter((nodeId) => !awaited.has(nodeId));
  }

  /** What a key that is answered was agreed on by. */
  #agreedOn(keyId: string): Agreed | undefined {
    const state = this.#runs.get(keyId)?.record.state;
    if (state !== undefined) return { headerHash: state.headerHash, limits: state.key.limits };
    const { held, material } = this.#parts.keys.get(keyId) ?? {};
    if (held === undefined || material === undefined) return this.#answering.get(keyId);
    return { headerHash: held.headerHash, limits: material.limits };
  }
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}
