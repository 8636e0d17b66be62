import { concat, sha256, suites, toHex, utf8 } from '@symmetra/crypto';
import {
  MAX_SEALS,
  Roster,
  TREE_KEY_LENGTH,
  TREE_SEAL_LENGTH,
  advancePage,
  advancePath,
  pagesOf,
  pagesOfPath,
  pathKeysOf,
  plantTree,
  rekey,
} from '@symmetra/protocol';
import type { PathUpdate, RosterChanges, TreePath, TreeUpdate } from '@symmetra/protocol';
import { array, assert, property, record, shuffledSubarray, string } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Past } from './group-tree-world.js';
import { TreeWorld, device, opensAnything, scope, stream } from './group-tree-world.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

interface History {
  readonly name: string;
  readonly first: readonly number[];
  /** Whom each epoch touches: members among them go, the others come. */
  readonly touched: readonly (readonly number[])[];
}

const histories = (devices: number, epochs: number): Arbitrary<History> =>
  record({
    name: string(),
    first: shuffledSubarray(numbers(devices), { minLength: 1 }),
    touched: array(shuffledSubarray(numbers(devices)), { minLength: 1, maxLength: epochs }),
  });

/** Plays a history; an epoch that would leave nobody is left out. */
function play(
  { name, first, touched }: History,
  afterEach: (world: TreeWorld) => void = () => {},
): TreeWorld {
  const world = new TreeWorld(name, first);
  for (const devices of touched) {
    const removed = devices.filter((n) => world.paths.has(n));
    const added = devices.filter((n) => !world.paths.has(n));
    if (removed.length === world.paths.size && added.length === 0) continue;
    world.epoch({ removed, added });
    afterEach(world);
  }
  return world;
}

const keyCount = (page: Uint8Array): number =>
  [...page.subarray(0, 2)].reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0);

/** A group of `count` members at one node, right after its first epoch. */
function planted(count: number) {
  const taken = numbers(count).map((place) => ({ place, deviceId: device(place) }));
  const roster = Roster.of(taken);
  const random = stream(`planted ${count}`);
  const pages = plantTree(scope, { places: numbers(count), height: roster.height, step: 0, random });
  const rows = new Map([...pages].map(([name, value]) => [name, value as Uint8Array]));
  return { roster, rows, random, read: (name: string) => rows.get(name) };
}

const seal = (step: number) => ({
  step,
  nonce: sha256(utf8(`nonce ${step}`)),
  epochId: sha256(utf8(`epoch ${step}`)),
  share: sha256(utf8('share')),
});

