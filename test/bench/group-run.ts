import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { InProcessNetwork } from '@symmetra/bus';
import { signatureKeygen, suites, toHex } from '@symmetra/crypto';
import { describeIdentity } from '@symmetra/node';
import { Roster, dealEpoch, groupCoinLength, signDescriptor } from '@symmetra/protocol';
import type { Deal, Descriptor, ProtocolContext } from '@symmetra/protocol';
import { Arrivals, BenchMember } from './group-member.js';
import { GroupNode } from './group-node.js';

const NODES = 3;
const THRESHOLD = 2;
const PART = 1000;
const MAX_NAMED = 512;
const UPKEEP_MS = 60_000;
const NOTHING = new Uint8Array(0);
const SERVICE = '/symmetra.group.v1.GroupService';

const fresh = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** What one epoch cost. All nodes and members share a process and take turns: their times add up. */
export interface EpochCost {
  readonly dealerCpuMs: number;
  readonly dealerBytes: number;
  /** Of all nodes together. */
  readonly nodesCpuMs: number;
  /** From the dealer's start until everything has left the nodes. */
  readonly nodesMs: number;
  /** Of all members that took the epoch. */
  readonly membersCpuMs: number;
  readonly membersMs: number;
  readonly members: number;
  /** What one member got, and what of it each node made. */
  readonly memberBytes: number;
  readonly bytesPerNode: number;
}

/** Three nodes, and the members of one group. */
export class GroupBenchRun {
  readonly nodes: readonly GroupNode[];
  readonly members: readonly BenchMember[];
  readonly #context: ProtocolContext;
  readonly #descriptor: Descriptor;
  readonly #groupId = fresh(16);
  readonly #roster = Roster.of([]);
  readonly #arrivals = new Arrivals();
  #epoch = 0;
  #epochId: Uint8Array = NOTHING;
  #barrier = 0;

