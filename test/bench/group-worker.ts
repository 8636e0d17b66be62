import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GroupBenchRun } from './group-run.js';
import type { EpochCost } from './group-run.js';
import { serve } from './worker.js';

/** Asks of the process that holds nodes and members. */
export interface GroupRequest {
  readonly members: number;
  /** Removals, and rotations, that are measured. */
  readonly epochs: number;
}

/** What it found. */
export interface GroupMeasured {
  readonly created: EpochCost;
  readonly removals: readonly EpochCost[];
  readonly rotations: readonly EpochCost[];
  /** CPU milliseconds of all nodes and callers for one confirmation at each node. */
  readonly confirmCpuMs: number;
  /** CPU milliseconds of all nodes for stepping all keys of the tree on. */
  readonly upkeepCpuMs: number;
}

/** Epochs before those that count, and of a small group before: the engine compiles what it runs often. */
const WARM_UP = 3;
const FIRST_WARM_UP = 20;
/** Members that follow all epochs. */
const FOLLOWERS = 4;

serve<GroupRequest>(async ({ members, epochs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'symmetra-bench-'));
  try {
    await measure(join(folder, 'warm-up'), 64, FIRST_WARM_UP);
    return await measure(join(folder, 'group'), members, epochs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function measure(folder: string, members: number, epochs: number): Promise<GroupMeasured> {
  const run = await GroupBenchRun.start(folder, members);
  try {
    const created = await run.create();
    const confirmCpuMs = (await run.confirm(run.members)) / members;
    const followers = run.members.slice(0, FOLLOWERS);
    run.follow(followers);
    await run.upkeep();
    await run.next();
    const upkeepCpuMs = await run.upkeep();
    // Those that go stand all over the tree.
    const stride = Math.max(1, Math.floor((members - FOLLOWERS) / (WARM_UP + epochs)));
    const leaving = Array.from({ length: WARM_UP + epochs }, (_, i) => run.members[FOLLOWERS + i * stride]);
    const removals: EpochCost[] = [];
    for (const member of leaving) {
      if (member === undefined) break;
      // As within a minute of each epoch: the background steps the keys on that the epoch did not need.
      await run.upkeep();
      removals.push(await run.next([member]));
    }
    const rotations: EpochCost[] = [];
    for (let i = 0; i < WARM_UP + epochs; i += 1) rotations.push(await run.next());
    return {
      created,
      removals: removals.slice(Math.min(WARM_UP, removals.length - 1)),
      rotations: rotations.slice(WARM_UP),
      confirmCpuMs,
      upkeepCpuMs,
    };
  } finally {
    await run.end();
  }
}
