import { describe, expect, test } from 'vitest';
import { SymmetraError, suites } from '@symmetra/crypto';
import { decodeGroupHeader } from '@symmetra/protocol';
import { newestBase } from '../../packages/sdk/src/group/group-base.js';
import type { GroupBase } from '../../packages/sdk/src/group/group-base.js';
import { Rosters } from '../../packages/sdk/src/group/rosters.js';
import { GROUP_ID, GroupScene, NODE_IDS, deviceOf } from './group-world.js';
import type { DealtEpoch } from './group-world.js';
import { CONTEXT } from './protocol-world.js';

const epoch = (number: number): DealtEpoch =>
  new GroupScene(suites.get(1)).deal({ added: ['alice', 'bob'], epoch: number });

const baseOf = ({ deal }: DealtEpoch): GroupBase => ({
  header: decodeGroupHeader(CONTEXT, deal.header),
  epochId: deal.epochId,
});

/** The number of the epoch that a dealer follows, when the three nodes have these in force. */
async function followed(
  atNodes: readonly (DealtEpoch | undefined)[],
  tries: number,
  held?: DealtEpoch,
): Promise<number> {
  const parts = {
    context: CONTEXT,
    descriptors: { current: { nodes: NODE_IDS.map((id) => ({ id })), threshold: 2 } },
    connection: () => ({
      call: async (nodeId: string) => {
        const inForce = atNodes[NODE_IDS.findIndex((id) => id === nodeId)];
        if (inForce === undefined) throw new SymmetraError('NODE_UNREACHABLE', 'the node is down');
        return { header: inForce.deal.header };
      },
    }),
    store: { newest: () => held && baseOf(held) },
  } as unknown as Parameters<typeof newestBase>[0];
  return (await newestBase(parts, GROUP_ID, undefined, tries)).header.epoch;
}

describe('GRP-11: the epoch that a deal follows', () => {
  const [two, three, four] = [epoch(2), epoch(3), epoch(4)];

  test('what k nodes have in force, or what is held and newer', async () => {
    expect(await followed([two, two, four], 0)).toBe(2);
    expect(await followed([two, two, four], 0, three)).toBe(3);
    expect(await followed([three, three, undefined], 0, two)).toBe(3);
  });

  test('while nobody follows that, what most nodes have, then what any has, then the first again', async () => {
    expect(await followed([two, two, four], 1, three)).toBe(2);
    expect(await followed([two, two, four], 2, three)).toBe(4);
    expect(await followed([two, two, four], 3, three)).toBe(3);
  });

  test('a dealer that holds none, at nodes of which no two agree, takes the newest', async () => {
    expect(await followed([two, four, three], 0)).toBe(4);
    expect(await followed([two, three, undefined], 1)).toBe(3);
  });

  test('GRP-3: a number that one node makes up is not believed', async () => {
    const madeUp = epoch(2 ** 52);
    for (const tries of [0, 1, 2]) expect(await followed([madeUp, two, undefined], tries)).toBe(2);
    const high = epoch(2 ** 52 - 1);
    expect(await followed([madeUp, high, two], 2)).toBe(2 ** 52 - 1);
  });

  test('too few nodes, and nothing held: why they name none', async () => {
    await expect(followed([two, undefined, undefined], 0)).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
    });
    expect(await followed([undefined, undefined, undefined], 2, three)).toBe(3);
  });
});

describe('GRP-2: a roster that is read from nodes', () => {
  test('BAD_MESSAGE: pages without an end, or of few members, keep nobody busy', async () => {
    const base = baseOf(epoch(2));
    let calls = 0;
    const call = async (_node: string, _method: string, { from }: { from: number }) => {
      calls += 1;
      const entries = [{ place: from, device: deviceOf(`member ${from}`), confirmed: true }];
      return { epochId: base.epochId, header: new Uint8Array(0), entries, next: from + 1 };
    };
    const rosters = new Rosters(() => ({ call }) as never);
    await expect(rosters.of(base)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    expect(calls).toBe(3 * 17);
  });
});
