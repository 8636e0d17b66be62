import { describe, expect, test } from 'vitest';
import { suites, toBase32, toHex, utf8 } from '@symmetra/crypto';
import { decodeGroupHeader } from '@symmetra/protocol';
import { GROUP_ID, GroupScene, NODE_IDS, deviceOf } from './group-world.js';
import { CONTEXT } from './protocol-world.js';
import { FakeNodes, sceneDevice, signedNotice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const idOf = (name: string): string => toBase32(deviceOf(name));

/** Alice, and the group that she made with Bob, Carol and Dave. */
async function created(): Promise<{ readonly nodes: FakeNodes; readonly alice: SceneDevice }> {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes);
  const creating = alice.group.create({ members: ['bob', 'carol', 'dave'].map(idOf) });
  await alice.pass(500);
  await creating;
  return { nodes, alice };
}

const failuresOf = ({ told }: SceneDevice): readonly unknown[] =>
  told.filter(({ kind }) => kind === 'failure').map(({ about }) => about);

describe('GRP-9: an epoch that passes over one which the device held', () => {
  test('is refused and told once, whoever brings it', async () => {
    const { alice } = await created();
    const other = new GroupScene(suites.get(1));
    other.next({ added: ['alice', 'bob'], epoch: 9 });
    for (let times = 0; times < 2; times++) {
      for (const node of other.nodes) alice.groups.welcome(node.nodeId, node.welcome('alice') as never);
      await alice.pass(100);
    }
    expect(failuresOf(alice)).toEqual([
      expect.objectContaining({
        code: 'GROUP_FORK',
        details: { groupId: ID, epoch: 9, held: 1, dealer: idOf('alice') },
      }),
    ]);
    expect(alice.group.show(ID)).toMatchObject({ epoch: 1 });
  });
});

describe('GRP-10: a device that sends', () => {
  test('to a group with a revoked member is refused until the next epoch; with one that left for a while', async () => {
    const { nodes, alice } = await created();
    const bob = await sceneDevice('bob', nodes, { clock: alice.clock });
    nodes.deliver('bob');
    await bob.pass(100);
    const tell = (reason: 'left' | 'revoked', out: string): void => {
      for (const nodeId of ['amsterdam', 'bern']) {
        bob.groups.broadcast(signedNotice(nodes, nodeId, { reason, out: [deviceOf(out)] }));
      }
    };
    tell('left', 'carol');
    await bob.pass(100);
    await expect(bob.group.seal(ID, utf8('x'))).rejects.toMatchObject({ code: 'GROUP_SUSPENDED' });
    await bob.pass(20_000);
    await bob.group.seal(ID, utf8('x'));
    tell('revoked', 'dave');
    await bob.pass(100_000);
    await expect(bob.group.seal(ID, utf8('x'))).rejects.toMatchObject({ code: 'GROUP_SUSPENDED' });
    expect(bob.group.show(ID).suspended).toBe(true);
    const removing = alice.group.remove(ID, ['carol', 'dave'].map(idOf));
    await alice.pass(500);
    await removing;
    await bob.group.seal(ID, utf8('x'));
  });
});

describe('GRP-3: a member that tells one node alone that it leaves', () => {
  const left = (name: string): Record<string, string> => ({ device: idOf(name) });

  test('is removed when too many nodes refuse a deal for the sake of such members', async () => {
    const { nodes, alice } = await created();
    nodes.refuse('MEMBER_LEFT', left('carol'), ['amsterdam']);
    nodes.refuse('MEMBER_REVOKED', left('dave'), ['bern']);
    const rotating = alice.group.rotate(ID);
    await alice.pass(3000);
    expect(await rotating).toMatchObject({ epoch: 3, members: 2 });
    expect(nodes.roster.placeOf(deviceOf('carol'))).toBeUndefined();
    expect(nodes.roster.placeOf(deviceOf('dave'))).toBeUndefined();
  });

  test('one node names in vain: neither when the others take the deal, nor when one refuses it for something else', async () => {
    const { nodes, alice } = await created();
    nodes.refuse('MEMBER_LEFT', left('carol'), ['amsterdam', 'amsterdam']);
    const first = alice.group.rotate(ID);
    await alice.pass(8000);
    expect(await first).toMatchObject({ epoch: 2, members: 4 });
    nodes.refuse('GROUP_CONFLICT', { epoch: '4' }, ['bern']);
    const second = alice.group.rotate(ID);
    await alice.pass(3000);
    expect(await second).toMatchObject({ epoch: 5, members: 4 });
  });

  test('who is named is no stranger, not the dealer, and no device at all: nobody is removed', async () => {
    const { nodes, alice } = await created();
    for (const device of [idOf('frank'), idOf('alice'), '?']) {
      nodes.refuse('MEMBER_LEFT', { device }, ['amsterdam', 'bern']);
    }
    const rotating = alice.group.rotate(ID);
    await alice.pass(8000);
    expect(await rotating).toMatchObject({ members: 4 });
    const removed = NODE_IDS.flatMap((id) => nodes.deals(id)).filter((deal) => deal.removed.length > 0);
    expect(removed).toEqual([]);
    const headers = nodes.deals('cairo').map(({ header }) => decodeGroupHeader(CONTEXT, header).members);
    expect(new Set(headers)).toEqual(new Set([4]));
  });

  test('as many as nodes name one after the other are removed', async () => {
    const { nodes, alice } = await created();
    const members = Array.from({ length: 12 }, (_, i) => `member ${i}`);
    const adding = alice.group.add(ID, members.map(idOf));
    await alice.pass(500);
    await adding;
    for (const name of members) nodes.refuse('MEMBER_LEFT', left(name), ['amsterdam', 'bern']);
    const rotating = alice.group.rotate(ID);
    await alice.pass(20_000);
    expect(await rotating).toMatchObject({ members: 4 });
  });
});
