import { toHex } from '@symmetra/crypto';
import type { Policy } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import { GroupDevice, NodeNetwork, TestDevice, TestGroup, fresh } from '@symmetra/testing';
import type { TestDeal, TestDealRequest } from '@symmetra/testing';

/** Three nodes, and devices that are members of groups there. */
export class GroupWorld {
  readonly network: NodeNetwork;
  readonly #members: GroupDevice[] = [];

  private constructor(network: NodeNetwork) {
    this.network = network;
  }

  static async start(policy: Partial<Policy> = {}, clock?: Clock): Promise<GroupWorld> {
    return new GroupWorld(await NodeNetwork.start(policy, clock));
  }

  get nodeIds(): readonly string[] {
    return this.network.nodeIds;
  }

  /** Devices that are enrolled, and attached at homes that differ. */
  async members(count: number): Promise<readonly GroupDevice[]> {
    const devices = await this.strangers(count);
    const members = devices.map((device) => new GroupDevice(device));
    for (const [i, { device }] of members.entries()) {
      await device.connect(this.nodeIds[i % this.nodeIds.length] ?? '');
    }
    this.#members.push(...members);
    return members;
  }

  /** Devices that are enrolled, and attached nowhere. */
  async strangers(count: number): Promise<readonly TestDevice[]> {
    const token = await this.network.administrator.createToken({ uses: count });
    return Promise.all(Array.from({ length: count }, async () => TestDevice.enrol(token)));
  }

  /** A group whose first epoch all its members hold. */
  async group(members: readonly GroupDevice[], managers = members.slice(0, 1)): Promise<TestGroup> {
    const group = new TestGroup(managers.map(({ device }) => device));
    const [dealer] = managers;
    if (dealer === undefined) throw new Error('a group has a manager');
    await this.deal(group, dealer, { added: members.map(({ device }) => device) });
    return group;
  }

  /** Deals the next epoch at all nodes, and waits until those that are its members hold it. */
  async deal(group: TestGroup, dealer: GroupDevice, request: TestDealRequest = {}): Promise<TestDeal> {
    const deal = group.deal(dealer.device, request);
    await dealer.sendAll(deal);
    group.settle(deal);
    for (const member of this.membersOf(group)) await member.held(deal);
    return deal;
  }

  /** The members of a group that are attached. */
  membersOf(group: TestGroup): readonly GroupDevice[] {
    return this.#members.filter(
      ({ device }) => device.link !== undefined && group.roster.placeOf(device.deviceId) !== undefined,
    );
  }

  /** Devices that are enrolled at every node, and nothing but an id: each has the chain of one that exists. */
  async phantoms(count: number): Promise<readonly Pick<TestDevice, 'deviceId'>[]> {
    const [model] = await this.strangers(1);
    const ids = Array.from({ length: count }, () => fresh(32));
    for (const nodeId of this.nodeIds) {
      const store = this.network.store(nodeId);
      const row = model && (await store.get(`device/${toHex(model.deviceId)}`));
      if (row === undefined) throw new Error('the model is enrolled');
      await store.commit(ids.map((id) => ({ key: `device/${toHex(id)}`, value: row.value })));
    }
    model?.close();
    return ids.map((deviceId) => ({ deviceId }));
  }

  /** The rows of a node below a prefix. */
  async rows(nodeId: string, prefix: string): Promise<readonly string[]> {
    const rows = await this.network.store(nodeId).scan(prefix);
    return rows.map(({ key }) => key);
  }

  async stop(): Promise<void> {
    for (const { device } of this.#members) device.close();
    await this.network.stop();
  }
}

/** The fingerprint of the epoch that a member holds as its newest. */
export function fingerprintOf(member: GroupDevice, group: TestGroup): string | undefined {
  const epoch = member.groups.get(group.hex)?.epochs[0];
  return epoch && `${epoch.header.epoch} ${toHex(epoch.epochId)} ${toHex(epoch.fingerprint)}`;
}
