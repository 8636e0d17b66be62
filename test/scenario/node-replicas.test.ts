import { InProcessNetwork } from '@symmetra/bus';
import { SymmetraError, fromHex, suites } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ControlState } from '../../packages/node/src/control/control-state.js';
import { DeviceRegistry } from '../../packages/node/src/devices/device-registry.js';
import type { DeviceRow } from '../../packages/node/src/devices/device-row.js';
import type { GroupRow } from '../../packages/node/src/group/group-row.js';
import { GroupSeat } from '../../packages/node/src/group/group-seat.js';
import { GroupTable } from '../../packages/node/src/group/group-table.js';
import { Memberships } from '../../packages/node/src/group/memberships.js';
import { instanceOf, sessionIdAt } from '../../packages/node/src/presence/session-table.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';
import { shareRow } from '../../packages/node/src/rows/row-keys.js';
import { PairRows } from '../../packages/node/src/shares/pair-rows.js';
import { PendingShares } from '../../packages/node/src/shares/pending-shares.js';

/* What the processes of one node do to one another's work (docs/decisions/0022-replicas.md). */

const GROUP = 'ab'.repeat(16);
const CONTEXT = { networkId: fresh(16), suites };
const DAY_MS = 86_400_000;
const LOOK_MS = 2000;

let clock: ManualClock;
let store: Store;
let wire: InProcessNetwork;

beforeEach(() => {
  clock = new ManualClock();
  store = openMemoryStore();
  wire = new InProcessNetwork({ clock });
});

const logger = () => createLogger({ level: 'silent', clock });
const rowOf = (step: number): GroupRow => ({
  group: { groupId: fromHex(GROUP), out: [], ended: false, highestEchoed: 0 } as unknown as GroupRow['group'],
  step,
  sinceMs: 0,
  pendingSinceMs: 0,
});
const tableOver = (over: Store): GroupTable => new GroupTable(over, CONTEXT, true);
const stepIn = async (table: GroupTable): Promise<number | undefined> =>
  table.run(GROUP, async ({ row }) => row?.step);

/** Sets the step of a group. */
async function take(table: GroupTable, step: number): Promise<void> {
  await table.run(GROUP, async (group) => table.commit(group, { ...(group.row ?? rowOf(0)), step }));
}

/** Lets what was handed to the event loop happen. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A process of the node, as far as seats go; it is there, and has not begun. */
class Process {
  readonly bus = wire.join('node-1', true);
  readonly siblings = new Siblings({ bus: this.bus, clock, logger: logger(), store, isShared: true });
  readonly state = { halted: false };
  readonly seat = new GroupSeat({
    bus: this.bus,
    clock,
    logger: logger(),
    store,
    state: this.state,
    siblings: this.siblings,
  });
  taken = 0;
  failures = 0;

  constructor() {
    this.seat.offer('echo', async () => Buffer.from(this.bus.instance, 'utf8'));
    this.seat.onMoved(
      async () => {
        this.taken += 1;
        if (this.failures === 0) return;
        this.failures -= 1;
        throw new SymmetraError('STORE_UNAVAILABLE', 'the store is away');
      },
      () => undefined,
    );
  }

  async start(): Promise<void> {
    await this.siblings.start();
    await this.seat.start();
  }

  async stop(): Promise<void> {
    await this.seat.stop();
    await this.siblings.stop();
    await this.bus.close();
  }

  /** Which process does a piece of work. */
  async worker(): Promise<string> {
    return Buffer.from(await this.seat.have('echo', new Uint8Array(0))).toString('utf8');
  }
}

