import { toHex } from '@symmetra/crypto';
import { Roster, dealEpoch, groupCoinLength } from '@symmetra/protocol';
import type { Deal, GroupRequest, RosterChanges } from '@symmetra/protocol';
import { fresh } from './device.js';
import type { TestDevice } from './device.js';

/** What a test asks of an epoch. */
export interface TestDealRequest {
  readonly added?: readonly Pick<TestDevice, 'deviceId'>[];
  readonly removed?: readonly Pick<TestDevice, 'deviceId'>[];
  /** Fields of the header that are not as they should be. */
  readonly header?: Partial<GroupRequest>;
}

/** An epoch that a dealer has dealt, and not sent. */
export interface TestDeal extends Deal {
  readonly request: GroupRequest;
  readonly changes: RosterChanges;
  readonly added: readonly Uint8Array[];
  readonly removed: readonly Uint8Array[];
}

/** What the dealers of a group know of it, kept by a test for all of them. */
export class TestGroup {
  readonly groupId = fresh(16);
  readonly roster = Roster.of([]);
  managers: readonly Uint8Array[];
  epoch = 0;
  epochId: Uint8Array = new Uint8Array(0);
  barrier = 0;

  constructor(managers: readonly TestDevice[]) {
    this.managers = managers.map(({ deviceId }) => deviceId);
  }

  get hex(): string {
    return toHex(this.groupId);
  }

  /** GRP-3: the deal of the next epoch; nothing is sent, and the group is as before. */
  deal(dealer: TestDevice, { added = [], removed = [], header = {} }: TestDealRequest = {}): TestDeal {
    const named = {
      added: added.map(({ deviceId }) => deviceId),
      removed: removed.map(({ deviceId }) => deviceId),
    };
    const changes = this.roster.plan(named.removed, named.added);
    const { size, height, root } = this.roster.outcome(changes);
    const epoch = header.epoch ?? this.epoch + 1;
    const { threshold, nodes, version } = dealer.descriptor;
    const request: GroupRequest = {
      suiteId: 1,
      groupId: this.groupId,
      epoch,
      previous: this.epochId,
      barrier: removed.length > 0 ? epoch : this.barrier,
      dealer: dealer.deviceId,
      managers: this.managers,
      members: size,
      height,
      rosterRoot: root,
      purpose: 'test',
      keyLength: 32,
      limits: { lifetimeSeconds: 3600, uses: 0 },
      threshold,
      nodes: nodes.map(({ id }) => id),
      descriptorVersion: version,
      policyRevision: 1,
      ...header,
    };
    const random = { secret: fresh(32), coins: fresh(groupCoinLength(request.threshold)) };
    return { ...dealEpoch(dealer.context, request, random), request, changes, ...named };
  }

  /** The epoch of a deal came into force. */
  settle({ request, changes, epochId }: TestDeal): void {
    this.roster.apply(changes);
    this.epoch = request.epoch;
    this.epochId = epochId;
    this.barrier = request.barrier;
    this.managers = request.managers;
  }
}
