import { equalConstantTime, toHex } from '@symmetra/crypto';
import { echoQuorum } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import { NodeRefusal, codeOf, isTransportFailure } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import { Waiters } from '../session/waiters.js';
import type { Connection } from '../session/connection.js';
import type { Timers } from '../timers.js';
import type { DealOutcome, DealRecord } from './deal-record.js';
import type { DealSender } from './deal-sender.js';
import type { GroupStore } from './group-store.js';

const RETRY = { firstMs: 300, maxMs: 15_000 };
/** How long an epoch that enough nodes took may take to come, before they are asked again. */
const ARRIVAL_MS = 4000;
/** After so many times that it was in force and did not come, the nodes withhold it: somebody is out. */
const MAX_ARRIVALS = 2;
/** How long a node that did not take the deal yet is tried on, once the epoch is held. */
const GRACE_MS = 5000;
/** What a node may take later. */
const PASSING = new Set([
  'GROUP_BUSY',
  'STAGE_OUT_OF_ORDER',
  'NOT_ENROLLED',
  'DEVICE_UNKNOWN',
  'STEP_UNFINISHED',
]);
/** What a home that lies can make of any answer: it counts as a refusal only when the node said it in its session. */
const FORGEABLE = new Set([
  'STATE_LEFT',
  'AUTHENTICATION_FAILED',
  'MESSAGE_REPLAYED',
  'SESSION_EXHAUSTED',
  'BAD_ENCODING',
  'BAD_MESSAGE',
  'WRONG_VERSION',
]);
/** What a node may take later when another one takes it now: it is behind, or has not heard of a device yet. */
const LAGGING = new Set(['GROUP_BEHIND', 'GROUP_UNKNOWN', 'MEMBER_NOT_ENROLLED', 'STAGE_TOO_EARLY']);
const MAX_LAGGING = 4;
/** How long an epoch that is held waits for nodes that lag, and for those that have not answered. */
const LAGGING_MS = 2000;
const ANSWER_MS = 500;

/** What carrying a deal needs. */
export interface DealRunParts {
  readonly store: Pick<GroupStore, 'newest' | 'due' | 'changed'>;
  readonly connection: () => Pick<Connection, 'suspect'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** GRP-3: carries one deal to its nodes until its epoch is here or can not come. */
export class DealRun {
  readonly #parts: DealRunParts;
  readonly #sender: DealSender;
  readonly #deal: DealRecord;
  readonly #name: string;
  /** Whether the epoch is in force, by the nodes that took the deal. */
  readonly #taken = new Map<string, boolean>();
  /** How each of the others failed last, and how often. */
  readonly #failed = new Map<string, { readonly error: unknown; readonly times: number }>();
  readonly #bringing = new Set<Promise<void>>();
  readonly #progress = new Waiters();
  /** Until when nodes are tried, monotonic milliseconds. */
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(parts: DealRunParts, sender: DealSender, deal: DealRecord) {
    this.#parts = parts;
    this.#sender = sender;
    this.#deal = deal;
    this.#name = toHex(deal.groupId);
  }

