import { setTimeout as sleep } from 'node:timers/promises';
import { InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import type { SessionEnd } from '@symmetra/protocol';
import { decode } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { LinkStream } from '@symmetra/rpc';
import { DeviceLink } from '../../packages/node/src/link/device-link.js';
import type { DeviceLinkParts } from '../../packages/node/src/link/device-link.js';
import { LinkTable } from '../../packages/node/src/link/link-table.js';
import { EventSender } from '../../packages/node/src/presence/event-sender.js';
import { Presences } from '../../packages/node/src/presence/presences.js';
import { Session, SessionTable } from '../../packages/node/src/presence/session-table.js';
import type { CallPath } from '../../packages/node/src/session/sealed-handler.js';
import { Synchronisation } from '../../packages/node/src/session/synchronisation.js';
import type { SynchronisationParts } from '../../packages/node/src/session/synchronisation.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';

/* What becomes of events whose home nodes do not answer, and of statements about where a device is (SES-6, SES-7). */

const HOME = 'node-2';
const HANDED_OVER = Uint8Array.of(1);
const NOT_LINKED = Uint8Array.of(0);
const EVENT = 'symmetra.link.v1.Event';

let clock: ManualClock;
let store: Store;
let wire: InProcessNetwork;
let sessions: SessionTable;

beforeEach(() => {
  clock = new ManualClock();
  store = openMemoryStore();
  wire = new InProcessNetwork({ clock });
});

const logger = () => createLogger({ level: 'silent', clock });

/** A session in which nothing is encrypted. */
function openedSession(deviceId = fresh(32)): Session {
  const end = {
    sessionId: fresh(16),
    seal: (_method: string, plaintext: Uint8Array) => ({ seq: 1, ciphertext: Uint8Array.from(plaintext) }),
    wipe: () => undefined,
  } as unknown as SessionEnd;
  const session = new Session(end, deviceId, 1, clock.monotonic() + 3_600_000);
  sessions.add(session);
  return session;
}

/** The store, some of whose calls end otherwise. */
function storeWith(calls: Partial<Pick<Store, 'get' | 'commit'>>): Store {
  return {
    get: async (key) => store.get(key),
    scan: async (...range) => store.scan(...range),
    commit: async (changes) => store.commit(changes),
    close: async () => store.close(),
    ...calls,
  };
}

function presencesOf({ instance }: Bus, isShared: boolean, rows = store): Presences {
  return new Presences({ store: rows, clock, logger: logger(), self: 'node-1', instance, isShared });
}

/** A process of node-1, with what it knows of devices. */
function processOf(isShared: boolean, rows = store) {
  const bus = wire.join('node-1', isShared);
  const presences = presencesOf(bus, isShared, rows);
  sessions = new SessionTable(
    () => clock.monotonic(),
    (session) => presences.forget(session),
  );
  const siblings = new Siblings({ bus, clock, logger: logger(), store, isShared });
  const links = new LinkTable();
  const events = new EventSender({ bus, clock, logger: logger(), sessions, presences, links, siblings });
  return { bus, presences, events };
}

/** Lets time pass, second by second, and what it makes due happen. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    for (let turn = 0; turn < 10; turn++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}

const placeOf = (session: Session, home = HOME) => ({ session, home, linkAt: undefined, addresses: [] });

describe('SES-6: an event that does not reach the home', () => {
  /** The home: numbers and contents of the events that it got. */
  const homeOf = (answer: () => Uint8Array) => {
    const got: { readonly number: number; readonly event: string | undefined }[] = [];
    const bus: Bus = wire.join(HOME);
    bus.serve('event', async (_from, payload) => {
      const { sealed } = decode(EVENT, payload.subarray(32));
      const { number, event } = decode(
        'symmetra.link.v1.DeviceEvent',
        sealed?.ciphertext ?? new Uint8Array(0),
      );
      got.push({ number, event });
      return answer();
    });
    return { bus, got };
  };

  test('is made up for: the device is nudged as soon as the home can be reached', async () => {
    const { presences, events } = processOf(false);
    const session = openedSession();
    await presences.attach(placeOf(session));
    for (let i = 0; i < 3; i++) void events.send(session.deviceHex, { message: { message: fresh(8) } });
    await pass(2);
    expect(presences.here(session.deviceHex)).toBeDefined();
    const { got } = homeOf(() => HANDED_OVER);
    await pass(2);
    expect(got).toEqual([{ number: 5, event: undefined }]);
    await pass(60);
    expect(got).toHaveLength(1);
  });

  test('ends what is known of the device when the home has no link of it', async () => {
    const { presences, events } = processOf(false);
    const session = openedSession();
    await presences.attach(placeOf(session));
    void events.send(session.deviceHex, { message: { message: fresh(8) } });
    await pass(1);
    const { got } = homeOf(() => NOT_LINKED);
    await pass(4);
    expect(got).toHaveLength(1);
    expect(presences.here(session.deviceHex)).toBeUndefined();
    await pass(60);
    expect(got).toHaveLength(1);
  });

  test('is given up after about a minute', async () => {
    const { presences, events } = processOf(false);
    const session = openedSession();
    await presences.attach(placeOf(session));
    void events.send(session.deviceHex, { message: { message: fresh(8) } });
    await pass(60);
    expect(presences.here(session.deviceHex)).toBeDefined();
    await pass(10);
    expect(presences.here(session.deviceHex)).toBeUndefined();
    expect(session.lastEvent).toBe(7);
  });

  test.each(['no link of it', 'nothing'])(
    'does not undo what the device said since: the former home says %s',
    async (word) => {
      const { presences, events } = processOf(false);
      const session = openedSession();
      await presences.attach(placeOf(session));
      let answer: (reply: Uint8Array) => void = () => undefined;
      const home = wire.join(HOME);
      home.serve(
        'event',
        async () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      );
      void events.send(session.deviceHex, { message: { message: fresh(8) } });
      await pass(word === 'nothing' ? 94 : 1);
      await presences.attach(placeOf(session, 'node-3'));
      if (word !== 'nothing') answer(NOT_LINKED);
      await pass(5);
      expect(presences.here(session.deviceHex)).toMatchObject({ home: 'node-3' });
    },
  );

  test('concerns nobody who attached again meanwhile, and nobody once the node stops', async () => {
    const { presences, events } = processOf(false);
    const [moved, left] = [openedSession(), openedSession()];
    for (const session of [moved, left]) {
      await presences.attach(placeOf(session));
      void events.send(session.deviceHex, { message: { message: fresh(8) } });
    }
    await pass(2);
    await presences.attach(placeOf(moved, 'node-3'));
    const sent = moved.lastEvent;
    await pass(10);
    expect(moved.lastEvent).toBe(sent);
    expect(left.lastEvent).toBeGreaterThan(sent);
    events.stop();
    const last = left.lastEvent;
    await pass(60);
    expect(left.lastEvent).toBe(last);
  });
});

