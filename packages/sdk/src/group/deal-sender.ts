import { concat, equalConstantTime, toHex } from '@symmetra/crypto';
import { echoQuorum } from '@symmetra/protocol';
import type { Share } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import { codeOf, isTransportFailure } from '../failure.js';
import { Lane } from '../lane.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { Timers } from '../timers.js';
import type { DealOutcome, DealRecord } from './deal-record.js';
import type { GroupStore } from './group-store.js';

const STAGE = '/symmetra.group.v1.GroupService/Stage';
const DEAL = '/symmetra.group.v1.GroupService/Deal';
/** Most device ids of one deal that is not staged, and of one staged part. */
const MAX_UNSTAGED = 512;
const MAX_PART = 1000;
const RETRY = { firstMs: 300, maxMs: 15_000 };
/** How long an epoch that enough nodes took may take to come, before they are asked again. */
const ARRIVAL_MS = 4000;
/** After so many rounds in which it was in force and did not come, the nodes withhold it: somebody is out. */
const MAX_ARRIVAL_ROUNDS = 2;
/** How often a node that is behind is asked again, while another one takes the deal (GRP-11). */
const MAX_BEHIND_ROUNDS = 4;
/** What a node may take later. */
const PASSING = new Set([
  'GROUP_BUSY',
  'STAGE_OUT_OF_ORDER',
  'NOT_ENROLLED',
  'DEVICE_UNKNOWN',
  'STEP_UNFINISHED',
]);

/** What sending deals needs. */
export interface DealSenderParts {
  readonly store: Pick<GroupStore, 'newest' | 'changed'>;
  readonly connection: () => Pick<Connection, 'call' | 'suspect'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** How the nodes stand to a deal. */
interface Answers {
  /** Whether the epoch is in force, by the nodes that took the deal. */
  readonly taken: Map<string, boolean>;
  readonly failures: Map<string, unknown>;
}

/** GRP-3: takes a deal to its nodes, the same bytes each time, until its epoch is here or can not come. */
export class DealSender {
  readonly #parts: DealSenderParts;
  /** A node keeps one staged roster of this device at a time. */
  readonly #staging = new Map<string, Lane>();
  readonly #failures = new Map<string, readonly unknown[]>();

  constructor(parts: DealSenderParts) {
    this.#parts = parts;
  }

  /** Why a deal of a group that is under way has not come to its end. */
  failuresOf(groupId: string): readonly unknown[] {
    return this.#failures.get(groupId) ?? [];
  }

  /** @throws DEVICE_CLOSED */
  async carry(deal: DealRecord): Promise<DealOutcome> {
    const groupId = toHex(deal.groupId);
    try {
      return await this.#carry(groupId, deal);
    } finally {
      this.#failures.delete(groupId);
    }
  }

  async #carry(groupId: string, deal: DealRecord): Promise<DealOutcome> {
    const { connection, random } = this.#parts;
    const { nodes, threshold } = deal;
    const quorum = echoQuorum(nodes.length, threshold);
    const answers: Answers = { taken: new Map(), failures: new Map() };
    for (let round = 0, arrivals = 0; ; round++) {
      const ended = this.#ended(groupId, deal);
      if (ended !== undefined) return ended;
      await Promise.all(
        nodes.map(async (nodeId, place) => {
          if (!answers.taken.has(nodeId)) await this.#sendTo(nodeId, place, deal, answers);
        }),
      );
      this.#failures.set(groupId, [...answers.failures.values()]);
      const mayFollow = answers.taken.size > 0 && round < MAX_BEHIND_ROUNDS;
      const refusals = [...answers.failures.values()].filter((error) => !mayPass(error, mayFollow));
      if (nodes.length - refusals.length < quorum) {
        return this.#ended(groupId, deal) ?? { kind: 'refused', refusals };
      }
      if (answers.taken.size < quorum) {
        await this.#pause(groupId, pauseMs(RETRY, round, fractionOf(random.bytes)));
        continue;
      }
      await this.#pause(groupId, ARRIVAL_MS);
      const inForce = [...answers.taken.values()].filter(Boolean).length;
      if (inForce >= threshold && ++arrivals > MAX_ARRIVAL_ROUNDS) {
        return this.#ended(groupId, deal) ?? { kind: 'withheld' };
      }
      if (this.#ended(groupId, deal) === undefined) connection().suspect(nodes);
      answers.taken.clear();
    }
  }

  #ended(groupId: string, { epoch, epochId }: DealRecord): DealOutcome | undefined {
    const newest = this.#parts.store.newest(groupId);
    if (newest === undefined || newest.header.epoch < epoch) return undefined;
    return { kind: equalConstantTime(newest.epochId, epochId) ? 'held' : 'overtaken' };
  }

  /** Until the group changes here, or the time is over. */
  async #pause(groupId: string, ms: number): Promise<void> {
    const { store, timers } = this.#parts;
    await Promise.race([store.changed(groupId), timers.sleep(ms)]);
  }

  async #sendTo(nodeId: string, place: number, deal: DealRecord, answers: Answers): Promise<void> {
    try {
      const inForce =
        deal.added.length > MAX_UNSTAGED
          ? await this.#laneOf(nodeId).run(async () => this.#sendStaged(nodeId, place, deal))
          : await this.#sendDeal(nodeId, place, deal, 0);
      answers.taken.set(nodeId, inForce);
      answers.failures.delete(nodeId);
    } catch (error) {
      if (codeOf(error) === 'DEVICE_CLOSED') throw error;
      answers.failures.set(nodeId, error);
      const fields = { node: nodeId, epoch: deal.epoch, code: codeOf(error) };
      this.#parts.logger.info(fields, 'A node did not take a deal.');
    }
  }

  async #sendStaged(nodeId: string, place: number, deal: DealRecord): Promise<boolean> {
    const { groupId, epoch, added } = deal;
    for (let offset = 0; offset < added.length; offset += MAX_PART) {
      const members = concat(...added.slice(offset, offset + MAX_PART));
      await this.#parts.connection().call(nodeId, STAGE, { groupId, epoch, offset, members });
    }
    return this.#sendDeal(nodeId, place, deal, added.length);
  }

  async #sendDeal(nodeId: string, place: number, deal: DealRecord, staged: number): Promise<boolean> {
    const { header, tag, removed, added } = deal;
    const reply = await this.#parts.connection().call(nodeId, DEAL, {
      header,
      tag,
      share: (deal.shares[place] as Share).bytes,
      removed: concat(...removed),
      added: staged === 0 ? concat(...added) : new Uint8Array(0),
      staged,
    });
    return reply.inForce;
  }

  #laneOf(nodeId: string): Lane {
    const lane = this.#staging.get(nodeId) ?? new Lane();
    this.#staging.set(nodeId, lane);
    return lane;
  }
}

function mayPass(error: unknown, mayFollow: boolean): boolean {
  const code = codeOf(error);
  return isTransportFailure(error) || PASSING.has(code) || (mayFollow && code === 'GROUP_BEHIND');
}
