import { equalConstantTime, toHex } from '@symmetra/crypto';
import {
  Roster,
  dealEpoch,
  dealingOrder,
  decodeGroupHeader,
  echoQuorum,
  groupCoinLength,
  groupEpochId,
} from '@symmetra/protocol';
import type { Deal, GroupHeader, OutDevice, Placed } from '@symmetra/protocol';
import type { SimulatedProcess } from '@symmetra/testing';
import { sessionFrame } from './group-wire.js';
import { PURPOSE } from './group-world.js';
import type { GroupWorld } from './group-world.js';
import { deviceIdOfName } from './pair-channel.js';

/** Why a device deals. */
type DealReason = 'first' | 'wish' | 'due' | 'schedule';

/** What a device would change now. */
export interface Change {
  readonly reason: DealReason;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Whom k nodes say to be out. */
  readonly out: readonly Uint8Array[];
  /** Place in the order of those that deal: who comes later waits longer after a conflict. */
  readonly place: number;
}

/** A deal as it is stored until it is over. */
export interface DealRow extends Deal {
  readonly epoch: number;
  readonly reason: DealReason;
  readonly since: number;
  readonly removed: readonly Uint8Array[];
  readonly added: readonly Uint8Array[];
}

/** What a node says of the roster in force there. */
export interface RosterReply {
  readonly header: Uint8Array;
  readonly members: readonly Placed[];
}

/** How a deal ended. */
export type DealEnd = 'held' | 'overtaken' | 'refused' | 'nothing to do';

interface KnownRoster {
  readonly header: GroupHeader;
  readonly epochId: Uint8Array;
  readonly roster: Roster;
}

/** Ticks after which a deal that was refused somewhere is given up. */
const PATIENCE_TICKS = 60;
const AGAIN_TICKS = 40;
/** Ticks after which a device that finds no roster named by k nodes goes by the epoch that it holds. */
const ASKING_TICKS = 40;
/** Refusals that another try may turn into an approval. */
const PASSING = ['GROUP_BEHIND', 'GROUP_UNKNOWN'];
const CONFLICTS = new Set(['GROUP_CONFLICT', 'GROUP_EPOCH_OLD', ...PASSING]);

/** GRP-3, GRP-10, GRP-11: a device that deals: it reads the roster, deals, sends again, gives up. */
export class GroupDealer {
  readonly #world: GroupWorld;
  readonly #process: SimulatedProcess;
  readonly #rosters = new Map<string, KnownRoster>();
  /** When a node approved the deal last; it is asked again, since it may have given the deal up. */
  readonly #approved = new Map<string, number>();
  readonly #refused = new Map<string, string>();
  #asking: number | undefined;
  #tries = 0;
  #highest = 0;
  #notBefore = 0;

  constructor(world: GroupWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  get #row(): DealRow | undefined {
    return this.#process.get<DealRow>('deal');
  }

  /** Whether something is dealt and not over. */
  get isDealing(): boolean {
    return this.#row !== undefined;
  }

  roster(node: string, { header: bytes, members }: RosterReply): void {
    const { context, suite } = this.#world;
    const header = decodeGroupHeader(context, bytes);
    const roster = Roster.of(members);
    if (equalConstantTime(roster.root(), header.rosterRoot)) {
      this.#rosters.set(node, { header, epochId: groupEpochId(suite, bytes), roster });
    }
  }