describe('GRP-6: the key tree of a node', () => {
  test('is what the document says, whatever happened; and every member that follows all broadcasts has its keys', () => {
    const same = (world: TreeWorld): void => {
      const { height } = world.roster;
      for (const { place, keys } of world.paths.values()) {
        expect(toHex(keys)).toBe(toHex(world.plain.path(place, height)));
        expect(toHex(keys)).toBe(toHex(pathKeysOf(scope, world.read, height, place, world.step)));
      }
      const stored = [...world.pages.values()].reduce((count, page) => count + keyCount(page), 0);
      expect(stored).toBe(world.plain.keys.size);
    };
    assert(
      property(histories(40, 12), (history) => void play(history, same)),
      { numRuns: 40 },
    );
  });

  test('has the same keys when pages lag behind as when the background brings all of them on at once', () => {
    assert(
      property(histories(40, 10), (history) => {
        const lazy = play(history);
        const eager = play(history, (world) => world.advanceAll());
        expect(lazy.past).toEqual(eager.past);
        expect(lazy.paths).toEqual(eager.paths);
        lazy.advanceAll();
        expect(lazy.pages).toEqual(eager.pages);
      }),
      { numRuns: 30 },
    );
  });

  test('depends on nothing but what goes in', () => {
    const history = { name: 'twice', first: [1, 2, 3, 4, 5], touched: [[2, 6, 7], [1, 8], [6]] };
    expect(play(history).pages).toEqual(play(history).pages);
    expect(play(history).past).toEqual(play(history).past);
    expect(play(history).past).not.toEqual(play({ ...history, name: 'other random bytes' }).past);
  });

  test('grows for those who come, and shrinks when those at high places go', () => {
    const world = new TreeWorld('heights', numbers(4));
    expect(world.roster.height).toBe(2);
    const grown = world.epoch({ removed: [], added: numbers(9).slice(4) });
    expect(world.roster.height).toBe(4);
    // The old root is the only child of a fresh key below which somebody was before; then one key up.
    expect(grown.update?.seals.map(({ level, index }) => [level, index])).toEqual([
      [2, 0],
      [3, 0],
    ]);
    world.epoch({ removed: [8], added: [] });
    expect(world.roster.height).toBe(3);
    world.epoch({ removed: numbers(8).slice(1), added: [] });
    expect(world.roster.height).toBe(0);
    expect([...world.pages.keys()]).toEqual(['0-000']);
    expect(world.paths.get(0)?.keys).toEqual(world.plain.path(0, 0));
  });

  test('loses the keys at its top that nobody needs, though no place below them changes', () => {
    const roster = Roster.of([0, 1, 300].map((place) => ({ place, deviceId: device(place) })));
    const places = [0, 1, 300];
    const rows = new Map(plantTree(scope, { places, height: roster.height, step: 0, random: stream('top') }));
    const changes = roster.plan([device(300)], []);
    const change = { heightBefore: 9, changes, height: 1 };
    const read = (name: string): Uint8Array | undefined => rows.get(name) ?? undefined;
    const { pages } = rekey(scope, read, { ...change, ...seal(1), random: stream('more') });
    for (const [name, value] of pages) rows.set(name, value);
    expect([...rows].filter(([, value]) => value !== null).map(([name]) => name)).toEqual(['0-000']);
    expect(keyCount(rows.get('0-000') as Uint8Array)).toBe(3);
  });

  test('gives the place of who leaves to who comes in the same epoch, and none of the keys', () => {
    const world = new TreeWorld('reused', numbers(6));
    const before = world.paths.get(3) as TreePath;
    world.epoch({ removed: [3], added: [20] });
    const after = world.paths.get(20) as TreePath;
    expect(after.place).toBe(before.place);
    for (let offset = 0; offset < after.keys.length; offset += TREE_KEY_LENGTH) {
      const key = after.keys.subarray(offset, offset + TREE_KEY_LENGTH);
      expect(key).not.toEqual(before.keys.subarray(offset, offset + TREE_KEY_LENGTH));
    }
  });

  test('can be planted anew at any step', () => {
    const world = new TreeWorld('lost', numbers(5));
    world.epoch({ removed: [1], added: [] });
    const places = [0, 2, 3, 4];
    const rows = plantTree(scope, { places, height: 3, step: 1, random: stream('anew') });
    world.pages.clear();
    for (const [name, value] of rows) world.pages.set(name, value as Uint8Array);
    for (const n of places) world.welcome(n);
    world.plain.step(new Set(places), new Set(places), 3, 1, stream('anew'));
    world.epoch({ removed: [4], added: [9] });
    expect(world.paths.get(0)?.keys).toEqual(world.plain.path(0, 2));
  });
});

describe('GRP-7: what a removal costs', () => {
  test('among 10,000 members: seven pages, a fresh key for each level, two seals for each at most', () => {
    const { roster, read, random } = planted(10_000);
    const changes = roster.plan([device(4711)], []);
    const change = { heightBefore: 14, changes, height: 14 };
    expect(pagesOf(change)).toHaveLength(7);
    let drawn = 0;
    const counting = (length: number): Uint8Array => {
      drawn += length;
      return random(length);
    };
    const { pages, update } = rekey(scope, read, { ...change, ...seal(1), random: counting });
    expect([...pages.keys()].toSorted()).toEqual([...pagesOf(change)].toSorted());
    expect(drawn).toBe(14 * TREE_KEY_LENGTH);
    expect(update?.seals).toHaveLength(27);
    expect(update?.seals.every(({ sealed }) => sealed.length === TREE_SEAL_LENGTH)).toBe(true);
    expect(pagesOfPath(14, 4711)).toHaveLength(4);
  });

  test('one removal never needs more seals than two for each level', () => {
    assert(
      property(histories(40, 6), (history) => {
        play(history, (world) => {
          const [leaver] = world.paths.keys();
          if (leaver === undefined || world.paths.size < 2) return;
          const { height } = world.roster;
          const { update } = world.epoch({ removed: [leaver], added: [] });
          expect(update?.seals.length).toBeLessThanOrEqual(2 * height);
        });
      }),
      { numRuns: 20 },
    );
  });

  test('a rotation and a join seal the share alone', () => {
    const world = new TreeWorld('cheap', numbers(7));
    expect(world.epoch({ removed: [], added: [] }).update?.seals).toEqual([]);
    expect(world.epoch({ removed: [], added: [30] }).update?.seals).toEqual([]);
  });

  test('so many removals that no broadcast holds their seals make none, and the tree is right all the same', () => {
    const { roster, rows, read, random } = planted(3000);
    const removed = numbers(3000).filter((n) => n % 2 === 1);
    const changes = roster.plan(removed.map(device), []);
    const { pages, update } = rekey(scope, read, {
      heightBefore: 12,
      changes,
      height: 12,
      random,
      ...seal(1),
    });
    expect(update).toBeUndefined();
    for (const [name, value] of pages) rows.set(name, value as Uint8Array);
    const keys = [0, 2].map((place) => pathKeysOf(scope, read, 12, place, 1));
    expect(keys[0]?.slice(2 * TREE_KEY_LENGTH)).toEqual(keys[1]?.slice(2 * TREE_KEY_LENGTH));
    const few = roster.plan(removed.slice(0, 100).map(device), []);
    const small = planted(3000);
    const whole = { heightBefore: 12, changes: few, height: 12, ...seal(1), random };
    expect(rekey(scope, small.read, whole).update?.seals.length).toBeLessThan(MAX_SEALS);
  });
});

