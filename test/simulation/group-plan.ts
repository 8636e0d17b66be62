import type { Prng } from '@symmetra/testing';

/** What a node does that does not keep to the protocol. */
export type GroupMalice =
  'bad share' | 'other header' | 'two echoes' | 'old broadcasts' | 'wrong keys' | 'false notice' | 'silent';

export const GROUP_MALICE: readonly GroupMalice[] = [
  'bad share',
  'other header',
  'two echoes',
  'old broadcasts',
  'wrong keys',
  'false notice',
  'silent',
];

/** What the user of a device wants of the group. */
export interface Wish {
  readonly kind: 'create' | 'change';
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Something that happens at a tick of the stormy phase. */
export type Happening = { readonly at: number } & (
  | { readonly kind: 'add' | 'remove' | 'rotate' | 'leave' | 'revoke' | 'stranger deals' | 'two dealers' }
  | { readonly kind: 'nodes apart' | 'device apart' | 'node down'; readonly ticks: number }
);

/** What one run is about. */
export interface GroupPlan {
  readonly nodes: readonly string[];
  readonly threshold: number;
  readonly devices: readonly string[];
  /** How many devices, from the first, the group begins with. */
  readonly first: number;
  readonly managers: number;
  readonly lifetimeSeconds: number;
  readonly uses: number;
  readonly stormy: number;
  /** Whether Mallory tries every key on everything. */
  readonly thorough: boolean;
  readonly happenings: readonly Happening[];
  readonly liar?: { readonly node: string; readonly malice: GroupMalice };
}

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'] as const;
const KINDS = ['add', 'remove', 'rotate', 'leave', 'revoke', 'two dealers', 'stranger deals'] as const;
const MISHAPS = ['nodes apart', 'device apart', 'node down'] as const;

/** Most runs are small, so that thousands of them fit into seconds; some are not. */
export function drawPlan(prng: Prng): GroupPlan {
  const large = prng.chance(0.03);
  const nodeCount = large ? prng.between(3, 5) : prng.chance(0.08) ? 4 : 3;
  const deviceCount = large ? prng.between(4, 8) : prng.pick([3, 3, 3, 4]);
  const nodes = Array.from({ length: nodeCount }, (_, i) => `node-${i + 1}`);
  const stormy = large ? prng.between(100, 300) : prng.between(10, 60);
  const liar = prng.chance(0.35) ? { node: prng.pick(nodes), malice: prng.pick(GROUP_MALICE) } : undefined;
  // One node of three may fail, in one way at a time. Four split in halves: one down, one apart, while an epoch begins.
  const oftenest = nodeCount === 4 ? [1, 2, 3, 4] : [0, 0, 1, 2];
  const mishaps = liar === undefined || nodeCount === 5 ? prng.pick(oftenest) : 0;
  const happenings = [
    ...Array.from({ length: large ? prng.between(2, 7) : prng.between(1, deviceCount - 1) }, () => ({
      at: prng.between(1, stormy),
      kind: prng.pick(KINDS),
    })),
    ...Array.from({ length: mishaps }, () => ({
      at: prng.between(1, stormy),
      kind: prng.pick(MISHAPS),
      ticks: prng.between(10, stormy),
    })),
  ];
  return {
    nodes,
    threshold: nodeCount === 5 ? prng.between(2, 3) : 2,
    devices: NAMES.slice(0, deviceCount),
    first: prng.between(deviceCount > 3 ? 3 : 2, deviceCount),
    managers: prng.between(1, 2),
    lifetimeSeconds: prng.pick([20, 60, 3600]),
    uses: prng.pick([0, 0, 6]),
    stormy,
    thorough: prng.chance(0.125),
    happenings,
    ...(liar && { liar }),
  };
}