  private constructor(nodes: readonly GroupNode[], size: number) {
    this.nodes = nodes;
    const root = signatureKeygen(fresh(32));
    this.#descriptor = {
      networkId: fresh(16),
      version: 1,
      nodes: nodes.map(({ identity }, i) => describeIdentity(identity, [`127.0.0.1:${i + 1}`], 'bench')),
      suites: suites.ids(),
      threshold: THRESHOLD,
      administrators: [signatureKeygen(fresh(32)).publicKey],
      administratorThreshold: 1,
    };
    this.#context = { networkId: this.#descriptor.networkId, suites };
    const signed = signDescriptor(this.#descriptor, root.secretKey, root.publicKey);
    const [first] = nodes;
    if (first === undefined) throw new Error('there are nodes');
    const wire = new InProcessNetwork({ clock: first.clock });
    for (const node of nodes) node.begin(wire, signed, this.#descriptor);
    this.members = Array.from({ length: size }, (_, i) => this.#join(nodes[i % nodes.length] ?? first));
  }

  static async start(folder: string, size: number): Promise<GroupBenchRun> {
    const ids = Array.from({ length: NODES }, (_, i) => `node-${i + 1}`);
    return new GroupBenchRun(
      await Promise.all(ids.map(async (id) => GroupNode.open(join(folder, id), id))),
      size,
    );
  }

  /** The first epoch: every member gets a welcome of each node. */
  async create(): Promise<EpochCost> {
    const { members } = this;
    return this.#deal({ added: members, takers: members });
  }

  /** From now on only these members take epochs; the others get them. */
  follow(members: readonly BenchMember[]): void {
    for (const member of this.members) member.follows = members.includes(member);
  }

  /** A rotation, or a removal: every member gets a broadcast of each node. */
  async next(removed: readonly BenchMember[] = []): Promise<EpochCost> {
    for (const member of removed) member.arrivals = undefined;
    return this.#deal({ removed, takers: this.members.filter(({ follows }) => follows) });
  }

  /** Has members confirm the newest epoch to all nodes. @returns CPU milliseconds of the nodes together, and the callers */
  async confirm(members: readonly BenchMember[]): Promise<number> {
    const request = { groupId: this.#groupId, epochId: this.#epochId };
    const before = cpuMs();
    for (const member of members) {
      await Promise.all(this.nodes.map(async (node) => member.call(node, `${SERVICE}/Confirm`, request)));
    }
    return cpuMs() - before;
  }

  /** Lets the background bring all trees to their step. @returns CPU milliseconds of the nodes together */
  async upkeep(): Promise<number> {
    const before = cpuMs();
    for (const { clock } of this.nodes) clock.fire(UPKEEP_MS);
    for (let idle = 0, last = cpuMs(); idle < 3;) {
      await pause(50);
      idle = cpuMs() - last < 2 ? idle + 1 : 0;
      last = cpuMs();
    }
    return cpuMs() - before;
  }

  async end(): Promise<void> {
    for (const node of this.nodes) await node.end();
  }

  #join(home: GroupNode): BenchMember {
    const member = new BenchMember(this.#context, this.#descriptor, fresh(32));
    member.arrivals = this.#arrivals;
    for (const node of this.nodes) {
      const link = node === home ? member : undefined;
      member.ends.set(node.id, node.attach(this.#context, member.deviceId, home.id, link));
    }
    return member;
  }

  async #deal(request: {
    readonly added?: readonly BenchMember[];
    readonly removed?: readonly BenchMember[];
    readonly takers: readonly BenchMember[];
  }): Promise<EpochCost> {
    const { added = [], removed = [], takers } = request;
    const [dealer] = this.members;
    if (dealer === undefined) throw new Error('a group has a dealer');
    for (const member of this.members) member.skip();
    const arrived = this.#arrivals.expect((this.#roster.size + added.length - removed.length) * NODES);
    const began = performance.now();
    const first = cpuMs();
    const named = {
      added: added.map(({ deviceId }) => deviceId),
      removed: removed.map(({ deviceId }) => deviceId),
    };
    const { deal, accept } = this.#dealt(dealer, named);
    const second = cpuMs();
    const sent = await Promise.all(
      this.nodes.map(async (node, i) => this.#send(node, dealer, deal, i, named)),
    );
    await arrived;
    const ended = performance.now();
    const third = cpuMs();
    accept();
    const memberBytes = dealer.arrivedBytes;
    for (const member of takers) this.#takes(member);
    return {
      dealerCpuMs: second - first,
      dealerBytes: sent.reduce((sum, bytes) => sum + bytes, 0),
      nodesCpuMs: third - second,
      nodesMs: ended - began,
      membersCpuMs: cpuMs() - third,
      membersMs: performance.now() - ended,
      members: takers.length,
      memberBytes,
      bytesPerNode: memberBytes / NODES,
    };
  }

  #takes(member: BenchMember): void {
    const epoch = member.take(this.#groupId);
    if (epoch === undefined || toHex(epoch.epochId) !== toHex(this.#epochId)) {
      throw new Error(`a member did not get epoch ${this.#epoch}`);
    }
  }

  /** GRP-3, without sending. */
  #dealt(
    dealer: BenchMember,
    { added, removed }: { readonly added: readonly Uint8Array[]; readonly removed: readonly Uint8Array[] },
  ): { readonly deal: Deal; readonly accept: () => void } {
    const changes = this.#roster.plan(removed, added);
    const { size, height, root } = this.#roster.outcome(changes);
    const epoch = this.#epoch + 1;
    const barrier = removed.length > 0 ? epoch : this.#barrier;
    const request = {
      suiteId: 1,
      groupId: this.#groupId,
      epoch,
      previous: this.#epochId,
      barrier,
      dealer: dealer.deviceId,
      managers: [dealer.deviceId],
      members: size,
      height,
      rosterRoot: root,
      purpose: 'bench',
      keyLength: 32,
      limits: { lifetimeSeconds: 7200, uses: 0 },
      threshold: THRESHOLD,
      nodes: this.nodes.map(({ id }) => id),
      descriptorVersion: 1,
      policyRevision: 1,
    };
    const random = { secret: fresh(32), coins: fresh(groupCoinLength(THRESHOLD)) };
    const deal = dealEpoch(this.#context, request, random);
    const accept = (): void => {
      this.#roster.apply(changes);
      [this.#epoch, this.#epochId, this.#barrier] = [epoch, deal.epochId, barrier];
    };
    return { deal, accept };
  }

  /** @returns bytes of the sealed calls */
  async #send(
    node: GroupNode,
    dealer: BenchMember,
    { header, tag, shares }: Deal,
    place: number,
    { added, removed }: { readonly added: readonly Uint8Array[]; readonly removed: readonly Uint8Array[] },
  ): Promise<number> {
    const isStaged = added.length > MAX_NAMED;
    const staged = isStaged ? added : [];
    let bytes = 0;
    for (let offset = 0; offset < staged.length; offset += PART) {
      const members = Buffer.concat(staged.slice(offset, offset + PART));
      const part = { groupId: this.#groupId, epoch: this.#epoch + 1, offset, members };
      bytes += await dealer.call(node, `${SERVICE}/Stage`, part);
    }
    const request = {
      header,
      tag,
      share: shares[place]?.bytes ?? NOTHING,
      removed: Buffer.concat(removed),
      added: isStaged ? NOTHING : Buffer.concat(added),
      staged: staged.length,
    };
    return bytes + (await dealer.call(node, `${SERVICE}/Deal`, request));
  }
}

/** What this process has used so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
