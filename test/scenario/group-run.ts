import { equalConstantTime, toHex } from '@symmetra/crypto';
import { echoQuorum } from '@symmetra/protocol';
import type { GroupDeal, NodeGroup } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { ALICE, BOB, CAROL, DAVE, dealOn, device, groupNodes, inForceAt, nodeNames } from './group-nodes.js';
import type { Base, Dealt, GroupNode } from './group-nodes.js';
import { codeOf } from './protocol-world.js';

const MEMBERS = [ALICE, BOB, CAROL, DAVE, ...Array.from({ length: 4 }, (_, i) => device(`member ${i}`))];
const MANAGERS = [ALICE, BOB];
const REFUSALS = new Set([
  'GROUP_EPOCH_OLD', 'GROUP_CONFLICT', 'GROUP_BEHIND', 'GROUP_NOT_MANAGER', 'MEMBER_LEFT', 'MEMBER_REVOKED',
  'MEMBER_UNKNOWN', 'MEMBER_TWICE', 'MANAGER_NOT_MEMBER', 'DEALER_NOT_MEMBER',
]); // prettier-ignore

/** One run: managers deal at once on what they know, deals and echoes are lost, nodes restart, members go. */
export class GroupRun {
  readonly prng: Prng;
  readonly nodes: readonly GroupNode[];
  readonly n: number;
  readonly k: number;
  readonly dealt: Dealt[] = [];
  readonly gone = new Map<string, 'left' | 'revoked'>();
  /** By epoch number: ids that are or were in force anywhere. */
  readonly ids = new Map<number, Set<string>>();
  /** By epoch id: how many nodes ever had it in force. */
  readonly had = new Map<string, number>();
  bases: Base[];

  constructor(seed: number) {
    this.prng = new Prng(`group echo run ${seed}`);
    this.n = 2 + this.below(4);
    this.k = 2 + this.below(this.n - 1);
    this.nodes = groupNodes(this.n, this.k);
    const header = { managers: MANAGERS };
    this.bases = [
      inForceAt(this.nodes, dealOn(undefined, nodeNames(this.n), this.k, { added: MEMBERS, header })),
    ];
  }

  below(limit: number): number {
    return (this.prng.bytes(1)[0] as number) % limit;
  }

  node(): GroupNode {
    return this.nodes[this.below(this.n)] as GroupNode;
  }

  step(i: number): void {
    const node = this.node();
    const action = this.below(16);
    if (action === 0 || this.dealt.length === 0) this.deal(i);
    else if (action < 8) this.send(this.recent(), node);
    else if (action < 14) {
      const other = this.node();
      if (other !== node) node.hear(other);
      this.settle(node);
    } else if (action === 14) node.restart();
    else if (this.below(3) === 0) this.leave(node);
  }

  recent(): Dealt {
    return this.dealt.at(-1 - this.below(Math.min(2, this.dealt.length))) as Dealt;
  }

  /** A manager deals on some epoch that was in force somewhere, with the number that it thinks is next. */
  deal(i: number): void {
    const base = this.bases[Math.max(0, this.bases.length - 1 - this.below(2))] as Base;
    const present = MEMBERS.filter((id) => base.roster.placeOf(id) !== undefined);
    const absent = MEMBERS.slice(2).filter(
      (id) => base.roster.placeOf(id) === undefined && !this.gone.has(toHex(id)),
    );
    const removed = present.slice(2).filter((id) => this.gone.has(toHex(id)) || this.below(8) === 0);
    const added = this.below(2) === 0 ? absent.slice(0, 1) : [];
    const epoch = base.epoch + 1 + this.below(3);
    const dealer = MANAGERS[this.below(2)] as Uint8Array;
    const barrier = removed.length > 0 ? epoch : base.barrier;
    this.dealt.push(
      dealOn(base, nodeNames(this.n), this.k, {
        dealer,
        removed,
        added,
        seed: `${i}`,
        header: { epoch, barrier },
      }),
    );
  }

  send(dealt: Dealt, node: GroupNode): string {
    const givers = this.nodes.filter((other) => other !== node).map((other) => other.given(dealt));
    const given = Object.assign({}, ...givers) as ReturnType<GroupNode['given']>;
    const part = dealt.parts[this.nodes.indexOf(node)] as GroupDeal;
    const code = codeOf(() =>
      node.receivePart({ ...part, share: part.share.slice() }, dealt.request.dealer, given),
    );
    if (code !== 'done' && !REFUSALS.has(code)) throw new Error(`a deal was refused with ${code}`);
    return code;
  }

