import { equalConstantTime, toHex } from '@symmetra/crypto';
import { decodeGroupHeader, groupSecrets } from '@symmetra/protocol';
import type { Deal, GroupHeader, MemberGroup } from '@symmetra/protocol';
import { splitsOf } from './collusion-attacker.js';
import type { CollusionGroupWorld, GroupNodeView } from './collusion-group-world.js';
import { TreeThief } from './group-mallory.js';
import { NODE_IDS } from './node-identity.js';

/** An epoch as it was seen on the wire, with the shares of it that the attacker has, by place. */
interface SeenEpoch {
  readonly bytes: Uint8Array;
  readonly tag: Uint8Array;
  readonly header: GroupHeader;
  readonly shares: Map<number, Uint8Array>;
}

/**
 * Computes every application key of a group that follows from what it has been told, whoever told it: it follows each
 * node's tree with the keys that devices held, opens what was broadcast, and combines the shares that it has in every way.
 */
export class GroupAttacker {
  readonly #world: CollusionGroupWorld;
  readonly #thieves: ReadonlyMap<string, TreeThief>;
  readonly #seen = new Map<string, SeenEpoch>();
  readonly #keys = new Set<string>();

  constructor(world: CollusionGroupWorld) {
    this.#world = world;
    this.#thieves = new Map(NODE_IDS.map((id) => [id, new TreeThief(world.scopeOf(id))]));
  }

  /** Every header that was dealt is public to who is asked; every broadcast is on the wire. */
  hear(): void {
    const { context, epochs, wire, signing } = this.#world;
    for (const { deal } of epochs) this.#see(deal);
    for (const signed of wire) {
      const broadcast = signing.read(context, signed);
      if (broadcast.kind !== 'epoch') continue;
      const { epochs: dealt } = this.#world;
      const epoch = dealt.find(({ deal }) => equalConstantTime(deal.header, broadcast.headerBytes));
      if (epoch !== undefined) {
        this.#thieves.get(broadcast.nodeId)?.hear({ ...broadcast, epochId: epoch.deal.epochId });
      }
    }
  }

  #see({ header: bytes, tag, epochId }: Deal): void {
    const header = decodeGroupHeader(this.#world.context, bytes);
    this.#seen.set(toHex(epochId), { bytes, tag, header, shares: new Map() });
  }

  /** Everything that a device held in one state. */
  learnState(device: string, { paths, epochs, gatherings }: MemberGroup): void {
    for (const { nodeId, place, step, keys } of paths) {
      this.#thieves.get(nodeId)?.learnPath(device, place, step, keys.bytes);
    }
    for (const { applicationKey } of epochs) this.#keys.add(toHex(applicationKey.bytes));
    for (const { epochId, shares } of gatherings) {
      for (const { nodeId, share } of shares) this.learnShare(nodeId, epochId, share.bytes);
    }
  }

  /** Everything that a node ever stored; its tree opens nothing that its shares do not. */
  learnNode({ id, shares }: GroupNodeView): void {
    for (const [epochId, share] of shares) {
      this.#seen.get(epochId)?.shares.set(placeOf(id), share);
    }
  }

  learnShare(nodeId: string, epochId: Uint8Array, share: Uint8Array): void {
    this.#seen.get(toHex(epochId))?.shares.set(placeOf(nodeId), share);
  }

  /** A deal that the attacker made itself. */
  learnDeal(deal: Deal): void {
    this.#see(deal);
    for (const [i, share] of deal.shares.entries()) {
      this.learnShare(NODE_IDS[i] as string, deal.epochId, share.bytes);
    }
  }

  /** Every application key that follows, in hexadecimal. */
  compute(): ReadonlySet<string> {
    for (const [nodeId, thief] of this.#thieves) {
      for (const [epochId, { share }] of thief.shares()) {
        if (share !== undefined) this.#seen.get(epochId)?.shares.set(placeOf(nodeId), share);
      }
    }
    for (const epoch of this.#seen.values()) this.#tryShares(epoch);
    return this.#keys;
  }

  #tryShares({ bytes, tag, header, shares }: SeenEpoch): void {
    for (const split of splitsOf(shares)) {
      const secrets = groupSecrets(this.#world.context, bytes, header, split);
      if (equalConstantTime(secrets.tag, tag)) this.#keys.add(toHex(secrets.applicationKey.bytes));
    }
  }
}

function placeOf(nodeId: string): number {
  return NODE_IDS.indexOf(nodeId as (typeof NODE_IDS)[number]) + 1;
}
