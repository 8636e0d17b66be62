import { benchMls } from './mls.js';
import type { EpochCost } from './group-run.js';
import type { GroupMeasured } from './group-worker.js';
import { Worker } from './worker.js';

const NODES = 3;
const SIZES = [10, 100, 1000, 10_000];
const EPOCHS = 20;

/** What a group of one size costs, three nodes, any two of which suffice. */
interface GroupResult {
  /** From the dealer's start until the last member has the key; nodes and all members take turns in one process. */
  readonly createMs: number;
  readonly createNodeCpuMs: number;
  readonly createDealerCpuMs: number;
  readonly createDealerBytes: number;
  /** CPU of one member for its three welcomes, and their bytes. */
  readonly createMemberCpuMs: number;
  readonly createMemberBytes: number;
  /** From the dealer's start until a member has the key: what one process does in turns, members at once. */
  readonly removeMs: number;
  readonly removeNodeCpuMs: number;
  /** Of the broadcast, signature and frame included. */
  readonly removeBytesPerNode: number;
  readonly removeDealerCpuMs: number;
  readonly removeDealerBytes: number;
  readonly rotateMs: number;
  readonly rotateNodeCpuMs: number;
  readonly rotateBytesPerNode: number;
  /** CPU of one member for the three broadcasts of a removal. */
  readonly memberCpuMs: number;
  /** CPU of one node for one member's confirmation, the member's own share included. */
  readonly confirmNodeCpuMs: number;
  /** CPU of one node for stepping all keys of the tree on, in the background. */
  readonly upkeepNodeCpuMs: number;
}

/** Measures groups over the nodes' own code and sealed LMDB stores; the members are the pure core, in the same process. */
export async function benchGroup(): Promise<{
  group: Readonly<Record<string, GroupResult>>;
  groupMls: object;
}> {
  const group: Record<string, GroupResult> = {};
  for (const members of SIZES) group[members] = await benchSize(members);
  return { group, groupMls: await benchMls() };
}

/** In a process of its own, which begins cold. */
async function benchSize(members: number): Promise<GroupResult> {
  const worker = new Worker('./group-worker.ts', ['--max-old-space-size=4096']);
  try {
    return resultOf(await worker.ask<GroupMeasured>({ members, epochs: EPOCHS }));
  } finally {
    await worker.end();
  }
}

function resultOf({ created, removals, rotations, confirmCpuMs, upkeepCpuMs }: GroupMeasured): GroupResult {
  const perMember = ({ membersCpuMs, members }: EpochCost): number => membersCpuMs / members;
  const untilKey = (cost: EpochCost): number => cost.nodesMs + cost.membersMs / cost.members;
  return {
    createMs: created.nodesMs + created.membersMs,
    createNodeCpuMs: created.nodesCpuMs / NODES,
    createDealerCpuMs: created.dealerCpuMs,
    createDealerBytes: created.dealerBytes,
    createMemberCpuMs: perMember(created),
    createMemberBytes: created.memberBytes,
    removeMs: mean(removals, untilKey),
    removeNodeCpuMs: mean(removals, ({ nodesCpuMs }) => nodesCpuMs) / NODES,
    removeBytesPerNode: mean(removals, ({ bytesPerNode }) => bytesPerNode),
    removeDealerCpuMs: mean(removals, ({ dealerCpuMs }) => dealerCpuMs),
    removeDealerBytes: mean(removals, ({ dealerBytes }) => dealerBytes),
    rotateMs: mean(rotations, untilKey),
    rotateNodeCpuMs: mean(rotations, ({ nodesCpuMs }) => nodesCpuMs) / NODES,
    rotateBytesPerNode: mean(rotations, ({ bytesPerNode }) => bytesPerNode),
    memberCpuMs: mean(removals, perMember),
    confirmNodeCpuMs: confirmCpuMs / NODES,
    upkeepNodeCpuMs: upkeepCpuMs / NODES,
  };
}

function mean(costs: readonly EpochCost[], of: (cost: EpochCost) => number): number {
  return costs.reduce((sum, cost) => sum + of(cost), 0) / costs.length;
}