/** Time passes for all processes. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= LOOK_MS) {
    clock.advance(LOOK_MS);
    await turns();
  }
}

describe('the seat of the work on groups', () => {
  test('a process that has not begun takes no seat; its work is done where the seat is', async () => {
    const first = new Process();
    await first.start();
    const second = new Process();
    const waiting = second.worker();
    await turns();
    expect([first.seat.isHere, second.seat.isHere]).toEqual([true, false]);
    await second.start();
    expect(await waiting).toBe(first.bus.instance);
    expect([first.taken, second.taken]).toEqual([1, 0]);
    await second.stop();
    await first.stop();
  });

  test('who leaves gives it up; who is gone loses it when work comes', async () => {
    const [first, second, third] = [new Process(), new Process(), new Process()];
    for (const process of [first, second, third]) await process.start();
    await first.stop();
    expect(await second.worker()).toBe(second.bus.instance);
    await second.bus.close();
    expect(await third.worker()).toBe(third.bus.instance);
    expect(third.seat.isHere).toBe(true);
    await third.stop();
    await second.siblings.stop();
  });

  test('clocks of processes that differ by hours move no seat', async () => {
    const first = new Process();
    await first.start();
    const later = clock;
    const ahead = new ManualClock();
    ahead.advance(7 * 3_600_000);
    clock = ahead;
    const second = new Process();
    await second.start();
    for (let i = 0; i < 10; i++) {
      later.advance(LOOK_MS);
      ahead.advance(LOOK_MS);
      await turns();
    }
    expect([first.siblings.others, second.siblings.others]).toEqual([
      [second.bus.instance],
      [first.bus.instance],
    ]);
    expect([first.seat.isHere, second.seat.isHere]).toEqual([true, false]);
    await second.stop();
    await first.stop();
  });

  test('a process that stays silent is taken for gone after its lease, and not before', async () => {
    const first = new Process();
    await first.start();
    const second = new Process();
    await second.start();
    await first.siblings.stop();
    await store.commit([{ key: `replica/${first.bus.instance}`, value: new Uint8Array(0) }]);
    await pass(8000);
    expect(second.seat.isHere).toBe(false);
    await pass(8000);
    expect(second.seat.isHere).toBe(true);
    await second.stop();
    await first.bus.close();
  });

  test('GRP-11: work that could not be taken up is tried again', async () => {
    const process = new Process();
    process.failures = 2;
    await process.start();
    await pass(8000);
    expect(process.taken).toBe(3);
    await process.stop();
  });
});

describe('a process that was stopped, and goes on', () => {
  test('rolls no group back that another one changed behind its commit', async () => {
    const other = tableOver(store);
    let armed = false;
    const slow: Store = {
      get: async (key) => {
        if (armed) {
          armed = false;
          await take(other, 6);
        }
        return store.get(key);
      },
      commit: async (changes) => store.commit(changes),
      scan: async (prefix, options) => store.scan(prefix, options),
      close: async () => store.close(),
    };
    const stale = tableOver(slow);
    await take(stale, 4);
    await stale.run(GROUP, async (group) => {
      armed = true;
      await stale.commit(group, { ...(group.row as GroupRow), step: 5 });
    });
    expect(await stepIn(stale)).toBe(6);
    expect(await stepIn(tableOver(store))).toBe(6);
  });

  test('writes no group of which it holds an old state', async () => {
    const [stale, other] = [tableOver(store), tableOver(store)];
    await take(stale, 1);
    await take(other, 2);
    await expect(take(stale, 3)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(await stepIn(stale)).toBe(2);
  });

  test('forgets no member that another one has added', async () => {
    const [stale, other] = [tableOver(store), tableOver(store)];
    const memberships = new Memberships(store);
    const device = 'cd'.repeat(32);
    await take(stale, 1);
    await memberships.add(GROUP, [device]);
    await take(other, 2);
    const removing = stale.run(GROUP, async (group) =>
      stale.commitBeside(group, memberships.removal(GROUP, [device])),
    );
    await expect(removing).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(await memberships.of(device)).toEqual([GROUP]);
  });
});

describe('CTL-4: pairs of devices', () => {
  const [one, other] = ['aa'.repeat(32), 'bb'.repeat(32)];

  test('stay linked as long as their longest key, whichever process linked them last', async () => {
    await new PairRows(store).link(one, other, clock.now() + 37 * DAY_MS);
    await new PairRows(store).link(one, other, clock.now() + 7 * DAY_MS);
    for (const [device, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await new PairRows(store).peersOf(device, clock.now() + 30 * DAY_MS)).toEqual([peer]);
    }
  });

  test('are linked by many negotiations at once', async () => {
    const pairs = Array.from({ length: 2 }, () => new PairRows(store));
    const until = clock.now() + DAY_MS;
    await Promise.all(
      Array.from({ length: 64 }, async (_, i) => (pairs[i % 2] as PairRows).link(one, other, until + i)),
    );
    expect(await new PairRows(store).peersOf(one, until)).toEqual([other]);
  });
});

describe('what one process knows of the work of another', () => {
  const device = 'aa'.repeat(32);

  test('SES-3: a session id names its process, and nothing else in it repeats', () => {
    const [first, second] = [sessionIdAt('0a0b0c0d', fresh), sessionIdAt('0a0b0c0d', fresh)];
    expect([first.length, instanceOf(first), instanceOf(second)]).toEqual([16, '0a0b0c0d', '0a0b0c0d']);
    expect(first).not.toEqual(second);
  });

  test('PAIR-3: a stage counts at once, whichever process took the step', async () => {
    const state = { isDeviceRevoked: () => false } as unknown as ControlState;
    const [one, other] = [new DeviceRegistry(store, state, true), new DeviceRegistry(store, state, true)];
    const inStage = (stage: string): DeviceRow =>
      ({ chain: { keys: { stage } }, name: '', account: '', tags: [] }) as unknown as DeviceRow;
    await store.commit([one.insertion(device, inStage('bootstrap'))]);
    expect(await one.standing(device)).toMatchObject({ stage: 'bootstrap' });
    await other.update(device, () => ({ row: inStage('production'), output: undefined }));
    expect(await one.standing(device)).toMatchObject({ stage: 'production' });
  });

  test('PAIR-6: a share is erased, whichever process stored it', async () => {
    const shares = new PendingShares(store, true);
    expect((await shares.of(device)).size).toBe(0);
    const key = 'ee'.repeat(16);
    await store.commit([{ key: shareRow(device, key), value: fresh(8) }]);
    await shares.acknowledged(device, [key]);
    expect(await store.get(shareRow(device, key))).toBeUndefined();
  });
});