describe('GRP-6: every suite', () => {
  test.each([1, 2, 3])('suite %i takes a tree a step on', (id) => {
    const own = { ...scope, suite: suites.get(id) };
    const { roster, rows, read } = planted(9);
    const keys = pathKeysOf(own, read, 4, 2, 0);
    const changes = roster.plan([device(1)], []);
    const change = { heightBefore: 4, changes, height: 4, ...seal(1), random: stream(`suite ${id}`) };
    const { pages, update } = rekey(own, read, change);
    for (const [name, value] of pages) rows.set(name, value as Uint8Array);
    const followed = advancePath(
      own,
      { place: 2, height: 4, step: 0, keys },
      {
        ...(update as TreeUpdate),
        ...seal(1),
        height: 4,
      },
    );
    expect(followed.share).toEqual(seal(1).share);
    expect(followed.path.keys).toEqual(pathKeysOf(own, read, 4, 2, 1));
  });
});

describe('GRP-13: who is not in an epoch', () => {
  test('opens nothing of its broadcast with all that it ever held: former members, later ones, and both together', () => {
    assert(
      property(histories(12, 7), (history) => {
        const { past, held } = play(history);
        for (const { update, members } of past) {
          const outsiders = [...held].filter(([n]) => !members.has(n)).flatMap(([, keys]) => keys);
          expect(opensAnything(outsiders, update)).toBe(false);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('nor does who seizes all members at once, with their present keys and all that former members kept', () => {
    assert(
      property(histories(12, 7), (history) => {
        const { past, held, step } = play(history);
        const present = [...held.values()].flat().filter((own) => own.step === step);
        for (const { update, members } of past.filter((epoch) => epoch.update.step < step)) {
          const former = [...held].filter(([n]) => !members.has(n)).flatMap(([, keys]) => keys);
          expect(opensAnything([...present, ...former], update)).toBe(false);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('while Mallory, with the keys of a member of that epoch, does: the attack is one', () => {
    const world = new TreeWorld('attack', numbers(6));
    world.epoch({ removed: [5], added: [] });
    const [{ update }] = world.past as [Past];
    for (const step of [0, 1]) {
      const held = (world.held.get(2) ?? []).filter((own) => own.step === step);
      expect(opensAnything(held, update)).toBe(true);
    }
    expect(opensAnything(world.held.get(5) ?? [], update)).toBe(false);
  });
});

describe('GRP-9: a member that gets a wrong broadcast', () => {
  const world = new TreeWorld('broken', numbers(6));
  const path = world.paths.get(4) as TreePath;
  world.epoch({ removed: [5], added: [] });
  const [{ update }] = world.past as [Past];
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
  const own = update.seals.findIndex(({ level, index }) => level === 0 && index === 4);

  test.each<[string, Partial<PathUpdate>, Partial<TreePath>]>([
    ['of another step', { step: 2 }, {}],
    ['of the step that it has', { step: 0 }, {}],
    ['with another nonce', { nonce: flipped(update.nonce) }, {}],
    ['of another epoch', { epochId: flipped(update.epochId) }, {}],
    ['with a changed share', { sealedShare: flipped(update.sealedShare) }, {}],
    ['with a changed seal', { seals: update.seals.map((s) => ({ ...s, sealed: flipped(s.sealed) })) }, {}],
    ['without the seal for its leaf', { seals: update.seals.toSpliced(own, 1) }, {}],
    ['of a tree of another height', { height: 4 }, {}],
    ['for another place', {}, { place: 2 }],
    ['for other keys', {}, { keys: flipped(path.keys) }],
  ])('%s refuses it, and keeps what it has', (_, change, ofMember) => {
    const member = { ...path, ...ofMember };
    const kept = member.keys.slice();
    expect(() => advancePath(scope, member, { ...update, ...change })).toThrow(
      expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }),
    );
    expect(member.keys).toEqual(kept);
    expect(advancePath(scope, path, update).share).toEqual(world.share);
  });

  test('that comes after one that it missed refuses it, though its keys would lead there', () => {
    const rotated = new TreeWorld('missed', numbers(3));
    const first = rotated.paths.get(1) as TreePath;
    for (const removed of [[], []]) rotated.epoch({ removed, added: [] });
    const [, later] = rotated.past as [Past, Past];
    expect(() => advancePath(scope, first, later.update)).toThrow(
      expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }),
    );
  });

  test.each([
    ['node', { nodeId: 'node-2' }],
    ['group', { groupId: new Uint8Array(16).fill(3) }],
    ['network', { networkId: new Uint8Array(16).fill(3) }],
  ])('of another %s refuses it', (_, other) => {
    expect(() => advancePath({ ...scope, ...other }, path, update)).toThrow(
      expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }),
    );
  });
});

describe('GRP-6: pages in the store', () => {
  const { roster, rows, read } = planted(20);
  const changes: RosterChanges = roster.plan([device(3)], []);
  const refused = expect.objectContaining({ code: 'BAD_ENCODING' });
  const page = rows.get('0-000') as Uint8Array;

  test.each([
    ['empty', new Uint8Array(0)],
    ['cut off', page.slice(0, -1)],
    ['too long', concat(page, Uint8Array.of(0))],
    ['without any key', new Uint8Array(page.length)],
    ['with a sixteenth key', concat(Uint8Array.of(0xff), page.slice(1))],
    ['without the keys that are wanted', concat(Uint8Array.of(0, 1 << 6), page.slice(2))],
    ['of an impossible step', page.map((byte, i) => (i >= 2 && (i - 2) % 40 === 0 ? 0xff : byte))],
  ])('a page that is %s is refused', (_, damaged) => {
    const readDamaged = (name: string): Uint8Array | undefined => (name === '0-000' ? damaged : read(name));
    expect(() => pathKeysOf(scope, readDamaged, 5, 1, 0)).toThrow(refused);
  });

  test('a damaged page is refused by a removal and by the background too', () => {
    const damaged = page.slice(1);
    const change = { heightBefore: 5, changes, height: 5, ...seal(1), random: stream('unused') };
    expect(() => rekey(scope, () => damaged, change)).toThrow(refused);
    expect(() => advancePage(scope, '0-000', damaged, 1)).toThrow(refused);
    expect(() => advancePage(scope, 'not a page', page, 1)).toThrow(refused);
  });

  test('a page that is not there, or of a later step, is refused', () => {
    expect(() => pathKeysOf(scope, () => undefined, 5, 1, 0)).toThrow(refused);
    const later = new Map([...rows].map(([name, value]) => [name, advancePage(scope, name, value, 2)]));
    expect(() => pathKeysOf(scope, (name) => later.get(name), 5, 1, 1)).toThrow(refused);
  });

  test('the background changes no page that is at the step, and none that it was given', () => {
    const given = page.slice();
    expect(advancePage(scope, '0-000', given, 0)).toBeUndefined();
    const advanced = advancePage(scope, '0-000', given, 3) as Uint8Array;
    expect(given).toEqual(page);
    expect(advanced).not.toEqual(page);
    expect(advancePage(scope, '0-000', advanced, 2)).toBeUndefined();
  });

  test('the members’ paths are copies of what is stored when the tree was just planted', () => {
    const keys = pathKeysOf(scope, read, 5, 9, 0);
    const leafSlot = 1;
    const at = 2 + leafSlot * 40 + 8;
    expect(keys.slice(0, 32)).toEqual((rows.get('0-001') as Uint8Array).slice(at, at + 32));
    expect(keys).toHaveLength(6 * TREE_KEY_LENGTH);
  });
});