  /** Why the deal has not come to its end. */
  failures(): readonly unknown[] {
    return Array.from(this.#failed.values(), ({ error }) => error);
  }

  /** @throws DEVICE_CLOSED */
  async carry(): Promise<DealOutcome> {
    const { timers } = this.#parts;
    try {
      const outcome = await this.#outcome();
      if (outcome.kind === 'held') await this.#laggards();
      this.#untilMs = outcome.kind === 'held' ? timers.monotonic() + GRACE_MS : 0;
      return outcome;
    } catch (error) {
      this.#untilMs = 0;
      throw error;
    }
  }

  /** Erases the shares of the deal, once none of them is on its way any more. */
  async erase(): Promise<void> {
    await Promise.allSettled(this.#bringing);
    for (const share of this.#deal.shares) share.wipe();
  }

  async #outcome(): Promise<DealOutcome> {
    const { connection, timers } = this.#parts;
    const { nodes, threshold } = this.#deal;
    const quorum = echoQuorum(nodes.length, threshold);
    this.#bringTo(nodes);
    void this.#watch();
    for (let arrivals = 0, askedMs = timers.monotonic(), out = this.#out(); ;) {
      const ended = this.#ended();
      if (ended !== undefined) return ended;
      const refusals = this.#refusals();
      if (nodes.length - refusals.length < quorum) return { kind: 'refused', refusals };
      await Promise.race([this.#progress.wait(), timers.sleep(ARRIVAL_MS)]);
      if (this.#ended() !== undefined) continue;
      if (this.#out() > out) {
        // Nodes give a deal up from whose roster somebody leaves.
        out = this.#out();
        this.#bringTo([...this.#taken.keys()]);
      }
      if (this.#taken.size < quorum) {
        askedMs = timers.monotonic();
      } else if (timers.monotonic() >= askedMs + ARRIVAL_MS) {
        askedMs = timers.monotonic();
        const inForce = [...this.#taken.values()].filter(Boolean).length;
        if (inForce >= threshold) arrivals += 1;
        if (arrivals > MAX_ARRIVALS) return { kind: 'withheld' };
        connection().suspect(nodes);
        this.#bringTo([...this.#taken.keys()]);
      }
    }
  }

  /** The epoch is held: nodes that are about to take it get a moment, so that all of them pass on what comes next. */
  async #laggards(): Promise<void> {
    const { timers } = this.#parts;
    const heldMs = timers.monotonic();
    const isAwaited = (nodeId: string): boolean => {
      const failed = this.#failed.get(nodeId);
      const passed = timers.monotonic() - heldMs;
      if (failed !== undefined) {
        return isLagging(failed.error) && mayPass(failed.error, failed.times) && passed < LAGGING_MS;
      }
      return !this.#taken.has(nodeId) && passed < ANSWER_MS;
    };
    while (this.#deal.nodes.some(isAwaited)) {
      await Promise.race([this.#progress.wait(), timers.sleep(ANSWER_MS / 5)]);
    }
  }

  /** What changes in the group is progress; one waits at a time, however long the deal takes. */
  async #watch(): Promise<void> {
    const { store, timers } = this.#parts;
    while (timers.monotonic() < this.#untilMs) {
      await store.changed(this.#name);
      this.#progress.release();
    }
  }

  #ended(): DealOutcome | undefined {
    const { store } = this.#parts;
    const newest = store.newest(this.#name);
    const { epoch, epochId } = this.#deal;
    if (newest !== undefined && newest.header.epoch >= epoch) {
      return { kind: equalConstantTime(newest.epochId, epochId) ? 'held' : 'overtaken' };
    }
    const due = store.due(this.#name);
    if (due === undefined || due.epoch < epoch) return undefined;
    if (!equalConstantTime(due.epochId, epochId)) return { kind: 'overtaken' };
    return due.out.length > 0 ? { kind: 'withheld' } : undefined;
  }

  /** How many are out, as far as it is known here. */
  #out(): number {
    return this.#parts.store.due(this.#name)?.out.length ?? 0;
  }

  /** What nodes will not take back. One that lags may follow those that took the deal, or that have not answered. */
  #refusals(): readonly unknown[] {
    const mayFollow = this.#taken.size > 0 || this.#failed.size < this.#deal.nodes.length;
    return [...this.#failed.values()]
      .filter(({ error, times }) => !mayPass(error, times) || (isLagging(error) && !mayFollow))
      .map(({ error }) => error);
  }

  #bringTo(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) {
      const bringing = this.#bring(nodeId).finally(() => this.#bringing.delete(bringing));
      this.#bringing.add(bringing);
    }
  }

  /** One node, until it takes the deal, or refuses it for good, or it is not needed any more. */
  async #bring(nodeId: string): Promise<void> {
    const { timers, random, logger } = this.#parts;
    for (let attempt = 1; timers.monotonic() < this.#untilMs; attempt++) {
      try {
        this.#taken.set(nodeId, await this.#sender.send(nodeId, this.#deal));
        this.#failed.delete(nodeId);
        this.#progress.release();
        return;
      } catch (error) {
        const code = codeOf(error);
        logger.info({ node: nodeId, epoch: this.#deal.epoch, attempt, code }, 'A node did not take a deal.');
        this.#failed.set(nodeId, { error, times: attempt });
        this.#taken.delete(nodeId);
        this.#progress.release();
        if (code === 'DEVICE_CLOSED' || !mayPass(error, attempt)) return;
      }
      const pause = pauseMs(RETRY, attempt - 1, fractionOf(random.bytes));
      if (await timers.sleep(pause).catch(() => true)) return;
    }
  }
}

function mayPass(error: unknown, times: number): boolean {
  if (isLagging(error)) return times < MAX_LAGGING;
  const code = codeOf(error);
  if (isTransportFailure(error) || PASSING.has(code)) return true;
  return FORGEABLE.has(code) && !(error instanceof NodeRefusal);
}

function isLagging(error: unknown): boolean {
  return LAGGING.has(codeOf(error));
}
