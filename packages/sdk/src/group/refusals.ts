import { toBase32 } from '@symmetra/crypto';
import { believedEpoch } from '@symmetra/protocol';
import type { Roster } from '@symmetra/protocol';
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

/** Of a member that may not stay, with detail `device`. */
const OUT = new Set(['MEMBER_LEFT', 'MEMBER_REVOKED']);

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

/**
 * GRP-3: the device ids for whose sake nodes refuse a deal, when every refusal is for that. Others may not know yet that
 * they are out; no deal with them comes into force.
 */
export function namedOut(refusals: readonly unknown[]): readonly string[] {
  const errors = refusals.map(asSymmetraError);
  if (!errors.every(({ code }) => OUT.has(code))) return [];
  return errors.map(({ details }) => String(details['device']));
}

/** The members of a roster among device ids. */
export function membersNamed(roster: Roster, names: ReadonlySet<string>): readonly Uint8Array[] {
  if (names.size === 0) return [];
  return Array.from(roster.members(), ({ deviceId }) => deviceId).filter((id) => names.has(toBase32(id)));
}
