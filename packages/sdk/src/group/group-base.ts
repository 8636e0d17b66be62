import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import { MAX_MEMBERS, decodeGroupHeader, echoQuorum, groupEpochId } from '@symmetra/protocol';
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
 * The newest of the epochs that are known, held here, or in force at k nodes.
 * @param known an earlier base
 * @param isForked GRP-11: no q nodes follow that one; what any node has in force will do
 * @throws when there is none: why the nodes name none, GROUP_UNKNOWN
 */
export async function newestBase(
  parts: BaseParts,
  groupId: Uint8Array,
  known: GroupBase | undefined,
  isForked = false,
): Promise<GroupBase> {
  let failure: unknown = groupUnknown(toHex(groupId));
  const asked = await baseAtNodes(parts, groupId, isForked).catch((error: unknown) => {
    failure = error;
    return undefined;
  });
  const [newest] = [parts.store.newest(toHex(groupId)), asked, known]
    .filter((base) => base !== undefined)
    .toSorted((one, other) => other.header.epoch - one.header.epoch);
  if (newest === undefined || codeOf(failure) === 'DEVICE_CLOSED') throw failure;
  return newest;
}

/**
 * The newest epoch that k nodes say is in force; it may be one that they bring to nobody, because somebody is out
 * (GRP-10). Undefined while too few stand in the same epoch. @throws GroupGone, why too few answered
 */
async function baseAtNodes(
  parts: BaseParts,
  groupId: Uint8Array,
  isForked: boolean,
): Promise<GroupBase | undefined> {
  const { nodes, threshold } = parts.descriptors.current;
  const agreeing = isForked ? 1 : threshold;
  const asked = await Promise.allSettled(nodes.map(async ({ id }) => baseAt(parts, id, groupId)));
  const bases = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = asked.flatMap((one) => (one.status === 'rejected' ? [asSymmetraError(one.reason)] : []));
  if (failures.filter(isGone).length >= echoQuorum(nodes.length, threshold)) {
    throw new GroupGone(toHex(groupId));
  }
  if (bases.length < threshold) throw mostTelling(failures);
  const names = bases.map(({ epochId }) => toHex(epochId));
  return bases
    .filter(({ epochId }) => names.filter((name) => name === toHex(epochId)).length >= agreeing)
    .toSorted((one, other) => other.header.epoch - one.header.epoch)[0];
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
