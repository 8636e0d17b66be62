import { describe, expect, test } from 'vitest';
import { toBase32, toHex } from '@symmetra/crypto';
import { GROUP_ID, NODE_IDS, deviceOf } from './group-world.js';
import { FakeNodes, sceneDevice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const idOf = (name: string): string => toBase32(deviceOf(name));

/** Alice, and the group that she made with Bob and Carol. */
async function created(): Promise<{ readonly nodes: FakeNodes; readonly alice: SceneDevice }> {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes);
  const creating = alice.group.create({ members: [idOf('bob'), idOf('carol')], managers: [idOf('bob')] });
  await alice.pass(500);
  await creating;
  return { nodes, alice };
}

async function leave(alice: SceneDevice): Promise<unknown> {
  const leaving = alice.group.leave(ID).catch((error: unknown) => error);
  await alice.pass(100);
  return leaving;
}

const told = (nodes: FakeNodes): readonly string[] =>
  nodes.calls.filter(({ method }) => method === 'Leave').map(({ nodeId }) => nodeId);

const owed = async ({ state }: SceneDevice): Promise<readonly string[]> =>
  (await state.list('group-left/')).map(({ name }) => name);

describe('GRP-10: a device that leaves', () => {
  test('tells every node; nothing is left to do when all took it', async () => {
    const { nodes, alice } = await created();
    expect(await leave(alice)).toBeUndefined();
    expect(told(nodes)).toEqual([...NODE_IDS]);
    expect(await owed(alice)).toEqual([]);
  });

  test('tells a node that is away as soon as it is back, also from another process, and once', async () => {
    const { nodes, alice } = await created();
    nodes.down.add('cairo');
    expect(await leave(alice)).toBeUndefined();
    expect(alice.group.list()).toEqual([]);
    await alice.pass(5000);
    expect(await owed(alice)).toEqual([ID]);
    alice.crash();
    nodes.down.clear();
    nodes.calls.splice(0);
    const again = await sceneDevice('alice', nodes, { store: alice.store, clock: alice.clock });
    again.groups.bound();
    await again.pass(60_000);
    expect(told(nodes)).toEqual(['cairo']);
    expect(await owed(again)).toEqual([]);
  });

  test('stays when fewer than k nodes took it', async () => {
    const { nodes, alice } = await created();
    nodes.down.add('bern').add('cairo');
    expect(await leave(alice)).toMatchObject({ code: 'NODE_UNREACHABLE' });
    expect(alice.group.list()).toHaveLength(1);
    expect(await owed(alice)).toEqual([]);
  });

  test('tells nobody any more when it was removed and is a member again; while it was not removed, it does', async () => {
    const { nodes, alice } = await created();
    const bob = await sceneDevice('bob', nodes, { clock: alice.clock });
    nodes.deliver('bob');
    nodes.down.add('cairo');
    const dealt = async (dealing: Promise<unknown>): Promise<void> => {
      await alice.pass(3000);
      await dealing;
    };
    expect(await leave(alice)).toBeUndefined();
    await dealt(bob.group.rotate(ID));
    expect(alice.group.show(ID)).toMatchObject({ epoch: 2 });
    expect(await owed(alice)).toEqual([ID]);
    await dealt(bob.group.remove(ID, [idOf('alice')]));
    await dealt(bob.group.add(ID, [idOf('alice')]));
    expect(alice.group.show(ID)).toMatchObject({ epoch: 4 });
    expect(await owed(alice)).toEqual([]);
    nodes.down.clear();
    nodes.calls.splice(0);
    await alice.pass(70_000);
    expect(told(nodes)).toEqual([]);
  });
});
