import { suites } from '@symmetra/crypto';
import {
  dealHash,
  decodeGroupHeader,
  encodeGroupHeader,
  groupEpochId,
  groupShareCommitment,
} from '@symmetra/protocol';
import type { GroupHeader } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, CAROL, GROUP_ID, dealOn, nodeNames } from './group-nodes.js';
import { CONTEXT, codeOf, flipped } from './protocol-world.js';

const { deal, request } = dealOn(undefined, nodeNames(3), 2, { added: [ALICE, BOB, CAROL] });
const header = decodeGroupHeader(CONTEXT, deal.header);
const suite = suites.get(1);

const codeWith = (fields: Partial<GroupHeader>): string =>
  codeOf(() => decodeGroupHeader(CONTEXT, encodeGroupHeader(CONTEXT, { ...header, ...fields })));

describe('GRP-1: the header of an epoch', () => {
  it('reads as it was written, and has one encoding', () => {
    const { commitments, ...rest } = header;
    expect(rest).toEqual(request);
    expect(commitments).toHaveLength(4);
    expect(encodeGroupHeader(CONTEXT, header)).toEqual(deal.header);
    expect(codeOf(() => decodeGroupHeader(CONTEXT, deal.header.slice(0, -1)))).toBe('BAD_ENCODING');
    expect(codeOf(() => decodeGroupHeader(CONTEXT, Uint8Array.of(...deal.header, 0)))).toBe('BAD_ENCODING');
  });

  it('is of this protocol, network and of a suite that is known', () => {
    expect(codeOf(() => decodeGroupHeader(CONTEXT, flipped(deal.header, 0)))).toBe('WRONG_VERSION');
    expect(codeOf(() => decodeGroupHeader(CONTEXT, flipped(deal.header, 1)))).toBe('WRONG_NETWORK');
    expect(codeWith({ suiteId: 9 })).toBe('SUITE_UNKNOWN');
  });

  it.each<[string, Partial<GroupHeader>]>([
    ['epoch 0', { epoch: 0 }],
    ['a previous epoch id of no suite', { previous: new Uint8Array(16) }],
    ['a barrier above the epoch', { previous: new Uint8Array(32), barrier: 2 }],
    ['a barrier in the first epoch', { barrier: 1 }],
    ['no manager', { managers: [] }],
    ['a manager twice', { managers: [ALICE, ALICE] }],
    ['no member', { members: 0 }],
    ['more members than places', { members: 16_385, height: 14 }],
    ['more members than its height holds', { members: 5, height: 2 }],
    ['a tree that is too high', { height: 15 }],
    ['no purpose', { purpose: '' }],
    ['a short key', { keyLength: 15 }],
    ['a long key', { keyLength: 65 }],
    ['no lifetime', { limits: { lifetimeSeconds: 0, uses: 0 } }],
    ['a node twice', { nodes: ['n1', 'n2', 'n2'] }],
    ['a threshold of one', { threshold: 1 }],
    ['a threshold above the nodes', { threshold: 4 }],
    ['a commitment too few', { commitments: header.commitments.slice(1) }],
    ['a commitment of another length', { commitments: header.commitments.map((one) => one.slice(1)) }],
  ])('refuses %s', (_, fields) => {
    expect(codeWith(fields)).toBe('BAD_HEADER');
  });

  it('takes a header that follows an epoch of another suite', () => {
    expect(codeWith({ previous: new Uint8Array(64), epoch: 2, barrier: 2 })).toBe('done');
  });

  it('commits to each share for group, epoch and place', () => {
    const share = deal.shares[1]?.bytes as Uint8Array;
    const commitment = groupShareCommitment(suite, header, 2, share);
    expect(commitment).toEqual(header.commitments[2]);
    expect(groupShareCommitment(suite, header, 1, share)).not.toEqual(commitment);
    expect(groupShareCommitment(suite, { groupId: GROUP_ID, epoch: 2 }, 2, share)).not.toEqual(commitment);
    expect(groupShareCommitment(suite, { groupId: ALICE.slice(16), epoch: 1 }, 2, share)).not.toEqual(
      commitment,
    );
  });

  it('is named by its hash; what nodes echo binds the tag as well', () => {
    expect(groupEpochId(suite, deal.header)).toEqual(deal.epochId);
    expect(dealHash(suite, deal.header, deal.tag)).toEqual(deal.dealHash);
    expect(dealHash(suite, deal.header, flipped(deal.tag))).not.toEqual(deal.dealHash);
  });
});
