import { believedEpoch } from '@symmetra/protocol';
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

/** Whether another deal may pass where one was refused with this code. */
export function isReplanned(code: string): boolean {
  return REPLANNED.has(code);
}

/** GRP-3: the newest epoch that there is, as far as a dealer believes refusals. */
export function newestNamed(refusals: readonly unknown[], { header }: GroupBase): number {
  const named = refusals
    .map((refusal) => Number(asSymmetraError(refusal).details['epoch'] ?? 0))
    .filter(Number.isSafeInteger);
  return believedEpoch(header.epoch, named, header.threshold);
}
