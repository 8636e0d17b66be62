import { suites, toHex } from '@symmetra/crypto';
import type { EpochBroadcast, MemberOutput, WelcomeFields } from '@symmetra/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOUND_MS, SceneMember, createdGroup, notice } from './group-world.js';
import type { Change, GroupScene } from './group-world.js';
import { codeOf, flipped } from './protocol-world.js';

const suite = suites.get(1);
const CHANGES: readonly Change[] = [{ removed: ['eve'] }, { added: ['frank'] }, {}, { removed: ['bob'] }, {}];

/** What nodes gave Alice in the life of a group, and the keys of its epochs. */
interface History {
  readonly scene: GroupScene;
  readonly welcomes: readonly (readonly [string, WelcomeFields])[];
  readonly broadcasts: readonly EpochBroadcast[];
  /** Application keys by epoch id, as a member that missed nothing has them. */
  readonly keys: ReadonlyMap<string, string>;
}

function history(): History {
  const { scene, members } = createdGroup(suite, ['alice', 'bob', 'carol', 'dave', 'eve']);
  const dave = members.get('dave');
  if (!dave) throw new Error('Dave is a member');
  const keys = new Map<string, string>();
  const note = (): void => {
    for (const { epochId, applicationKey } of dave.state.epochs) {
      keys.set(toHex(epochId), toHex(applicationKey.bytes));
    }
  };
  note();
  const welcomes = scene.nodes.map((node) => [node.nodeId, node.welcome('alice')] as const);
  const broadcasts: EpochBroadcast[] = [];
  for (const change of CHANGES) {
    const next = scene.next(change);
    broadcasts.push(...next);
    for (const broadcast of next) dave.hear(broadcast);
    note();
    welcomes.push(...scene.nodes.map((node) => [node.nodeId, node.welcome('alice')] as const));
  }
  return { scene, welcomes, broadcasts, keys };
}

const HISTORY = history();
const { scene: SCENE, welcomes: WELCOMES, broadcasts: BROADCASTS, keys: KEYS } = HISTORY;

/** One thing that reaches Alice: true or bent by one node, at any time and any number of times. */
type Arrival =
  | { readonly kind: 'welcome' | 'broadcast'; readonly at: number; readonly bent: boolean }
  | { readonly kind: 'notice'; readonly at: number }
  | { readonly kind: 'time'; readonly ms: number };

const arrival: fc.Arbitrary<Arrival> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('broadcast' as const),
      at: fc.nat({ max: BROADCASTS.length - 1 }),
      bent: fc.constant(false),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('welcome' as const),
      at: fc.nat({ max: WELCOMES.length - 1 }),
      bent: fc.constant(false),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('welcome' as const, 'broadcast' as const),
      at: fc.nat({ max: BROADCASTS.length - 1 }),
      bent: fc.constant(true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('notice' as const), at: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat({ max: BOUND_MS }) }) },
);

/** Only cairo lies: with keys, a nonce, a tag or a share of its own. */
function bend(welcome: WelcomeFields, at: number): WelcomeFields {
  const bends: readonly WelcomeFields[] = [
    { ...welcome, pathKeys: flipped(welcome.pathKeys, 3) },
    { ...welcome, tag: flipped(welcome.tag) },
    { ...welcome, share: flipped(welcome.share) },
    { ...welcome, step: welcome.step + 7 },
    { ...welcome, share: new Uint8Array(0) },
  ];
  return bends[at % bends.length] as WelcomeFields;
}

/** @returns what Alice makes of it, unless she refuses it. */
function reach(alice: SceneMember, what: Arrival, nowMs: number): readonly MemberOutput[] {
  const told: MemberOutput[] = [];
  switch (what.kind) {
    case 'welcome': {
      const [nodeId, fields] = WELCOMES[what.at] as (typeof WELCOMES)[number];
      const isBent = what.bent && nodeId === 'cairo';
      codeOf(() => told.push(alice.welcome(nodeId, isBent ? bend(fields, what.at) : fields, nowMs)));
      break;
    }
    case 'broadcast': {
      const broadcast = BROADCASTS[what.at] as EpochBroadcast;
      const isBent = what.bent && broadcast.nodeId === 'cairo';
      const bent = { ...broadcast, from: flipped(broadcast.from) };
      codeOf(() => told.push(alice.hear(isBent ? bent : broadcast, nowMs)));
      break;
    }
    case 'notice':
      alice.due(notice(SCENE, ['amsterdam', 'bern', 'cairo'][what.at] ?? 'bern'), nowMs);
      break;
    case 'time':
      alice.end(nowMs);
  }
  return told;
}

describe('GRP-9: in whatever order and however often things arrive, and with one node that lies', () => {
  test('a member holds no key but the true ones, never goes back, and comes to the newest epoch', () => {
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 40 }), (arrivals) => {
        const alice = new SceneMember('alice');
        let nowMs = 0;
        let newest = 0;
        for (const what of arrivals) {
          nowMs += what.kind === 'time' ? what.ms : 1;
          const told = reach(alice, what, nowMs).map(({ kind }) => kind);
          expect(told, 'the true chain is no fork').not.toContain('fork');
          for (const { epochId, applicationKey } of alice.state.epochs) {
            expect(toHex(applicationKey.bytes)).toBe(KEYS.get(toHex(epochId)));
          }
          expect(alice.state.newest?.epoch ?? 0).toBeGreaterThanOrEqual(newest);
          newest = alice.state.newest?.epoch ?? 0;
          expect(alice.held.length).toBeLessThanOrEqual(3);
          const oldest = Math.min(...alice.held);
          const past = alice.state.paths.filter(({ epoch }) => epoch < oldest).length;
          expect(past === 0 || alice.state.past.length === 0).toBe(true);
        }
        for (const node of SCENE.nodes) alice.welcome(node.nodeId, node.welcome('alice'), nowMs);
        expect(alice.held[0]).toBe(1 + CHANGES.length);
        expect(alice.state.paths.map(({ epoch }) => epoch)).toEqual([6, 6, 6]);
      }),
      { numRuns: 60 },
    );
  });
});
