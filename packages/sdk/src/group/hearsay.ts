import { believedDue } from '@symmetra/protocol';
import type { MemberGroup } from '@symmetra/protocol';

/** GRP-10: how long a node's word alone is kept that this device is to deal for a group. */
const HEARSAY_MS = 10 * 60_000;
/** Of one node; the oldest goes first, so that a node that lies pushes out only its own. */
const MAX_HEARSAY = 16;

/** Whether fewer than k nodes said a word of the group, and none of them brought anything. */
export function isHearsay(group: MemberGroup): boolean {
  const { newest, paths, gatherings } = group;
  if ((newest?.epoch ?? 0) > 0 || paths.length + gatherings.length > 0) return false;
  return believedDue(group) === undefined;
}

/** When it is forgotten, node time. */
export function hearsayEndMs({ notices }: MemberGroup): number {
  return Math.min(...notices.map(({ sinceMs }) => sinceMs)) + HEARSAY_MS;
}

/** Names of groups that are too many of the node that spoke of them first. @param groups in the order in which they came */
export function tooMuchHearsay(groups: ReadonlyMap<string, MemberGroup>): readonly string[] {
  const byNode = new Map<string, string[]>();
  for (const [name, group] of groups) {
    const [first] = group.notices;
    if (first === undefined || !isHearsay(group)) continue;
    byNode.set(first.nodeId, [...(byNode.get(first.nodeId) ?? []), name]);
  }
  return [...byNode.values()].flatMap((names) => names.slice(0, -MAX_HEARSAY));
}