  settle(node: GroupNode): void {
    if (!node.settle()) return;
    const inForce = node.state?.inForce;
    const dealt = this.dealt.find(({ deal }) =>
      equalConstantTime(deal.epochId, inForce?.epochId as Uint8Array),
    );
    const root = dealt?.next.roster.root();
    if (root === undefined || !equalConstantTime(node.roster.root(), root)) {
      throw new Error('an epoch has two rosters');
    }
    this.bases.push(dealt?.next as Base);
    const id = toHex(inForce?.epochId as Uint8Array);
    this.had.set(id, (this.had.get(id) ?? 0) + 1);
    const epoch = inForce?.epoch as number;
    this.ids.set(epoch, (this.ids.get(epoch) ?? new Set()).add(id));
  }

  /** Somebody goes; here it is known now, elsewhere later. */
  leave(node: GroupNode): void {
    const member = MEMBERS[2 + this.below(MEMBERS.length - 2)] as Uint8Array;
    const reason = this.gone.get(toHex(member)) ?? (this.below(2) === 0 ? 'left' : 'revoked');
    const isMember = node.roster.placeOf(member) !== undefined;
    if (!isMember) return;
    this.gone.set(toHex(member), reason);
    node.out(member, reason);
  }

  /** Everything arrives: one manager goes on dealing until all nodes have its epoch. */
  heal(): number {
    for (const [hex, reason] of this.gone) {
      const member = MEMBERS.find((id) => toHex(id) === hex) as Uint8Array;
      for (const node of this.nodes) if (node.roster.placeOf(member) !== undefined) node.out(member, reason);
    }
    for (let round = 1; round <= 2 * this.n; round++) {
      const base = round % 2 === 1 ? (this.held().at(-1) as Base) : this.inForceAt(round / 2 - 1);
      const epoch = Math.max(...this.nodes.map(({ state }) => state?.echoed?.epoch ?? 0)) + 1;
      // It wants all who are gone to be out, and nobody else.
      const removed = MEMBERS.filter(
        (id) => base.roster.placeOf(id) !== undefined && this.gone.has(toHex(id)),
      );
      const barrier = removed.length > 0 ? epoch : base.barrier;
      const wish = { removed, added: [], seed: `heal ${round}`, header: { epoch, barrier } };
      const dealt = dealOn(base, nodeNames(this.n), this.k, wish);
      this.dealt.push(dealt);
      for (let again = 0; again < this.n; again++) {
        for (const node of this.nodes) this.send(dealt, node);
        this.talk();
      }
      for (const node of this.nodes) this.settle(node);
      if (this.nodes.every(({ state }) => isInForce(state, dealt))) return round;
    }
    return 0;
  }

  /** GRP-5: whether each epoch that a member can hold comes, over others or not, from the one that it could hold before. */
  isOneChain(): boolean {
    const ids = this.held().map(({ epochId }) => toHex(epochId));
    return ids.slice(0, -1).every((id, i) => this.ancestorsOf(ids[i + 1] as string).includes(id));
  }

  ancestorsOf(id: string): string[] {
    const previous = this.dealt.find(({ deal }) => toHex(deal.epochId) === id)?.request.previous;
    return previous === undefined ? [] : [toHex(previous), ...this.ancestorsOf(toHex(previous))];
  }

  /** GRP-11: when no q nodes follow what its dealer holds, it takes what one node has in force. */
  inForceAt(place: number): Base {
    const inForce = this.nodes[place]?.state?.inForce;
    return this.bases.find((base) => equalConstantTime(base.epochId, inForce?.epochId as Uint8Array)) as Base;
  }

  talk(): void {
    for (const node of this.nodes) {
      for (const other of this.nodes) if (other !== node) node.hear(other);
    }
  }

  /** What a member can hold: the epochs that q nodes ever had in force, by number. */
  held(): Base[] {
    const quorum = echoQuorum(this.n, this.k);
    const byNumber = new Map(this.bases.map((base) => [base.epoch, base]));
    return [...byNumber.values()]
      .filter((base) => (this.had.get(toHex(base.epochId)) ?? this.n) >= quorum)
      .toSorted((one, other) => one.epoch - other.epoch);
  }
}

function isInForce(state: NodeGroup | undefined, { deal }: Dealt): boolean {
  return state?.inForce !== undefined && equalConstantTime(state.inForce.dealHash, deal.dealHash);
}
