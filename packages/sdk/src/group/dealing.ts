import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import { dealEpoch, decodeGroupHeader, groupCoinLength, strictest } from '@symmetra/protocol';
import type { ProtocolContext } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { fractionOf } from '../backoff.js';
import { codeOf, mostTelling } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { Policies } from '../network/policies.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { DeviceState } from '../state/device-state.js';
import type { Timers } from '../timers.js';
import { NO_CHANGE, isNothing, planFirst, remaining } from './deal-plan.js';
import type { DealPlan, GroupChange } from './deal-plan.js';
import { DealPlanner } from './deal-planner.js';
import { dealRecord } from './deal-record.js';
import type { DealOutcome, DealRecord } from './deal-record.js';
import { DealRun } from './deal-run.js';
import { DealSender } from './deal-sender.js';
import { DealTurns, groupPending } from './deal-turns.js';
import { GroupGone, newestBase } from './group-base.js';
import type { GroupBase } from './group-base.js';
import type { GroupWish } from './group-options.js';
import type { GroupStore } from './group-store.js';
import { isReplanned, namedOut, newestNamed } from './refusals.js';
import { Rosters } from './rosters.js';

const PREFIX = 'group-deal/';
const MAX_PLANS = 8;
/** GRP-11: the pause before another epoch is dealt grows with the place in the order. */
const CONFLICT_MS = 400;
const SECRET_LENGTH = 32;
/** How long an epoch of another dealer may take to come, before the nodes are asked again. */
const ARRIVAL_MS = 3000;
const MAX_ARRIVALS = 3;
/** What dealing needs. */
export interface DealingParts {
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly state: DeviceState;
  readonly store: GroupStore;
  readonly descriptors: Pick<Descriptors, 'current' | 'refresh'>;
  readonly policies: Pick<Policies, 'current' | 'revision' | 'suiteFor'>;
  readonly connection: () => Pick<Connection, 'call' | 'suspect'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** This device is in a group no more, as q nodes say. */
  readonly onGone: (groupId: string) => void;
  /** A deal that nobody waits for did not come about. */
  readonly onFailure: (error: unknown) => void;
}

/** GRP-3: deals epochs of groups, one after the other in each group. */
export class Dealing {
  readonly #parts: DealingParts;
  readonly #sender: DealSender;
  readonly #rosters: Rosters;
  readonly #planner: DealPlanner;
  readonly #runs = new Map<string, DealRun>();
  readonly #turns: DealTurns;
  /** The groups in which another epoch is dealt by schedule, or because somebody is out. */
  readonly #following = new Set<string>();

  constructor(parts: DealingParts) {
    this.#parts = parts;
    this.#sender = new DealSender(parts.connection);
    this.#rosters = new Rosters(parts.connection);
    this.#planner = new DealPlanner(parts, this.#rosters);
    this.#turns = new DealTurns(parts);
  }

