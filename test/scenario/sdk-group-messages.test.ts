import { describe, expect, test } from 'vitest';
import { SymmetraError, toBase32, toHex, utf8 } from '@symmetra/crypto';
import { COUNTERS_AHEAD, encodeGroupDue, inspectGroupMessage } from '@symmetra/protocol';
import type { Store } from '@symmetra/storage';
import { openMemoryStore } from '@symmetra/storage';
import { EarlyMessages } from '../../packages/sdk/src/group/early-messages.js';
import type { GroupOptions } from '../../packages/sdk/src/group/group-info.js';
import { GROUP_ID, deviceOf } from './group-world.js';
import { CONTEXT } from './protocol-world.js';
import { FakeNodes, sceneDevice, signedNotice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const idOf = (name: string): string => toBase32(deviceOf(name));
const counterOf = (message: Uint8Array): number => inspectGroupMessage(message).counter;

/** Alice and Bob in a group that Alice made. */
async function couple(options: Partial<GroupOptions> = {}, store: Store = openMemoryStore()) {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes, { store });
  const bob = await sceneDevice('bob', nodes, { clock: alice.clock });
  const creating = alice.group.create({ members: [idOf('bob')], ...options });
  await alice.pass(300);
  await creating;
  return { nodes, alice, bob };
}

const restarted = async (nodes: FakeNodes, name: string, device: SceneDevice): Promise<SceneDevice> =>
  sceneDevice(name, nodes, { store: device.store, clock: device.clock });

