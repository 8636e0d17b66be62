import { asSymmetraError } from '../failure.js';
import type { GroupBase } from './group-base.js';

/** After these another plan may fit. */
const REPLANNED = new Set([
  'GROUP_CONFLICT',
  'GROUP_EPOCH_OLD',
  'GROUP_BEHIND',
  'DESCRIPTOR_OLD',
  'MEMBER_LEFT',
  'MEMBER_REVOKED',
]);
/** GRP-3: how far above its own a dealer believes the number that one node names. */
const MAX_STEP = 65_536;

/** Whether another deal may pass where one was refused with this code. */
export function isReplanned(code: string): boolean {
  return REPLANNED.has(code);
}

/** GRP-3: the number of an epoch that refusals name, when it is near enough, or k nodes name as high a one. */
export function believedEpoch(refusals: readonly unknown[], { header }: GroupBase): number {
  const named = refusals
    .map((refusal) => Number(asSymmetraError(refusal).details['epoch'] ?? 0))
    .filter(Number.isSafeInteger)
    .toSorted((one, other) => other - one);
  const near = named.find((epoch) => epoch <= header.epoch + MAX_STEP);
  return Math.max(header.epoch, near ?? 0, named[header.threshold - 1] ?? 0);
}
