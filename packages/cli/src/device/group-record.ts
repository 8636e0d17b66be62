import type { GroupInfo } from '@symmetra/sdk';
import { grouped } from '../output.js';

/** A group as programs read it. */
export function groupFields({ groupId, epoch, epochId, members, fingerprint, ...rest }: GroupInfo): object {
  return { groupId, epoch, epochId, members, fingerprint, ...rest };
}

/** One line about a group, for people. */
export function groupRow(group: GroupInfo): string[] {
  return [
    group.groupId,
    `epoch ${group.epoch}`,
    membersOf(group),
    group.purpose,
    group.manager ? 'manager' : '',
    `until ${group.notAfter}`,
    group.suspended ? 'suspended' : '',
  ];
}

/** What a person compares and should know of a group. */
export function groupSentences(group: GroupInfo): string[] {
  return [
    `group ${group.groupId}, epoch ${group.epoch}`,
    `  fingerprint  ${grouped(group.fingerprint)}`,
    `  epoch id     ${group.epochId}`,
    `  members      ${group.members}`,
    `  accepted     ${group.accepted.map(({ epoch }) => epoch).join(', ')}`,
    `  purpose ${group.purpose}, suite ${group.suite}, until ${group.notAfter}`,
    ...(group.manager ? ['  this device may add, remove and rotate'] : []),
    ...(group.suspended ? ['  suspended: nothing is sent until the next epoch'] : []),
  ];
}

/** A new epoch in one line. */
export function epochSentence(group: GroupInfo): string {
  return `group ${group.groupId}: epoch ${group.epoch}, ${membersOf(group)}, fingerprint ${grouped(group.fingerprint)}`;
}

function membersOf({ members }: GroupInfo): string {
  return members === 1 ? '1 member' : `${members} members`;
}