describe('GRP-12: messages over crashes', () => {
  test('a counter is reserved before it is used, and none comes twice after a crash', async () => {
    const { nodes, alice, bob } = await couple();
    const sealed = [];
    for (let i = 0; i < 3; i++) sealed.push(await alice.group.seal(ID, utf8(`${i}`)));
    expect(sealed.map(counterOf)).toEqual([0, 1, 2]);
    alice.crash();
    const back = await restarted(nodes, 'alice', alice);
    const next = await back.group.seal(ID, utf8('after'));
    expect(counterOf(next)).toBe(COUNTERS_AHEAD);
    await back.groups.close();
    expect(counterOf(await (await restarted(nodes, 'alice', alice)).group.seal(ID, utf8('x')))).toBe(
      COUNTERS_AHEAD + 1,
    );
    for (const message of [...sealed, next]) await bob.group.open(message);
  });

  test('after a crash messages are refused rather than taken twice, at most 64 of them', async () => {
    const { nodes, alice, bob } = await couple();
    const sealed = [];
    for (let i = 0; i < 70; i++) sealed.push(await alice.group.seal(ID, utf8(`${i}`)));
    await bob.group.open(sealed[0] as Uint8Array);
    bob.crash();
    const back = await restarted(nodes, 'bob', bob);
    const codes = [];
    for (const message of sealed) {
      codes.push(
        await back.group.open(message).then(
          () => 'taken',
          (error: unknown) => (error as SymmetraError).code,
        ),
      );
    }
    const refused = codes.filter((code) => code === 'MESSAGE_REPLAYED').length;
    expect(codes[0]).toBe('MESSAGE_REPLAYED');
    expect(refused).toBeLessThanOrEqual(1 + COUNTERS_AHEAD);
    expect(codes.slice(refused).every((code) => code === 'taken')).toBe(true);
  });

  test('a disk that is full lets nothing out that it does not hold', async () => {
    const store = openMemoryStore();
    const full = { now: false };
    const failing: Store = {
      get: async (key) => store.get(key),
      scan: async (prefix, options) => store.scan(prefix, options),
      commit: async (changes) => {
        if (full.now) throw new SymmetraError('STORE_FULL', 'the disk is full');
        return store.commit(changes);
      },
      close: async () => store.close(),
    };
    const { nodes, alice, bob } = await couple({}, failing);
    const received = await bob.group.seal(ID, utf8('to alice'));
    full.now = true;
    await expect(alice.group.seal(ID, utf8('lost'))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(alice.group.open(received)).rejects.toMatchObject({ code: 'DISK_FULL' });
    full.now = false;
    const sealed = await alice.group.seal(ID, utf8('kept'));
    alice.crash();
    const back = await restarted(nodes, 'alice', alice);
    expect(counterOf(await back.group.seal(ID, utf8('next')))).toBeGreaterThan(counterOf(sealed));
  });
});

/** A store in which counters wait, when a test has them. */
function slowCounters() {
  const memory = openMemoryStore();
  const gate = { isShut: false, open: (): void => undefined };
  const store: Store = {
    get: async (key) => memory.get(key),
    scan: async (prefix, options) => memory.scan(prefix, options),
    commit: async (changes) => {
      if (gate.isShut && changes.some(({ key }) => key.startsWith('group-counter/'))) {
        await new Promise<void>((resolve) => {
          gate.open = resolve;
        });
      }
      return memory.commit(changes);
    },
    close: async () => memory.close(),
  };
  return { store, gate };
}

describe('GRP-10: a message whose counter is being stored', () => {
  test('is not sent when somebody is out by then', async () => {
    const { store, gate } = slowCounters();
    const { nodes, alice } = await couple({}, store);
    gate.isShut = true;
    const sealing = alice.group.seal(ID, utf8('late')).catch((error: unknown) => error);
    for (const nodeId of ['amsterdam', 'bern']) {
      alice.groups.broadcast(signedNotice(nodes, nodeId, { out: [deviceOf('bob')] }));
    }
    await alice.pass(100);
    gate.open();
    expect(await sealing).toMatchObject({ code: 'GROUP_SUSPENDED' });
  });
});

describe('GRP-12: what hangs on epochs that are over is forgotten', () => {
  test('not with that of an epoch which comes meanwhile', async () => {
    const { store, gate } = slowCounters();
    const { alice, bob } = await couple({}, store);
    const rotate = async (): Promise<void> => {
      const rotating = alice.group.rotate(ID);
      await alice.pass(300);
      await rotating;
    };
    await alice.group.seal(ID, utf8('of the first epoch'));
    await rotate();
    await rotate();
    gate.isShut = true;
    alice.groups.bound();
    await rotate();
    await alice.pass(300);
    await rotate();
    const message = await bob.group.seal(ID, utf8('of the fifth'));
    await alice.group.open(message);
    gate.open();
    await alice.pass(300);
    expect(await alice.state.list('group-counter/')).toEqual([]);
    await expect(alice.group.open(message)).rejects.toMatchObject({ code: 'MESSAGE_REPLAYED' });
  });

  test('nor when the device is closed', async () => {
    const { alice, bob } = await couple();
    await alice.group.open(await bob.group.seal(ID, utf8('heard')));
    await alice.group.seal(ID, utf8('said'));
    await alice.groups.close();
    await alice.groups.messages.sweep();
    expect(await alice.state.list('group-counter/')).toHaveLength(1);
    expect(await alice.state.list('group-window/')).toHaveLength(1);
  });
});

describe('GRP-10, GRP-12: what an epoch allows', () => {
  test('the last message asks every node for another epoch, and again only when nodes heed it', async () => {
    const { nodes, alice, bob } = await couple({ uses: 2, rotateEvery: 3_200_000 });
    const renewals = (): number => nodes.calls.filter(({ method }) => method === 'Renew').length;
    for (let i = 0; i < 2; i++) await bob.group.seal(ID, utf8(`${i}`));
    for (let i = 0; i < 3; i++) {
      await expect(bob.group.seal(ID, utf8('more'))).rejects.toMatchObject({ code: 'GROUP_USED_UP' });
    }
    expect(renewals()).toBe(3);
    await alice.pass(100_000);
    await expect(bob.group.seal(ID, utf8('more'))).rejects.toMatchObject({ code: 'GROUP_USED_UP' });
    expect(renewals()).toBe(6);
  });

  test('a home node that does not know the group yet gets the message again, the same, for a short time', async () => {
    const { nodes, alice } = await couple();
    nodes.refuse('GROUP_UNKNOWN', {}, ['home', 'home']);
    const sending = alice.group.send(ID, utf8('patient'));
    await alice.pass(1000);
    expect(await sending).toMatchObject({ groupId: ID, epoch: 1, handedOver: 2 });
    const sent = nodes.calls.filter(({ nodeId }) => nodeId === 'home');
    expect(new Set(sent.map(({ request }) => toHex(request['message'] as Uint8Array))).size).toBe(1);
    expect(sent).toHaveLength(3);
    nodes.refuse('GROUP_UNKNOWN', {}, ['home', 'home', 'home', 'home']);
    const refused = alice.group.send(ID, utf8('in vain')).catch((error: unknown) => error);
    await alice.pass(5000);
    expect(await refused).toMatchObject({ code: 'GROUP_UNKNOWN' });
  });

  test('a message of an epoch that is over, or that is not there yet, says which', async () => {
    const { nodes, alice, bob } = await couple({ rotateEvery: 10_000 });
    const old = await alice.group.seal(ID, utf8('old'));
    nodes.deaf.add('bob');
    const rotating = alice.group.rotate(ID);
    await alice.pass(300);
    await rotating;
    const early = await alice.group.seal(ID, utf8('early'));
    await expect(bob.group.open(early)).rejects.toMatchObject({ code: 'GROUP_EPOCH_UNKNOWN' });
    bob.groups.groupMessage(early);
    await alice.pass(100);
    expect(bob.told.filter(({ kind }) => kind === 'groupMessage')).toEqual([]);
    nodes.deaf.clear();
    nodes.deliver('bob');
    await alice.pass(100);
    expect(bob.told.filter(({ kind }) => kind === 'groupMessage')).toMatchObject([
      { about: { epoch: 2, sender: idOf('alice') } },
    ]);
    await bob.pass(20_000);
    await expect(bob.group.open(old)).rejects.toMatchObject({ code: 'GROUP_EPOCH_OLD' });
    await expect(bob.group.seal(ID, utf8('late'))).rejects.toMatchObject({ code: 'GROUP_EXPIRED' });
    expect(() => bob.group.key(ID, 'ff')).toThrow(expect.objectContaining({ code: 'GROUP_EPOCH_UNKNOWN' }));
  });

  test('what anybody sends on the link without a signature, or bare nonsense, changes nothing', async () => {
    const { alice, bob } = await couple();
    const content = encodeGroupDue(CONTEXT, {
      nodeId: 'bern',
      groupId: GROUP_ID,
      epoch: 1,
      epochId: new Uint8Array(32),
      reason: 'left',
      out: [deviceOf('alice')],
      order: [deviceOf('bob')],
      boundSeconds: 1,
    });
    for (const bytes of [content, utf8('nonsense')]) {
      bob.groups.broadcast({ content: Buffer.from(bytes), signature: Buffer.alloc(3309) });
      bob.groups.groupMessage(bytes);
    }
    await alice.pass(500);
    expect(bob.told.map(({ kind }) => kind)).toEqual(['group']);
    expect(bob.group.show(ID)).toMatchObject({ epoch: 1, suspended: false });
  });

  test('CTL-4: a device that is revoked erases its groups', async () => {
    const { bob } = await couple();
    await bob.group.seal(ID, utf8('before'));
    await bob.groups.revoked();
    expect(bob.group.list()).toEqual([]);
    expect(bob.told.at(-1)).toEqual({ kind: 'groupEnded', about: { groupId: ID, reason: 'revoked' } });
    expect(await bob.state.list('group')).toEqual([]);
  });
});

describe('GRP-12: messages that overtake their epoch', () => {
  test('are held for a bounded time, in bounded number, for their own group', () => {
    let now = 0;
    const early = new EarlyMessages(() => now);
    for (let i = 0; i < 300; i++) early.hold(i % 2 === 0 ? 'one' : 'two', Uint8Array.of(i % 256));
    expect(early.take('one')).toHaveLength(128);
    expect(early.take('one')).toEqual([]);
    now = 10_001;
    expect(early.take('two')).toEqual([]);
  });
});
