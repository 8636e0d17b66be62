import { toHex } from '@symmetra/crypto';
import { includes, isNothing, planChange, planRotation, remaining } from './deal-plan.js';
import type { DealPlan, GroupChange } from './deal-plan.js';
import type { GroupBase } from './group-base.js';
import type { GroupStore } from './group-store.js';
import { membersNamed } from './refusals.js';
import type { Rosters } from './rosters.js';

/** What the next epoch is to be. */
export interface PlanRequest {
  readonly change: GroupChange;
  /** Its number is higher. */
  readonly floor: number;
  /** What nodes say of others who are out. */
  readonly named: ReadonlySet<string>;
  /** Whether a change that the group has already is an error. */
  readonly strict: boolean;
}

/** What planning needs. */
export interface DealPlannerParts {
  readonly deviceId: Uint8Array;
  readonly store: Pick<GroupStore, 'due' | 'lastEpoch'>;
}

/** GRP-3: works out epochs that follow one, without those that are out. */
export class DealPlanner {
  readonly #parts: DealPlannerParts;
  readonly #rosters: Rosters;

  constructor(parts: DealPlannerParts, rosters: Rosters) {
    this.#parts = parts;
    this.#rosters = rosters;
  }

  /** @throws GROUP_BEHIND when the roster is wanted of an epoch that is in force nowhere, and as {@link planChange} */
  async plan(base: GroupBase, { change, floor, named, strict }: PlanRequest): Promise<DealPlan> {
    const { store } = this.#parts;
    const name = toHex(base.header.groupId);
    const { epoch: suspended = 0, out: due = [] } = store.due(name) ?? {};
    const epoch = Math.max(base.header.epoch, floor, store.lastEpoch(name), suspended) + 1;
    if (isNothing(change) && due.length + named.size === 0) return planRotation(base, epoch);
    const roster = await this.#rosters.of(base);
    const others = membersNamed(roster, named).filter((id) => !includes([...due, this.#parts.deviceId], id));
    const out = [...due, ...others];
    return planChange(base, roster, epoch, strict ? change : remaining(roster, change), out);
  }
}
