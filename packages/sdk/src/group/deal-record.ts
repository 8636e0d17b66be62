import type { Deal, Share } from '@symmetra/protocol';
import type { DealPlan } from './deal-plan.js';

/** Row `group-deal/<group id>`: a deal, from when it is made until its epoch is held, overtaken or refused. */
export interface DealRecord {
  readonly groupId: Uint8Array;
  readonly epoch: number;
  readonly epochId: Uint8Array;
  /** Canonical bytes (GRP-1). */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  /** The node set, and the share of each. */
  readonly nodes: readonly string[];
  readonly threshold: number;
  readonly shares: readonly Share[];
  /** Device ids, relative to the epoch before. */
  readonly removed: readonly Uint8Array[];
  readonly added: readonly Uint8Array[];
}

/** A deal that was just made. @param set the node set and threshold that it is for */
export function dealRecord(
  { header: { groupId, epoch }, removed, added }: DealPlan,
  { epochId, header, tag, shares }: Deal,
  set: Pick<DealRecord, 'nodes' | 'threshold'>,
): DealRecord {
  return { groupId, epoch, epochId, header, tag, ...set, shares, removed, added };
}

/** What a deal came to. */
export type DealOutcome =
  /** This device holds its epoch; or it holds another one of this number or a higher one, or believes a notice of one. */
  | { readonly kind: 'held' | 'overtaken' }
  /** It is in force at enough nodes, and they bring it to nobody. */
  | { readonly kind: 'withheld' }
  /** So many nodes refused it that it can not come into force. */
  | { readonly kind: 'refused'; readonly refusals: readonly unknown[] };