  approved(node: string, dealHash: Uint8Array): void {
    if (!this.#row || !equalConstantTime(this.#row.dealHash, dealHash)) return;
    this.#refused.delete(node);
    this.#approved.set(node, this.#process.now);
  }

  refused(node: string, dealHash: Uint8Array, code: string, epoch: number | undefined): void {
    if (!this.#row || !equalConstantTime(this.#row.dealHash, dealHash)) return;
    this.#approved.delete(node);
    this.#refused.set(node, code);
    if (epoch !== undefined && epoch <= this.#row.epoch + 65_536) {
      this.#highest = Math.max(this.#highest, epoch);
    }
  }

  /**
   * Sends the deal that is under way, or begins one.
   * @param newest the newest epoch that is held, or of which k nodes say that it needs another one.
   * @returns how the deal that was under way ended
   */
  tick(
    change: Change | undefined,
    newest: number,
    holds: (epochId: Uint8Array) => boolean,
  ): DealEnd | undefined {
    const row = this.#row;
    if (row === undefined) return this.#begin(change, newest, holds);
    if (newest >= row.epoch) {
      return this.#end(row, holds(row.epochId) ? 'held' : 'overtaken');
    }
    if (this.#isLost(row)) {
      const place = change?.place ?? 0;
      this.#notBefore = this.#process.now + 1 + ((this.#process.random(1)[0] as number) % (15 * (place + 1)));
      const passing = [...this.#refused.values()].some((code) => CONFLICTS.has(code));
      this.#tries += 1;
      this.#world.note(passing ? 'deal:given up' : 'deal:refused');
      return this.#end(row, passing ? 'overtaken' : 'refused');
    }
    this.#send(row);
    return undefined;
  }

  #isLost({ since, reason }: DealRow): boolean {
    const { nodes, threshold } = this.#world.plan;
    const final = [...this.#refused.values()].filter((code) => !PASSING.includes(code));
    if (final.length > nodes.length - echoQuorum(nodes.length, threshold)) return true;
    return reason !== 'first' && this.#refused.size > 0 && this.#process.now - since > PATIENCE_TICKS;
  }

  #end(row: DealRow, end: DealEnd): DealEnd {
    this.#highest = Math.max(this.#highest, row.epoch);
    this.#forget();
    if (end === 'held') this.#tries = 0;
    this.#world.note(`deal:${row.reason} ${end}`);
    this.#process.commit({ writes: { deal: undefined }, wipes: row.shares });
    return end;
  }

  #forget(): void {
    this.#approved.clear();
    this.#refused.clear();
    this.#rosters.clear();
  }

  #begin(
    change: Change | undefined,
    newest: number,
    holds: (epochId: Uint8Array) => boolean,
  ): DealEnd | undefined {
    if (change === undefined || this.#process.now < this.#notBefore) return undefined;
    if (change.reason === 'first') {
      this.#deal(change, undefined, newest);
      return undefined;
    }
    this.#asking ??= this.#process.now;
    const known = this.#followed(holds, this.#process.now - this.#asking > ASKING_TICKS);
    if (known !== undefined) {
      this.#asking = undefined;
      this.#rosters.clear();
      return this.#deal(change, known, newest);
    }
    for (const node of this.#world.plan.nodes) this.#say(node, 'roster?', {});
    return undefined;
  }

  /**
   * GRP-11: the epoch to follow: the newest that k nodes name, or the held one; when nobody follows that, the held one, the
   * one that most nodes name, and then the newest that any node names.
   */
  #followed(holds: (epochId: Uint8Array) => boolean, isLate: boolean): KnownRoster | undefined {
    const known = [...this.#rosters.values()].toSorted((a, b) => b.header.epoch - a.header.epoch);
    const namedBy = ({ epochId }: KnownRoster): number =>
      known.filter((one) => equalConstantTime(one.epochId, epochId)).length;
    const held = isLate ? known.find(({ epochId }) => holds(epochId)) : undefined;
    const agreed = known.find((one) => namedBy(one) >= this.#world.plan.threshold);
    const [most] = known.toSorted((a, b) => namedBy(b) - namedBy(a));
    if (this.#tries % 4 > 0 && !isLate) return undefined;
    return [agreed, held, most, known[0]][this.#tries % 4] ?? agreed ?? held;
  }

  #deal(change: Change, known: KnownRoster | undefined, newest: number): DealEnd | undefined {
    const own = deviceIdOfName(this.#process.name);
    const roster = known?.roster ?? Roster.of([]);
    const isMember = (id: Uint8Array): boolean => roster.placeOf(id) !== undefined;
    const added = change.added.map(deviceIdOfName).filter((id) => !isMember(id));
    const gone = [...change.removed.map(deviceIdOfName), ...change.out];
    const removed = unique(gone).filter((id) => isMember(id) && !equalConstantTime(id, own));
    const asked = change.added.length + change.removed.length + change.out.length;
    const idle = asked > 0 && added.length + removed.length === 0;
    if (known !== undefined && (!isMember(own) || idle)) return 'nothing to do';
    const epoch = Math.max(known?.header.epoch ?? 0, newest, this.#highest) + 1;
    const changes = roster.plan(removed, added);
    const { size, height, root } = roster.outcome(changes);
    const { context, suite, groupId, plan, ledger } = this.#world;
    const deal = dealEpoch(
      context,
      {
        suiteId: suite.id,
        groupId,
        epoch,
        previous: known?.epochId ?? new Uint8Array(0),
        barrier: removed.length > 0 ? epoch : (known?.header.barrier ?? 0),
        dealer: own,
        managers: this.#managers(change, known, removed),
        members: size,
        height,
        rosterRoot: root,
        purpose: PURPOSE,
        keyLength: 32,
        limits: { lifetimeSeconds: plan.lifetimeSeconds, uses: plan.uses },
        threshold: plan.threshold,
        nodes: plan.nodes,
        descriptorVersion: 1,
        policyRevision: 1,
      },
      { secret: this.#process.random(32), coins: this.#process.random(groupCoinLength(plan.threshold)) },
    );
    roster.apply(changes);
    const members = new Set([...roster.members()].map(({ deviceId }) => this.#world.nameOf(deviceId)));
    ledger.dealt.set(toHex(deal.epochId), { header: decodeGroupHeader(context, deal.header), members });
    const { reason } = change;
    const row: DealRow = { ...deal, epoch, reason, since: this.#process.now, removed, added };
    this.#forget();
    this.#world.note(`deal:${reason}`);
    this.#process.commit({ writes: { deal: row } });
    this.#send(row);
    return undefined;
  }

  #managers(
    change: Change,
    known: KnownRoster | undefined,
    removed: readonly Uint8Array[],
  ): readonly Uint8Array[] {
    const { plan } = this.#world;
    if (known === undefined) return change.added.slice(0, plan.managers).map(deviceIdOfName);
    const out: OutDevice[] = change.out.map((deviceId) => ({ deviceId, reason: 'left' }));
    const order = dealingOrder(known.header.managers, known.roster, out);
    if (!known.header.managers.some((id) => order.some((one) => equalConstantTime(one, id)))) {
      this.#world.note('deal:no manager is left');
    }
    return order.filter((id) => !removed.some((one) => equalConstantTime(one, id)));
  }

  #send(row: DealRow): void {
    const { header, tag, removed, added } = row;
    for (const [i, node] of this.#world.plan.nodes.entries()) {
      if (this.#process.now - (this.#approved.get(node) ?? -AGAIN_TICKS) < AGAIN_TICKS) continue;
      const share = row.shares[i]?.bytes ?? new Uint8Array(0);
      this.#say(node, 'deal', { header, tag, share, removed, added });
    }
  }

  #say(node: string, type: string, body: object): void {
    this.#process.send(node, sessionFrame(this.#process.name, node, type, body));
  }
}

function unique(ids: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}
