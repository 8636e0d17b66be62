import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import { MAX_MEMBERS, believedEpoch, decodeGroupHeader, echoQuorum, groupEpochId } from '@symmetra/protocol';
import type { GroupHeader, ProtocolContext } from '@symmetra/protocol';
import { asSymmetraError, codeOf, mostTelling } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { Connection } from '../session/connection.js';
import { groupUnknown } from './group-options.js';
import type { GroupStore } from './group-store.js';

const GET_ROSTER = '/symmetra.group.v1.GroupService/GetRoster';

/** What a node says that has this device in the group no more. */
const GONE = new Set(['GROUP_NOT_MEMBER', 'GROUP_UNKNOWN', 'GROUP_ENDED']);

/** So many nodes have this device in the group no more that it gets no epoch of it: it forgets the group. */
export class GroupGone extends SymmetraError {
  constructor(groupId: string) {
    super('GROUP_NOT_MEMBER', 'this device is in the group no more', { groupId });
  }
}

/** Whether a node has this device in the group no more. */
export function isGone(error: unknown): boolean {
  return GONE.has(codeOf(error));
}

/** The epoch that a deal follows. */
export interface GroupBase {
  readonly header: GroupHeader;
  readonly epochId: Uint8Array;
}

/** What asking the nodes needs. */
export interface BaseParts {
  readonly context: ProtocolContext;
  readonly descriptors: Pick<Descriptors, 'current'>;
  readonly connection: () => Pick<Connection, 'call'>;
  readonly store: Pick<GroupStore, 'newest'>;
}

/**
 * GRP-11: the epoch that a deal follows. First the newest of the one that is held here and those that k nodes have in
 * force; while no q nodes follow that, or there is none, the one that most nodes have in force; then the newest that any
 * node has.
 * @param known an earlier base, for want of another one
 * @param tries how many such bases q nodes did not follow
 * @throws when there is none: why the nodes name none, GROUP_UNKNOWN
 */
export async function newestBase(
  parts: BaseParts,
  groupId: Uint8Array,
  known: GroupBase | undefined,
  tries = 0,
): Promise<GroupBase> {
  const { threshold } = parts.descriptors.current;
  const held = parts.store.newest(toHex(groupId));
  const own = Math.max(held?.header.epoch ?? 0, known?.header.epoch ?? 0);
  let failure: unknown = groupUnknown(toHex(groupId));
  const atNodes = await basesAtNodes(parts, groupId, own).catch((error: unknown) => {
    failure = error;
    return [];
  });
  const agreed = atNodes.find(({ nodes }) => nodes >= threshold);
  const [most] = atNodes.toSorted((one, other) => other.nodes - one.nodes);
  const isHeldNewer = held !== undefined && (agreed === undefined || held.header.epoch > agreed.header.epoch);
  const base = [isHeldNewer ? held : agreed, most, atNodes[0]][tries % 3] ?? most ?? held ?? known;
  if (base === undefined || codeOf(failure) === 'DEVICE_CLOSED') throw failure;
  return base;
}

/** An epoch, and how many nodes have it in force. */
type BaseAtNodes = GroupBase & { readonly nodes: number };

/**
 * What nodes have in force, the newest first; it may be what they bring to nobody, because somebody is out (GRP-10).
 * @param own the newest epoch that is known here; GRP-3: a node can not use the numbers up
 * @throws GroupGone, why fewer than k answered
 */
async function basesAtNodes(
  parts: BaseParts,
  groupId: Uint8Array,
  own: number,
): Promise<readonly BaseAtNodes[]> {
  const { nodes, threshold } = parts.descriptors.current;
  const asked = await Promise.allSettled(nodes.map(async ({ id }) => baseAt(parts, id, groupId)));
  const bases = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = asked.flatMap((one) => (one.status === 'rejected' ? [asSymmetraError(one.reason)] : []));
  if (failures.filter(isGone).length >= echoQuorum(nodes.length, threshold)) {
    throw new GroupGone(toHex(groupId));
  }
  if (bases.length < threshold) throw mostTelling(failures);
  const numbers = bases.map(({ header }) => header.epoch);
  const newest = believedEpoch(own, numbers, threshold);
  const byId = new Map<string, BaseAtNodes>();
  for (const base of bases) {
    if (base.header.epoch > newest) continue;
    const name = toHex(base.epochId);
    byId.set(name, { ...base, nodes: (byId.get(name)?.nodes ?? 0) + 1 });
  }
  return [...byId.values()].toSorted((one, other) => other.header.epoch - one.header.epoch);
}

/** The header alone: there is no member at the place that is asked for. */
async function baseAt(
  { context, connection }: BaseParts,
  nodeId: string,
  groupId: Uint8Array,
): Promise<GroupBase> {
  const reply = await connection().call(nodeId, GET_ROSTER, { groupId, from: MAX_MEMBERS });
  const bytes = Uint8Array.from(reply.header);
  const header = decodeGroupHeader(context, bytes);
  if (!equalConstantTime(header.groupId, groupId)) {
    throw new SymmetraError('BAD_MESSAGE', 'the node answered for another group', { node: nodeId });
  }
  return { header, epochId: groupEpochId(context.suites.get(header.suiteId), bytes) };
}