  /** Makes a group. @returns its id @throws as {@link Dealing.change} */
  async create(wish: GroupWish, suiteId: number): Promise<Uint8Array> {
    const groupId = this.#parts.random.bytes(16);
    await this.#turns.awaited(
      toHex(groupId),
      async () => this.#create(groupId, wish, suiteId),
      () => this.#failuresOf(groupId),
    );
    return groupId;
  }

  /**
   * Deals an epoch that makes a change, and goes on until this device holds one that has it.
   * @throws MEMBER_UNKNOWN, MEMBER_TWICE, GROUP_EMPTY, GROUP_TOO_LARGE; the nodes' code when they refuse; GROUP_PENDING
   *   when it takes longer: the deal goes on then
   */
  async change(groupId: Uint8Array, change: GroupChange): Promise<void> {
    await this.#turns.awaited(
      toHex(groupId),
      async () => this.#change(groupId, change, true),
      () => this.#failuresOf(groupId),
    );
  }

  /** GRP-10: deals the epoch that follows one, without those that are out, unless a newer one comes before. */
  follow(groupId: Uint8Array, epoch: number): void {
    const name = toHex(groupId);
    if (this.#following.has(name)) return;
    this.#following.add(name);
    this.#turns.unawaited(name, async () => {
      try {
        if ((this.#parts.store.newest(name)?.header.epoch ?? 0) > epoch) return;
        await this.#change(groupId, NO_CHANGE, false);
      } catch (error) {
        if (!(error instanceof GroupGone)) throw error;
        this.#parts.onGone(name);
      } finally {
        this.#following.delete(name);
      }
    });
  }

  /** Goes on with the deals of an earlier process. */
  async resume(): Promise<void> {
    for (const { value: deal } of await this.#parts.state.list<DealRecord>(PREFIX)) {
      this.#turns.unawaited(toHex(deal.groupId), async () => this.#goOn(deal));
    }
  }

  /** A group is over for this device. */
  async forget(groupId: string): Promise<void> {
    this.#rosters.forget(groupId);
    await this.#parts.state.commit([{ key: PREFIX + groupId, value: null }]);
  }

  async #create(groupId: Uint8Array, wish: GroupWish, suiteId: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      // A node that took an earlier deal takes no other one of its number.
      const plan = planFirst(groupId, wish, attempt);
      const outcome = await this.#deal(plan, suiteId);
      if (outcome.kind === 'withheld') throw groupPending();
      if (outcome.kind !== 'refused') return;
      const error = mostTelling(outcome.refusals);
      if (codeOf(error) !== 'DESCRIPTOR_OLD' || attempt === MAX_PLANS) throw error;
      await this.#followDescriptor();
    }
  }

  /** @param strict whether a change that the group has already is an error */
  async #change(groupId: Uint8Array, asked: GroupChange, strict: boolean): Promise<void> {
    const { policies, store } = this.#parts;
    const name = toHex(groupId);
    let base = store.newest(name) ?? (await newestBase(this.#parts, groupId, undefined));
    let change = asked;
    const named = new Set<string>();
    const first = base.header.epoch;
    for (let attempt = 1, floor = first, removed = 0, behind = 0; ; attempt++) {
      if (!this.#mayDeal(base, strict)) return;
      const request = { change, floor, named, strict: strict && attempt === 1 };
      let plan: DealPlan;
      try {
        plan = await this.#planner.plan(base, request);
      } catch (error) {
        if (codeOf(error) !== 'GROUP_BEHIND') throw error;
        // What this device holds is not in force any more; what is may be suspended, and come to nobody.
        base = await newestBase(this.#parts, groupId, base, behind);
        plan = await this.#planner.plan(base, request);
      }
      const isDone = !isNothing(asked) || base.header.epoch > first;
      if (isNothing(plan) && attempt > 1 && isDone) {
        await this.#arrival(base);
        return;
      }
      const outcome = await this.#deal(plan, policies.suiteFor(base.header.suiteId));
      if (outcome.kind === 'held') {
        if (isNothing(plan.rest)) return;
        change = plan.rest;
      } else if (outcome.kind === 'refused') {
        const error = mostTelling(outcome.refusals);
        const isFarther = plan.removed.length > removed;
        if (!isReplanned(error.code) || (attempt >= MAX_PLANS && !isFarther)) throw error;
        removed = Math.max(removed, plan.removed.length);
        for (const device of namedOut(outcome.refusals)) named.add(device);
        if (error.code === 'DESCRIPTOR_OLD') await this.#followDescriptor();
        // A node that took this deal takes no other one of its number.
        floor = Math.max(plan.header.epoch, newestNamed(outcome.refusals, base));
        if (error.code === 'GROUP_BEHIND') behind += 1;
        await this.#pause(base);
      } else if (attempt >= MAX_PLANS) {
        throw groupPending();
      }
      base = await newestBase(this.#parts, groupId, base, behind);
    }
  }

  /** Takes up a deal of an earlier process; when it does not come about, what it changed is planned anew. */
  async #goOn(deal: DealRecord): Promise<void> {
    const outcome = await this.#carry(deal);
    const isFirst = decodeGroupHeader(this.#parts.context, deal.header).previous.length === 0;
    if (outcome.kind === 'held' || isFirst) {
      if (outcome.kind === 'refused') throw mostTelling(outcome.refusals);
      return;
    }
    const base = await newestBase(this.#parts, deal.groupId, undefined);
    const change = remaining(await this.#rosters.of(base), deal);
    if (!isNothing(change)) await this.#change(deal.groupId, change, false);
  }

  /** Deals, persists the deal, and carries it to its end. What policy allows no more, a later epoch asks for no more. */
  async #deal(plan: DealPlan, suiteId: number): Promise<DealOutcome> {
    const { context, deviceId, state, descriptors, policies, random } = this.#parts;
    const { nodes, threshold, version } = descriptors.current;
    const { groupId, previous, limits } = plan.header;
    const nodeIds = nodes.map(({ id }) => id);
    const deal = dealEpoch(
      context,
      {
        ...plan.header,
        limits: previous.length === 0 ? limits : strictest([limits, policies.current.maximum]),
        suiteId,
        dealer: deviceId,
        threshold,
        nodes: nodeIds,
        descriptorVersion: version,
        policyRevision: policies.revision,
      },
      { secret: random.bytes(SECRET_LENGTH), coins: random.bytes(groupCoinLength(threshold)) },
    );
    const record = dealRecord(plan, deal, { nodes: nodeIds, threshold });
    await state.commit([{ key: PREFIX + toHex(groupId), value: record }]);
    const outcome = await this.#carry(record);
    if (outcome.kind === 'held' && plan.roster !== undefined) {
      plan.roster.before.apply(plan.roster.changes);
      this.#rosters.keep(toHex(groupId), plan.roster.before);
    }
    return outcome;
  }

  /** The deal is erased when it is over; its shares, when none is on its way any more. */
  async #carry(deal: DealRecord): Promise<DealOutcome> {
    const { state, logger } = this.#parts;
    const name = toHex(deal.groupId);
    const run = new DealRun(this.#parts, this.#sender, deal);
    this.#runs.set(name, run);
    try {
      const outcome = await run.carry();
      await state.commit([{ key: PREFIX + name, value: null }]);
      logger.info({ group: name, epoch: deal.epoch, state: outcome.kind }, 'A deal is over.');
      return outcome;
    } finally {
      this.#runs.delete(name);
      void run.erase();
    }
  }

  /** GRP-10: a manager deals; others only when their turn has come. @throws GROUP_NOT_MANAGER when it is asked for */
  #mayDeal({ header }: GroupBase, asked: boolean): boolean {
    const { deviceId, store } = this.#parts;
    if (header.managers.some((id) => equalConstantTime(id, deviceId))) return true;
    if (!asked) return store.due(toHex(header.groupId))?.turn !== undefined;
    throw new SymmetraError('GROUP_NOT_MANAGER', 'this device is no manager of the group', {
      groupId: toHex(header.groupId),
    });
  }

  /** An epoch that others dealt is in force, and on its way here. @throws GROUP_PENDING */
  async #arrival({ header }: GroupBase): Promise<void> {
    const { store, connection, timers } = this.#parts;
    const name = toHex(header.groupId);
    for (let asked = 0; (store.newest(name)?.header.epoch ?? 0) < header.epoch; asked++) {
      if (asked > MAX_ARRIVALS) throw groupPending();
      connection().suspect(header.nodes);
      await Promise.race([store.changed(name), timers.sleep(ARRIVAL_MS)]);
    }
  }

  /** GRP-11: a random time that grows with the place among the managers. */
  async #pause({ header }: GroupBase): Promise<void> {
    const { timers, random, deviceId } = this.#parts;
    const place = header.managers.findIndex((id) => equalConstantTime(id, deviceId));
    const steps = (place === -1 ? header.managers.length : place) + 1;
    await timers.sleep(CONFLICT_MS * steps * fractionOf(random.bytes));
  }

  /** Why a deal that is under way has not come to its end. */
  #failuresOf(groupId: Uint8Array): readonly unknown[] {
    return this.#runs.get(toHex(groupId))?.failures() ?? [];
  }

  async #followDescriptor(): Promise<void> {
    const { descriptors } = this.#parts;
    await descriptors.refresh([], descriptors.current.version + 1);
  }
}
