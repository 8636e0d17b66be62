import { describe, expect, test } from 'vitest';
import { toBase32, toHex } from '@symmetra/crypto';
import { Prng } from '@symmetra/testing';
import { GROUP_ID, deviceOf } from './group-world.js';
import { FakeNodes, sceneDevice, signedNotice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const MINUTE_MS = 60_000;
const idOf = (name: string): string => toBase32(deviceOf(name));

/** A group of Alice, Bob and Carol, of which Carol has no key. */
async function scene(): Promise<{ readonly nodes: FakeNodes; readonly carol: SceneDevice }> {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes);
  const carol = await sceneDevice('carol', nodes, { clock: alice.clock });
  carol.groups.bound();
  nodes.deaf.add('carol');
  const creating = alice.group.create({ members: [idOf('bob'), idOf('carol')] });
  await alice.pass(500);
  await creating;
  nodes.deaf.delete('carol');
  return { nodes, carol };
}

/** What a node says: that somebody is out, and that it is for Carol to deal. */
const say = (
  { nodes, carol }: { nodes: FakeNodes; carol: SceneDevice },
  nodeId: string,
  groupId = GROUP_ID,
  order = [deviceOf('carol')],
): void => {
  const out = [deviceOf('alice'), deviceOf('bob')];
  carol.groups.broadcast(signedNotice(nodes, nodeId, { groupId, out, order }));
};

const rows = async ({ state }: SceneDevice): Promise<readonly string[]> =>
  (await state.list('group/')).map(({ name }) => name);

describe('GRP-10: a notice of a group of which the device has no key', () => {
  test('k nodes that name it have it deal', async () => {
    const all = await scene();
    say(all, 'amsterdam');
    await all.carol.pass(500);
    expect(all.nodes.inForce?.request.epoch).toBe(1);
    say(all, 'bern');
    await all.carol.pass(1000);
    expect(all.nodes.inForce?.request).toMatchObject({ epoch: 2, dealer: deviceOf('carol'), members: 1 });
    expect(all.carol.group.show(ID)).toMatchObject({ epoch: 2, manager: true });
  });

  test('nothing is kept of one that does not name it', async () => {
    const all = await scene();
    for (const nodeId of ['amsterdam', 'bern']) say(all, nodeId, GROUP_ID, [deviceOf('dave')]);
    await all.carol.pass(100);
    expect(await rows(all.carol)).toEqual([]);
  });

  test('the word of one node is kept for 16 groups, and pushes out nothing of another', async () => {
    const all = await scene();
    const random = new Prng('groups');
    say(all, 'bern');
    for (let i = 0; i < 40; i++) say(all, 'amsterdam', random.bytes(16));
    await all.carol.pass(100);
    expect(await rows(all.carol)).toHaveLength(17);
    expect(await rows(all.carol)).toContain(ID);
    say(all, 'cairo');
    await all.carol.pass(1000);
    expect(all.carol.group.show(ID)).toMatchObject({ epoch: 2 });
    await all.carol.pass(16 * MINUTE_MS);
    expect(await rows(all.carol)).toEqual([ID]);
  });

  test('it is forgotten when no others say so for ten minutes', async () => {
    const all = await scene();
    say(all, 'amsterdam');
    await all.carol.pass(9 * MINUTE_MS);
    expect(await rows(all.carol)).toEqual([ID]);
    await all.carol.pass(7 * MINUTE_MS);
    expect(await rows(all.carol)).toEqual([]);
  });
});
