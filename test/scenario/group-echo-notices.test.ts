import { newMember, receiveDue } from '@symmetra/protocol';
import type { GroupDue, MemberGroup } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, CAROL, GROUP_ID, nodeNames } from './group-nodes.js';

const alice = newMember(GROUP_ID, ALICE, { threshold: 2, nodes: nodeNames(3) });
const notice = (node: number, epoch: number, fields: Partial<GroupDue> = {}): GroupDue => ({
  kind: 'due',
  nodeId: `n${node}`,
  groupId: GROUP_ID,
  epoch,
  epochId: new Uint8Array(32).fill(epoch),
  reason: 'revoked',
  out: [CAROL],
  order: [ALICE, BOB],
  boundSeconds: 10,
  ...fields,
});
/** What a member believes after some notices. */
function after(...notices: readonly GroupDue[]): unknown {
  let state: MemberGroup = alice;
  let kind: unknown;
  notices.forEach((due, i) => {
    const step = receiveDue(state, due, i);
    state = step.state;
    kind = step.output.kind === 'due' ? step.output.due : step.output.kind;
  });
  return kind;
}

describe('GRP-10, GRP-11: notices of nodes that are in different epochs', () => {
  it('k nodes that name one device are believed, of the older epoch', () => {
    expect(after(notice(1, 5), notice(2, 4))).toMatchObject({
      epoch: 4,
      out: [CAROL],
      sinceMs: 1,
      turn: { place: 0, of: 2 },
    });
  });

  it('one node is not, whatever epochs it names; nor are nodes that name different devices, or say used up', () => {
    expect(after(notice(1, 5), notice(1, 4), notice(1, 6))).toBe('nothing');
    expect(after(notice(1, 5), notice(2, 4, { out: [BOB] }))).toBe('nothing');
    const usedUp = { reason: 'used-up', out: [] } as const;
    expect(after(notice(1, 5, usedUp), notice(2, 4, usedUp))).toBe('nothing');
    expect(after(notice(1, 5, usedUp), notice(2, 4))).toBe('nothing');
  });

  it('nodes that agree on the epoch go before', () => {
    expect(after(notice(1, 5), notice(2, 4), notice(3, 5))).toMatchObject({ epoch: 5, out: [CAROL] });
  });
});