describe('SES-7: a node says whether it knew all the time where a device is', () => {
  test.each([false, true])('several processes: %s', async (isShared) => {
    const { presences } = processOf(isShared);
    const session = openedSession();
    expect(await presences.attach(placeOf(session))).toBe(false);
    expect(await presences.attach(placeOf(session, 'node-3'))).toBe(true);
    presences.forget(session);
    await pass(1);
    expect(await presences.attach(placeOf(session))).toBe(false);
    const next = openedSession(session.deviceId);
    expect(await presences.attach(placeOf(next))).toBe(false);
    expect(await presences.attach(placeOf(next))).toBe(true);
  });

  test('and is not misled by a row that it could not remove', async () => {
    const commit: Store['commit'] = async (changes) => {
      if (changes.some(({ value }) => value === null)) throw new Error('the store is away');
      return store.commit(changes);
    };
    const { presences } = processOf(true, storeWith({ commit }));
    const session = openedSession();
    await presences.attach(placeOf(session));
    presences.forget(session);
    await pass(1);
    expect(await presences.find(session.deviceHex)).toBeDefined();
    expect(await presences.attach(placeOf(session))).toBe(false);
    expect(await presences.attach(placeOf(session))).toBe(true);
  });

  test('and that a process which has the session did not take an event', async () => {
    const bus = wire.join('node-1', true);
    bus.serve('event-send', async () => new Promise<never>(() => {}));
    const one = { bus, presences: presencesOf(bus, true) };
    const other = processOf(true);
    const session = openedSession();
    await one.presences.attach(placeOf(session));
    const sending = other.events.send(session.deviceHex, { message: { message: fresh(8) } });
    await pass(6);
    expect(await sending).toBe(false);
    expect(await one.presences.attach(placeOf(session))).toBe(false);
    expect(await one.presences.attach(placeOf(session))).toBe(true);
    await other.presences.owe(session.deviceHex, one.bus.instance);
    one.presences.forget(session);
    await pass(1);
    expect(await other.presences.find(session.deviceHex)).toBeUndefined();
  });

  test('a link that ends while its device attaches leaves no row', async () => {
    const { presences } = processOf(true);
    const session = openedSession();
    const attaching = presences.attach({ ...placeOf(session, 'node-1'), linkAt: 'here' });
    presences.leave(session.deviceHex, () => false);
    await attaching;
    await pass(1);
    expect(await presences.find(session.deviceHex)).toBeUndefined();
  });

  test('the later of two statements stands, whichever row is written last', async () => {
    let isFirst = true;
    const { presences } = processOf(
      true,
      storeWith({
        get: async (key) => {
          const row = await store.get(key);
          const wait = isFirst ? 20 : 0;
          isFirst = false;
          await sleep(wait);
          return row;
        },
      }),
    );
    const session = openedSession();
    await Promise.all([presences.attach(placeOf(session)), presences.attach(placeOf(session, 'node-3'))]);
    expect(await presences.find(session.deviceHex)).toMatchObject({ home: 'node-3' });
  });

  test('what other processes of the node forgot, or wrote, is no knowledge of this one', async () => {
    const one = processOf(true);
    const session = openedSession();
    await one.presences.attach(placeOf(session));
    const other = processOf(true);
    await other.presences.lose(session.deviceHex, one.bus.instance);
    expect(await one.presences.attach(placeOf(session))).toBe(false);
    expect(await one.presences.attach(placeOf(session))).toBe(true);
    await other.presences.attach(placeOf(openedSession(session.deviceId)));
    expect(await one.presences.attach(placeOf(session))).toBe(false);
  });

  test('nor is what others forget, or write, while it is being written', async () => {
    const between: (() => Promise<unknown>)[] = [];
    const racing = storeWith({
      get: async (key) => {
        const row = await store.get(key);
        await between.shift()?.();
        return row;
      },
    });
    const one = processOf(true, racing);
    const other = processOf(true);
    const session = openedSession();
    await one.presences.attach(placeOf(session));
    between.push(async () => other.presences.lose(session.deviceHex, one.bus.instance));
    expect(await one.presences.attach(placeOf(session))).toBe(false);
    between.push(async () => other.presences.attach(placeOf(openedSession(session.deviceId))));
    expect(await one.presences.attach(placeOf(session))).toBe(false);
    const again = async () => other.presences.attach(placeOf(openedSession(session.deviceId)));
    for (let attempt = 0; attempt < 8; attempt++) between.push(again);
    await expect(one.presences.attach(placeOf(session))).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
});

test('SES-7: what could not be sent behind an Attach follows the next one: the device is behind', async () => {
  const { presences, events } = processOf(false);
  const session = openedSession();
  const log = {
    event: async (number: number) => {
      if (number === 2) throw new Error('the store is away');
      return { event: fresh(8), signatures: [] };
    },
  };
  const parts = {
    clock,
    logger: logger(),
    state: { policyRevision: 1, deviceRevocation: () => 2 },
    log,
    pairs: { peersOf: async () => ['peer'] },
    revokedKeys: { of: () => [] },
    presences,
    events,
  };
  await presences.attach(placeOf(session));
  await new Synchronisation(parts as unknown as SynchronisationParts).run(session, true);
  // The device has seen event 1.
  expect(session.lastEvent).toBe(2);
});

test('a link that ended while its device attached is bound to nothing', async () => {
  const links = new LinkTable();
  const live = { close: vi.fn<LinkStream['close']>() } as unknown as LinkStream;
  links.bind('ab', live);
  const listeners: (() => void)[] = [];
  let frame: Parameters<LinkStream['onFrame']>[0] = () => undefined;
  const stream = {
    onFrame: (listener: typeof frame) => {
      frame = listener;
    },
    onClose: (listener: () => void) => listeners.push(listener),
    sendReply: () => false,
  } as unknown as LinkStream;
  const sealed = async (_method: string, _sealed: unknown, path: CallPath) => {
    await pass(1);
    path.bind('ab');
  };
  const { presences } = processOf(false);
  const parts = { self: 'node-1', instance: 'here', logger: logger(), router: { sealed }, links, presences };
  void new DeviceLink(stream, parts as unknown as DeviceLinkParts);
  const method = '/symmetra.session.v1.SessionService/Attach';
  frame({
    calls: [
      {
        id: 1,
        method,
        sealed: { session: Buffer.from(fresh(16)), seq: 0, ciphertext: Buffer.from(fresh(8)), node: '' },
      },
    ],
  });
  for (const listener of listeners) listener();
  await pass(2);
  expect(links.of('ab')).toBe(live);
  expect(live.close).not.toHaveBeenCalled();
});
