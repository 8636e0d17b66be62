import { describe, expect, test } from 'vitest';
import { SymmetraError, toBase32, toHex } from '@symmetra/crypto';
import { decodeGroupHeader } from '@symmetra/protocol';
import type { GroupHeader } from '@symmetra/protocol';
import { GROUP_ID, NODE_IDS, deviceOf } from './group-world.js';
import { CONTEXT } from './protocol-world.js';
import { FakeNodes, sceneDevice, signedNotice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const idOf = (name: string): string => toBase32(deviceOf(name));
const headerOf = ({ header }: { readonly header: Uint8Array }): GroupHeader =>
  decodeGroupHeader(CONTEXT, header);

/** Alice, and the group that she made with Bob and Carol. */
async function created(): Promise<{ readonly nodes: FakeNodes; readonly alice: SceneDevice }> {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes);
  const creating = alice.group.create({ members: [idOf('bob'), idOf('carol')], managers: [idOf('bob')] });
  await alice.pass(500);
  expect(await creating).toMatchObject({ groupId: ID, epoch: 1, members: 3, manager: true });
  return { nodes, alice };
}

/** The outcome of something that takes time. */
async function outcome(alice: SceneDevice, asked: Promise<unknown>, ms = 40_000): Promise<unknown> {
  const settled = asked.catch((error: unknown) => error);
  await alice.pass(ms);
  return settled;
}

