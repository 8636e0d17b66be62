import { combine, suites } from '@symmetra/crypto';
import {
  MAX_EPOCH_SKIP,
  believedEpoch,
  dealEpoch,
  decodeGroupHeader,
  decodeState,
  encodeState,
  groupCoinLength,
  groupSecrets,
  groupShareCommitment,
} from '@symmetra/protocol';
import type { Deal } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, CAROL, dealOn, nodeNames } from './group-nodes.js';
import { CONTEXT, SUITES, codeOf, flipped } from './protocol-world.js';

const { request } = dealOn(undefined, nodeNames(5), 3, { added: [ALICE, BOB, CAROL] });
const random = (seed: string): { secret: Uint8Array; coins: Uint8Array } => {
  const prng = new Prng(seed);
  return { secret: prng.bytes(32), coins: prng.bytes(groupCoinLength(3)) };
};

describe('GRP-3: dealing an epoch', () => {
  it.each(SUITES.map((suite) => [suite.name, suite] as const))(
    'gives k shares the same secrets, %s',
    (_, suite) => {
      const asked = { ...request, suiteId: suite.id };
      const deal = dealEpoch(CONTEXT, asked, random('one'));
      const header = decodeGroupHeader(CONTEXT, deal.header);
      const of = (places: readonly number[]): ReturnType<typeof groupSecrets> => {
        const shares = places.map((x) => ({ x, bytes: deal.shares[x - 1]?.bytes as Uint8Array }));
        return groupSecrets(CONTEXT, deal.header, header, combine(shares));
      };
      const secrets = of([1, 3, 5]);
      const again = of([2, 3, 4]);
      expect(secrets.tag).toEqual(deal.tag);
      expect(again.applicationKey.bytes).toEqual(secrets.applicationKey.bytes);
      expect(again.messageKey.bytes).toEqual(secrets.messageKey.bytes);
      expect(again.fingerprint).toEqual(secrets.fingerprint);
      expect(secrets.applicationKey.bytes).toHaveLength(header.keyLength);
      expect(secrets.messageKey.bytes).toHaveLength(suite.hashLength);
      expect(secrets.fingerprint).toHaveLength(16);
      expect(of([1, 2]).tag).not.toEqual(deal.tag);
      expect(groupShareCommitment(suite, header, 0, random('one').secret)).toEqual(header.commitments[0]);
      deal.shares.forEach((share, i) => {
        expect(groupShareCommitment(suite, header, i + 1, share.bytes)).toEqual(header.commitments[i + 1]);
      });
    },
  );

  it('binds every secret to the whole header', () => {
    const split = random('one').secret;
    const one = dealEpoch(CONTEXT, request, random('one'));
    const other = dealEpoch(CONTEXT, { ...request, policyRevision: 2 }, random('one'));
    const [first, second] = [one, other].map(({ header }) =>
      groupSecrets(CONTEXT, header, decodeGroupHeader(CONTEXT, header), split),
    );
    expect(first?.applicationKey.bytes).not.toEqual(second?.applicationKey.bytes);
    expect(first?.messageKey.bytes).not.toEqual(second?.messageKey.bytes);
    expect(first?.fingerprint).not.toEqual(second?.fingerprint);
    expect(flipped(one.tag)).not.toEqual(one.tag);
    expect(one.dealHash).not.toEqual(other.dealHash);
  });

  it('erases the secret and its coins, whether it deals or not', () => {
    const used = random('used');
    dealEpoch(CONTEXT, request, used);
    expect([...used.secret, ...used.coins].every((byte) => byte === 0)).toBe(true);
    const unused = random('unused');
    expect(codeOf(() => dealEpoch(CONTEXT, { ...request, purpose: '' }, unused))).toBe('BAD_HEADER');
    expect([...unused.secret, ...unused.coins].every((byte) => byte === 0)).toBe(true);
  });

  it('names what is wrong with a request', () => {
    const code = (fields: object, coins = groupCoinLength(3)): string =>
      codeOf(() =>
        dealEpoch(
          CONTEXT,
          { ...request, ...fields },
          { secret: new Prng('s').bytes(32), coins: new Prng('c').bytes(coins) },
        ),
      );
    expect(code({ suiteId: 9 })).toBe('SUITE_UNKNOWN');
    expect(code({ threshold: 6 }, groupCoinLength(6))).toBe('BAD_THRESHOLD');
    expect(code({}, 1)).toBe('BAD_COINS');
    expect(code({ managers: [] })).toBe('BAD_HEADER');
  });

  it('outlives a restart of the dealer unchanged', () => {
    const deal = dealEpoch(CONTEXT, request, random('stored'));
    const read = decodeState<Deal>(encodeState(deal));
    expect(read.header).toEqual(deal.header);
    expect(read.shares.map(({ bytes }) => bytes)).toEqual(deal.shares.map(({ bytes }) => bytes));
    expect(suites.get(1).hash(read.header)).toEqual(deal.epochId);
  });

  it('believes a number when it is near, or when k nodes name it: one node can not use the numbers up', () => {
    const far = Number.MAX_SAFE_INTEGER;
    expect(believedEpoch(7, [], 2)).toBe(7);
    expect(believedEpoch(7, [3, 9], 2)).toBe(9);
    expect(believedEpoch(7, [7 + MAX_EPOCH_SKIP], 2)).toBe(7 + MAX_EPOCH_SKIP);
    expect(believedEpoch(7, [far, 8], 2)).toBe(8);
    expect(believedEpoch(7, [far, far - 5], 2)).toBe(far - 5);
  });
});
