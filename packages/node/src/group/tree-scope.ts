import type { GroupHeader, ProtocolContext, TreeScope } from '@symmetra/protocol';

/** GRP-6: what every derivation of this node's tree binds, in the epoch of a header. */
export function treeScope(
  context: ProtocolContext,
  { suiteId, groupId }: Pick<GroupHeader, 'suiteId' | 'groupId'>,
  nodeId: string,
): TreeScope {
  return { suite: context.suites.get(suiteId), networkId: context.networkId, groupId, nodeId };
}