describe('GRP-3: dealing', () => {
  test('one header and tag to all nodes, a share of its own to each; nothing of the deal is kept', async () => {
    const { nodes, alice } = await created();
    const deals = NODE_IDS.flatMap((id) => nodes.deals(id));
    expect(new Set(deals.map(({ header }) => toHex(header))).size).toBe(1);
    expect(headerOf(deals[0] as { header: Uint8Array })).toMatchObject({
      epoch: 1,
      barrier: 0,
      members: 3,
      height: 2,
      managers: [deviceOf('alice'), deviceOf('bob')],
      limits: { lifetimeSeconds: 7200, uses: 0 },
      descriptorVersion: 7,
      policyRevision: 3,
    });
    expect(await alice.state.list('group-deal/')).toEqual([]);
    expect(deals.every(({ share }) => share.every((byte) => byte === 0))).toBe(true);
    const confirmed = nodes.calls.filter(({ method }) => method === 'Confirm').map(({ nodeId }) => nodeId);
    expect(new Set(confirmed).size).toBeGreaterThanOrEqual(2);
  });

  test('a deal is stored before it is sent, and the next process sends the same again', async () => {
    const { nodes, alice } = await created();
    for (const id of NODE_IDS) nodes.down.add(id);
    const asked = outcome(alice, alice.group.remove(ID, [idOf('carol')]), 1000);
    await alice.pass(1000);
    expect(await alice.state.list('group-deal/')).toHaveLength(1);
    alice.crash();
    const [sent] = nodes.deals('bern').slice(-1);
    nodes.down.clear();
    const again = await sceneDevice('alice', nodes, { store: alice.store, clock: alice.clock });
    again.groups.bound();
    await again.pass(1000);
    expect(toHex(nodes.deals('bern').at(-1)?.header ?? new Uint8Array(0))).toBe(
      toHex(sent?.header ?? new Uint8Array(1)),
    );
    expect(again.group.show(ID)).toMatchObject({ epoch: 2, members: 2 });
    expect(await again.state.list('group-deal/')).toEqual([]);
    void asked;
  });

  test('GRP-11: after a conflict a higher epoch is dealt, and a number that one node makes up is not believed', async () => {
    const { nodes, alice } = await created();
    nodes.refuse('GROUP_CONFLICT', { epoch: '4' }, ['amsterdam']);
    nodes.refuse('GROUP_CONFLICT', { epoch: '90000000' }, ['bern']);
    expect(await outcome(alice, alice.group.rotate(ID), 3000)).toMatchObject({ epoch: 5 });
    expect(nodes.deals('cairo').map((deal) => headerOf(deal).epoch)).toEqual([1, 2, 5]);
  });

  test('a deal is overtaken by a notice of a higher epoch, and another one is dealt above that', async () => {
    const { nodes, alice } = await created();
    nodes.down.add('bern').add('cairo');
    const rotating = outcome(alice, alice.group.rotate(ID), 3000);
    await alice.pass(100);
    const epochId = nodes.deals('amsterdam').at(-1)?.tag ?? new Uint8Array(0);
    for (const nodeId of ['bern', 'cairo']) {
      alice.groups.broadcast(signedNotice(nodes, nodeId, { epoch: 5, epochId, out: [deviceOf('carol')] }));
    }
    nodes.down.clear();
    expect(await rotating).toMatchObject({ epoch: 6, members: 2 });
    expect(nodes.deals('amsterdam').map((deal) => headerOf(deal).epoch)).toEqual([1, 2, 6]);
  });

  test('a group that is dealt again for another descriptor has a number of its own', async () => {
    const nodes = new FakeNodes();
    const alice = await sceneDevice('alice', nodes);
    nodes.refuse('DESCRIPTOR_OLD', { version: '8' }, ['bern', 'cairo']);
    const creating = alice.group.create({ members: [idOf('bob')] });
    expect(await outcome(alice, creating, 1000)).toMatchObject({ epoch: 2, members: 2 });
    expect(nodes.deals('amsterdam').map((deal) => headerOf(deal).epoch)).toEqual([1, 2]);
    expect(nodes.inForce?.request.previous).toHaveLength(0);
  });

  test('a change that another dealer made meanwhile is not made twice', async () => {
    const nodes = new FakeNodes();
    const alice = await sceneDevice('alice', nodes);
    const bob = await sceneDevice('bob', nodes, { clock: alice.clock });
    await outcome(alice, alice.group.create({ members: [idOf('bob')], managers: [idOf('bob')] }), 500);
    nodes.deaf.add('alice');
    await outcome(bob, bob.group.add(ID, [idOf('dave')]), 500);
    const asked = alice.group.add(ID, [idOf('dave')]);
    await alice.pass(1000);
    expect(nodes.suspected).toContain('amsterdam');
    nodes.deaf.clear();
    nodes.deliver('alice');
    expect(await outcome(alice, asked, 500)).toMatchObject({ epoch: 2, members: 3 });
    expect(nodes.inForce?.request.epoch).toBe(2);
  });

  test('refused by too many nodes: their reason, and nothing is left of the deal', async () => {
    const { nodes, alice } = await created();
    nodes.refuse('MEMBER_NOT_ENROLLED', {}, [...NODE_IDS]);
    expect(await outcome(alice, alice.group.add(ID, [idOf('dave')]), 2000)).toMatchObject({
      code: 'MEMBER_NOT_ENROLLED',
    });
    expect(await alice.state.list('group-deal/')).toEqual([]);
    expect(alice.group.show(ID)).toMatchObject({ epoch: 1 });
  });

  test('a node that lags takes the deal a little later, with the same bytes', async () => {
    const { nodes, alice } = await created();
    nodes.refuse('GROUP_BEHIND', { epoch: '1' }, ['bern', 'cairo']);
    expect(await outcome(alice, alice.group.rotate(ID), 3000)).toMatchObject({ epoch: 2 });
    expect(nodes.deals('bern').map((deal) => headerOf(deal).epoch)).toEqual([1, 2, 2]);
  });

  test('GRP-3: what a home may have put in the place of answers is no refusal: the nodes are asked again', async () => {
    const { nodes, alice } = await created();
    nodes.refusals.set('bern', [new SymmetraError('STATE_LEFT', 'the node knows no state of this device')]);
    nodes.refusals.set('cairo', [new SymmetraError('MESSAGE_REPLAYED', 'not the reply to this request')]);
    expect(await outcome(alice, alice.group.rotate(ID), 3000)).toMatchObject({ epoch: 2 });
    expect(nodes.deals('cairo').map((deal) => headerOf(deal).epoch)).toEqual([1, 2, 2]);
    nodes.refuse('BAD_MESSAGE', {}, ['bern', 'cairo']);
    expect(await outcome(alice, alice.group.rotate(ID), 3000)).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  test('GRP-10: nodes that gave a deal up, because somebody left, are asked at once and dealt another', async () => {
    const { nodes, alice } = await created();
    nodes.down.add('bern').add('cairo');
    const adding = outcome(alice, alice.group.add(ID, [idOf('dave')]), 3000);
    await alice.pass(100);
    nodes.down.clear();
    nodes.refuse('MEMBER_LEFT');
    for (const nodeId of ['amsterdam', 'bern']) {
      alice.groups.broadcast(signedNotice(nodes, nodeId, { out: [deviceOf('carol')] }));
    }
    expect(await adding).toMatchObject({ epoch: 3, members: 3 });
    expect(nodes.roster.placeOf(deviceOf('carol'))).toBeUndefined();
    expect(nodes.roster.placeOf(deviceOf('dave'))).toBeDefined();
  });

  test('a later epoch asks for no more than policy allows by then', async () => {
    const { nodes, alice } = await created();
    const policy = { maximum: { lifetimeSeconds: 600, uses: 50 } };
    const again = await sceneDevice('alice', nodes, { store: alice.store, clock: alice.clock, policy });
    await outcome(again, again.group.rotate(ID), 500);
    expect(nodes.inForce?.request.limits).toEqual(policy.maximum);
  });

  test('the caller waits a bounded time; the deal goes on', async () => {
    const { nodes, alice } = await created();
    nodes.down.add('bern').add('cairo');
    expect(await outcome(alice, alice.group.rotate(ID))).toMatchObject({ code: 'NODE_UNREACHABLE' });
    nodes.down.clear();
    await alice.pass(20_000);
    expect(alice.group.show(ID)).toMatchObject({ epoch: 2 });
  });

  test('GRP-2: a large roster is staged in parts, and read in pages that must fit the header', async () => {
    const nodes = new FakeNodes();
    const alice = await sceneDevice('alice', nodes);
    const names = Array.from({ length: 1500 }, (_, i) => idOf(`member ${i}`));
    expect(await outcome(alice, alice.group.create({ members: names }), 500)).toMatchObject({
      members: 1501,
    });
    const parts = nodes.calls.filter(({ method, nodeId }) => method === 'Stage' && nodeId === 'bern');
    expect(parts.map(({ request }) => request['offset'])).toEqual([0, 1000]);
    expect(nodes.deals('bern')[0]).toMatchObject({ staged: 1501 });

    const again = await sceneDevice('alice', nodes, { store: alice.store, clock: alice.clock });
    const gone = names.slice(0, 600);
    expect(await outcome(again, again.group.remove(ID, gone), 500)).toMatchObject({ epoch: 3, members: 901 });
    expect(nodes.deals('bern').map(({ removed }) => removed.length / 32)).toEqual([0, 512, 88]);
  });
});
