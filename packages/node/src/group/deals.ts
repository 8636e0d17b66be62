import { setImmediate as nextTurn } from 'node:timers/promises';
import { SymmetraError } from '@symmetra/crypto';
import { dealHash, decodeGroupHeader, echoOf, receiveDeal, receiveEcho } from '@symmetra/protocol';
import type {
  DealAnswer,
  DealView,
  DeviceStanding,
  GroupDeal,
  GroupEcho,
  GroupHeader,
  NodeGroup,
  RosterChanges,
} from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import { groupDealRow, hexOf } from '../rows/row-keys.js';
import type { Caller, SealedOutcome } from '../session/sealed-handler.js';
import type { Agreement } from './agreement.js';
import type { CreatedGroups } from './created-groups.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';
import { encodeRosterChanges } from './roster-pages.js';
import type { RostersOfDeals } from './rosters-of-deals.js';
import { deviceIdsIn } from './staged-rosters.js';
import type { StagedRosters } from './staged-rosters.js';

/** Device ids that a deal itself may bring. */
const MAX_NAMED = 512;
/** Devices whose standing is read before other work gets its turn. */
const READS_PER_TURN = 64;
/** Refusals of a deal that other nodes may outweigh. */
const OUTWEIGHED: ReadonlySet<string> = new Set([
  'GROUP_BEHIND',
  'GROUP_UNKNOWN',
  'GROUP_EXISTS',
  'GROUP_ENDED',
]);

export interface DealsParts {
  readonly clock: Clock;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly created: CreatedGroups;
  readonly staged: StagedRosters;
  readonly agreement: Agreement;
  readonly rosters: RostersOfDeals;
}

/** A deal as it came in. */
interface Incoming {
  readonly session: Caller;
  readonly groupHex: string;
  readonly header: GroupHeader;
  readonly hash: Uint8Array;
  readonly deal: GroupDeal;
  /** What was staged for it is not there: only a deal that was approved before does without. */
  readonly unstaged: SymmetraError | undefined;
}

/** What the other nodes say of a deal. */
interface Others {
  readonly echoes: ReadonlyMap<string, GroupEcho>;
  /** The whole roster of the deal, and the epoch that it follows, as far as one of them gave it. */
  readonly given: Pick<DealView, 'dealt' | 'base'>;
}

/** GRP-4: decides on deals, and keeps those that it approves. */
export class Deals {
  readonly #parts: DealsParts;

  constructor(parts: DealsParts) {
    this.#parts = parts;
  }

  /** @throws BAD_MESSAGE, STAGE_OUT_OF_ORDER, GROUP_LIMITS, and what `receiveDeal` throws */
  async answer(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const incoming = this.#read(session, plaintext);
    const { groupHex, deal, hash } = incoming;
    try {
      const { inForce } = await this.#decide(incoming);
      this.#parts.agreement.begin(groupHex);
      return { reply: encode('symmetra.group.v1.DealResponse', { dealHash: hash, inForce }) };
    } catch (error) {
      deal.share.fill(0);
      throw error;
    }
  }

