import { Writer, concat, labelBytes, sha256, toHex } from '@symmetra/crypto';
import { MAX_MEMBERS, Roster } from '@symmetra/protocol';
import type { Placed, RosterChanges } from '@symmetra/protocol';
import { array, assert, integer, property, record, shuffledSubarray, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { device } from './group-tree-world.js';

type Places = ReadonlyMap<number, number>;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const placed = (place: number, n: number): Placed => ({ place, deviceId: device(n) });
const error = (code: string): unknown => expect.objectContaining({ code });

/** GRP-2 by the letter: the root of the tree over who stands where. */
function naiveRoot(places: Places, level: number, index = 0): Uint8Array {
  const hash = (fields: Uint8Array): Uint8Array =>
    sha256(new Writer().bytes(labelBytes('groupRoster')).raw(fields).finish());
  if (level === 0) {
    const n = places.get(index);
    return n === undefined ? new Uint8Array(32) : hash(concat(Uint8Array.of(0), device(n)));
  }
  const children = [2 * index, 2 * index + 1].map((child) => naiveRoot(places, level - 1, child));
  const empty = children.every((child) => child.every((byte) => byte === 0));
  return empty ? new Uint8Array(32) : hash(concat(Uint8Array.of(1), ...children));
}

function naiveHeight(places: Places): number {
  let height = 0;
  while ([...places.keys()].some((place) => place >= 2 ** height)) height++;
  return height;
}

/** The removed leave; the added take the lowest free places, in their order. */
function naivePlan(places: Places, removed: readonly number[], added: readonly number[]): Places {
  const after = new Map([...places].filter(([, n]) => !removed.includes(n)));
  for (const n of added) {
    let place = 0;
    while (after.has(place)) place++;
    after.set(place, n);
  }
  return after;
}

function expectRoster(roster: Roster, places: Places): void {
  const ascending = [...places].toSorted(([one], [other]) => one - other);
  expect(roster.size).toBe(places.size);
  expect(roster.height).toBe(naiveHeight(places));
  expect(toHex(roster.root())).toBe(toHex(naiveRoot(places, roster.height)));
  expect([...roster.members()]).toEqual(ascending.map(([place, n]) => placed(place, n)));
  for (const [place, n] of places) {
    expect(roster.placeOf(device(n))).toBe(place);
    expect(roster.at(place)).toEqual(device(n));
  }
}

const touched = array(shuffledSubarray(numbers(30)), { maxLength: 12 });

describe('GRP-2: the roster', () => {
  test('places, height and root are those of the document after any history', () => {
    assert(
      property(touched, (epochs) => {
        const roster = Roster.of([]);
        let places: Places = new Map();
        for (const devices of epochs) {
          const members = new Set(places.values());
          const removed = devices.filter((n) => members.has(n));
          const added = devices.filter((n) => !members.has(n));
          places = naivePlan(places, removed, added);
          const changes = roster.plan(removed.map(device), added.map(device));
          const rootBefore = roster.root();
          const outcome = roster.outcome(changes);
          expect(roster.root()).toEqual(rootBefore);
          roster.apply(changes);
          expect(outcome).toEqual({ size: roster.size, height: roster.height, root: roster.root() });
          expectRoster(roster, places);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('any places may be occupied, named in any order', () => {
    const sparse = uniqueArray(integer({ min: 0, max: 600 }), { maxLength: 12 });
    assert(
      property(sparse, (order) => {
        const places = new Map(order.map((place, n) => [place, n]));
        expectRoster(Roster.of(order.map(placed)), places);
      }),
      { numRuns: 40 },
    );
  });

  test('GRP-4: the differences to another roster turn one into the other', () => {
    const places = uniqueArray(integer({ min: 0, max: 40 }), { maxLength: 20 });
    assert(
      property(
        record({ some: places, others: places, shift: integer({ min: 0, max: 3 }) }),
        ({ some, others, shift }) => {
          const roster = Roster.of(some.map((place) => placed(place, place)));
          const to = Roster.of(others.map((place) => placed(place, place + shift)));
          const changes = roster.differences(to);
          expect(roster.outcome(changes).root).toEqual(to.root());
          roster.apply(changes);
          expect([...roster.members()]).toEqual([...to.members()]);
          expect(roster.root()).toEqual(to.root());
          expect(roster.differences(to)).toEqual({ vacated: [], taken: [] });
        },
      ),
    );
  });

  test('of nobody has height 0 and a root of zeros, and of one member height 0 and its leaf', () => {
    expectRoster(Roster.of([]), new Map());
    expect(Roster.of([]).root()).toEqual(new Uint8Array(32));
    expectRoster(Roster.of([placed(0, 7)]), new Map([[0, 7]]));
  });

  test('is read from a place on', () => {
    const roster = Roster.of([placed(2, 1), placed(5, 2), placed(9, 3)]);
    expect([...roster.members(3)].map(({ place }) => place)).toEqual([5, 9]);
    expect([...roster.members(10)]).toEqual([]);
    expect(roster.at(3)).toBeUndefined();
    expect(roster.at(10)).toBeUndefined();
    expect(roster.placeOf(device(9))).toBeUndefined();
  });

  test('keeps device ids of its own', () => {
    const mine = device(1);
    const roster = Roster.of([{ place: 0, deviceId: mine }]);
    mine.fill(0);
    expect(roster.at(0)).toEqual(device(1));
  });

  test('holds 16384 members and no more', () => {
    const roster = Roster.of([]);
    roster.apply(roster.plan([], numbers(MAX_MEMBERS).map(device)));
    expect([roster.size, roster.height]).toEqual([MAX_MEMBERS, 14]);
    expect(() => roster.plan([], [device(-1)])).toThrow(error('GROUP_TOO_LARGE'));
    expect(roster.plan([device(99)], [device(-1)])).toEqual({ vacated: [99], taken: [placed(99, -1)] });
  });
});

describe('GRP-4: changes that can not be', () => {
  const alice = 1;
  const bob = 2;
  const carol = 3;
  const roster = Roster.of([placed(0, alice), placed(3, bob)]);
  const ids = (...devices: number[]): Uint8Array[] => devices.map(device);

  test.each([
    ['a stranger is removed', ids(carol), [], 'MEMBER_UNKNOWN'],
    ['a member is removed twice', ids(bob, bob), [], 'MEMBER_UNKNOWN'],
    ['a member is added', [], ids(bob), 'MEMBER_TWICE'],
    ['a device is added twice', [], ids(carol, carol), 'MEMBER_TWICE'],
    ['a member is removed and added', ids(bob), ids(bob), 'MEMBER_TWICE'],
  ])('%s', (_, removed, added, code) => {
    expect(() => roster.plan(removed, added)).toThrow(error(code));
  });

  test.each<[string, RosterChanges]>([
    ['an empty place is vacated', { vacated: [1], taken: [] }],
    ['a place is vacated twice', { vacated: [3, 3], taken: [] }],
    ['places are vacated in disorder', { vacated: [3, 0], taken: [] }],
    ['an occupied place is taken', { vacated: [], taken: [placed(3, carol)] }],
    ['a place is taken twice', { vacated: [], taken: [placed(1, carol), placed(1, 4)] }],
    ['a device takes two places', { vacated: [], taken: [placed(1, carol), placed(2, carol)] }],
    ['a member takes another place', { vacated: [], taken: [placed(1, bob)] }],
    ['a place past the last is taken', { vacated: [], taken: [placed(MAX_MEMBERS, carol)] }],
    ['a place below the first is taken', { vacated: [], taken: [placed(-1, carol)] }],
    ['half a place is taken', { vacated: [], taken: [placed(1.5, carol)] }],
    ['an id is too short', { vacated: [], taken: [{ place: 1, deviceId: new Uint8Array(31) }] }],
  ])('%s: BAD_ROSTER, and the roster stays', (_, changes) => {
    const root = roster.root();
    expect(() => roster.outcome(changes)).toThrow(error('BAD_ROSTER'));
    expect(() => roster.apply(changes)).toThrow(error('BAD_ROSTER'));
    expect(roster.root()).toEqual(root);
    expect(roster.size).toBe(2);
  });

  test('a roster whose members stand twice is none', () => {
    expect(() => Roster.of([placed(1, alice), placed(1, bob)])).toThrow(error('BAD_ROSTER'));
    expect(() => Roster.of([placed(1, alice), placed(2, alice)])).toThrow(error('BAD_ROSTER'));
  });

  test('who moves, as a node that was behind sees it, is no contradiction', () => {
    const moved = Roster.of([placed(0, alice), placed(3, bob)]);
    moved.apply({ vacated: [0, 3], taken: [placed(3, alice), placed(4, bob)] });
    expect(moved.size).toBe(2);
    expectRoster(
      moved,
      new Map([
        [3, alice],
        [4, bob],
      ]),
    );
  });
});