  #read(session: Caller, plaintext: Uint8Array): Incoming {
    const { context } = this.#parts.state;
    const request = decode('symmetra.group.v1.DealRequest', plaintext);
    const header = decodeGroupHeader(context, request.header);
    const groupHex = hexOf(header.groupId);
    let added = deviceIdsIn(request.added, MAX_NAMED);
    let unstaged: SymmetraError | undefined;
    if (request.staged > 0) {
      try {
        added = this.#parts.staged.of(session.deviceHex, groupHex, header.epoch, request.staged);
      } catch (error) {
        if (!(error instanceof SymmetraError)) throw error;
        unstaged = error;
      }
    }
    const deal: GroupDeal = {
      header: Uint8Array.from(request.header),
      tag: Uint8Array.from(request.tag),
      share: Uint8Array.from(request.share),
      removed: deviceIdsIn(request.removed, MAX_NAMED),
      added,
    };
    request.share.fill(0);
    const hash = dealHash(context.suites.get(header.suiteId), deal.header, deal.tag);
    return { session, groupHex, header, hash, deal, unstaged };
  }

  async #decide(incoming: Incoming): Promise<DealAnswer> {
    const { table } = this.#parts;
    const { groupHex, deal } = incoming;
    const standings = await this.#standings(deal.added);
    try {
      return await table.run(groupHex, async (group) => this.#approve(group, incoming, standings));
    } catch (error) {
      if (!mayBeOutweighed(error, incoming.header)) throw error;
      const others = await this.#askOthers(incoming);
      const { dealt, base } = others.given;
      const members = [...(dealt?.members() ?? []), ...(base?.roster.members() ?? [])];
      const known = await this.#standings([...deal.added, ...members.map(({ deviceId }) => deviceId)]);
      return table.run(groupHex, async (group) => this.#approve(group, incoming, known, others));
    }
  }

  async #approve(
    group: HeldGroup,
    incoming: Incoming,
    standings: ReadonlyMap<string, DeviceStanding>,
    others?: Others,
  ): Promise<DealAnswer> {
    const { state } = this.#parts;
    const { session, hash, deal, unstaged } = incoming;
    const said = group.row === undefined ? [] : echoOf(group.row.group);
    const known = said.some((one) => one.givenUp !== true && hexOf(one.dealHash) === hexOf(hash));
    if (unstaged !== undefined && !known) throw unstaged;
    for (const [node, echo] of others?.echoes ?? []) group.echoes = receiveEcho(group.echoes, node, echo);
    const {
      state: next,
      output,
      consumed,
    } = receiveDeal(state.context, group.row?.group, session.deviceId, deal, {
      rules: { ...state.brokerRules, groupMembers: state.policy.groupMembers },
      roster: group.roster,
      echoes: group.echoes,
      standingOf: (deviceId) => this.#standingOf(standings, hexOf(deviceId)),
      ...others?.given,
    });
    if (output.changes === undefined) deal.share.fill(0);
    else await this.#keep(group, incoming, next, output.changes);
    for (const secret of consumed) secret.wipe();
    return output;
  }

  /** Stores an approved deal. @throws GROUP_LIMITS, MEMBER_REVOKED */
  async #keep(
    group: HeldGroup,
    { session, header }: Incoming,
    next: NodeGroup,
    changes: RosterChanges,
  ): Promise<void> {
    const { clock, created, memberships, staged, table } = this.#parts;
    const { step, sinceMs, creator } = group.row ?? { step: 0, sinceMs: 0 };
    const first = header.previous.length === 0 ? header.dealer : creator;
    const row = { group: next, step, sinceMs, pendingSinceMs: clock.now(), ...(first && { creator: first }) };
    if (header.previous.length === 0) created.claim(group.groupHex, header.dealer);
    try {
      await this.#expect(group.groupHex, changes);
      const replaced = await table.changesOf(group);
      await table.commit(group, row, [
        { key: groupDealRow(group.groupHex), value: encodeRosterChanges(changes) },
        ...memberships.dropped(group, replaced, changes),
      ]);
    } finally {
      created.settle(group.groupHex, first, group.row);
    }
    group.changes = changes;
    staged.drop(session.deviceHex);
  }

  /** Notes who may be a member from now on. @throws MEMBER_REVOKED */
  async #expect(groupHex: string, changes: RosterChanges): Promise<void> {
    const { memberships, state } = this.#parts;
    const arriving = changes.taken.map(({ deviceId }) => hexOf(deviceId));
    await memberships.add(groupHex, arriving);
    // A revocation that came before those rows did not find this group.
    if (arriving.some((deviceHex) => state.isDeviceRevoked(deviceHex))) {
      throw new SymmetraError('MEMBER_REVOKED', 'a member was revoked while the deal was decided on');
    }
  }

  /** GRP-11: this node is behind: what the others stand by, the roster of the deal, and the epoch that it follows. */
  async #askOthers({ groupHex, header, hash }: Incoming): Promise<Others> {
    const { agreement, rosters } = this.#parts;
    const echoes = await agreement.ask(groupHex, header.nodes);
    const dealt = await rosters.fetch(groupHex, header, hash, echoes);
    const isFirst = header.previous.length === 0;
    const base = isFirst ? undefined : await rosters.fetchBase(groupHex, header, echoes);
    return { echoes, given: { ...(dealt && { dealt }), ...(base && { base }) } };
  }

  async #standings(deviceIds: readonly Uint8Array[]): Promise<ReadonlyMap<string, DeviceStanding>> {
    const { devices } = this.#parts;
    const standings = new Map<string, DeviceStanding>();
    let reads = 0;
    for (const deviceHex of deviceIds.map(hexOf)) {
      const cached = devices.cachedStanding(deviceHex);
      const standing = cached ?? (await devices.standing(deviceHex));
      if (standing !== undefined) standings.set(deviceHex, standing);
      if (cached !== undefined) continue;
      reads += 1;
      if (reads % READS_PER_TURN === 0) await nextTurn();
    }
    return standings;
  }

  /** As it is now: a revocation may have come since the standing was read, also of a device that is not enrolled here. */
  #standingOf(standings: ReadonlyMap<string, DeviceStanding>, deviceHex: string): DeviceStanding | undefined {
    const revoked = this.#parts.state.isDeviceRevoked(deviceHex);
    const standing = standings.get(deviceHex);
    if (standing !== undefined) return { ...standing, revoked };
    return revoked ? { revoked, stage: '' } : undefined;
  }
}

/** GRP-4, GRP-11: whether it matters what other nodes echo: this node is behind, or the deal skips many epochs. */
function mayBeOutweighed(error: unknown, { epoch }: GroupHeader): boolean {
  if (!(error instanceof SymmetraError)) return false;
  const { code, details } = error;
  return OUTWEIGHED.has(code) || (code === 'GROUP_CONFLICT' && epoch > Number(details['epoch']));
}
