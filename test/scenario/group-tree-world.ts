import {
  concat,
  equalConstantTime,
  extractExpand,
  openOnce,
  sha256,
  suites,
  utf8,
  toHex,
} from '@symmetra/crypto';
import type { KdfContext } from '@symmetra/crypto';
import {
  Roster,
  TREE_KEY_LENGTH,
  advancePage,
  advancePath,
  pagesOf,
  pathKeysOf,
  plantTree,
  rekey,
  u64,
} from '@symmetra/protocol';
import type { PathUpdate, Rekeyed, TreePath, TreeScope } from '@symmetra/protocol';

export const scope: TreeScope = {
  suite: suites.get(1),
  networkId: new Uint8Array(16).fill(1),
  groupId: new Uint8Array(16).fill(2),
  nodeId: 'node-1',
};

/** A device id of 32 bytes from a number. */
export const device = (n: number): Uint8Array => sha256(utf8(`device ${n}`));

/** A stream of bytes that depends on its name alone. */
export function stream(name: string): (length: number) => Uint8Array {
  let block = 0;
  let rest = new Uint8Array(0);
  return (length) => {
    while (rest.length < length) rest = concat(rest, sha256(utf8(`${name} ${block++}`))) as typeof rest;
    const bytes = rest.slice(0, length);
    rest = rest.slice(length);
    return bytes;
  };
}

/** A position as a key of maps. */
const at = (level: number, index: number): string => `${level}/${index}`;

/** GRP-6 once more, as plainly as can be: every key of the tree, by position. */
class PlainTree {
  keys = new Map<string, Uint8Array>();

  /** All keys take a step; then fresh keys, from below, each level ascending. */
  step(
    places: ReadonlySet<number>,
    vacated: ReadonlySet<number>,
    height: number,
    step: number,
    random: (length: number) => Uint8Array,
  ): void {
    const before = this.keys;
    this.keys = new Map();
    for (let level = 0; level <= height; level++) {
      for (let index = 0; index < 2 ** (height - level); index++) {
        const below = (all: ReadonlySet<number>): boolean =>
          [...all].some((place) => place >> level === index);
        if (!below(places)) continue;
        const old = before.get(at(level, index));
        const keeps = old !== undefined && !below(vacated);
        this.keys.set(at(level, index), keeps ? nextKey(level, index, old, step) : random(TREE_KEY_LENGTH));
      }
    }
  }

  path(place: number, height: number): Uint8Array {
    const levels = Array.from({ length: height + 1 }, (_, level) => this.keys.get(at(level, place >> level)));
    return concat(...levels.map((key) => key ?? new Uint8Array(0)));
  }
}

/** A key that somebody held, of a position, in a step. */
export interface HeldKey {
  readonly level: number;
  readonly index: number;
  readonly step: number;
  readonly key: Uint8Array;
}

/** The keys of a path, one by one. */
const keysOf = ({ place, height, step, keys }: TreePath): HeldKey[] =>
  Array.from({ length: height + 1 }, (_, level) => ({
    level,
    index: place >> level,
    step,
    key: keys.slice(level * TREE_KEY_LENGTH, (level + 1) * TREE_KEY_LENGTH),
  }));

const context = (step: number, transcriptHash: Uint8Array): KdfContext => ({
  networkId: scope.networkId,
  initiator: scope.groupId,
  responder: utf8(scope.nodeId),
  epoch: u64(step),
  transcriptHash,
});

const position = (level: number, index: number): Uint8Array => Uint8Array.of(level, 0, 0, index >> 8, index);

function nextKey(level: number, index: number, key: Uint8Array, step: number): Uint8Array {
  return extractExpand(scope.suite, [key], 'groupTreeNext', context(step, position(level, index)), 32);
}

/** Whether Mallory, with keys of any step, opens anything of an update: each key as it was, and taken on to its step. */
export function opensAnything(held: readonly HeldKey[], update: PathUpdate): boolean {
  const { step, nonce, epochId, seals, sealedShare, height } = update;
  const targets = [
    ...seals.map(({ level, index, sealed }) => ({ level, index, sealed, label: 'groupTreeSeal' as const })),
    { level: height, index: 0, sealed: sealedShare, label: 'groupShareSeal' as const },
  ];
  const opens = (key: Uint8Array, { level, index, sealed, label }: (typeof targets)[number]): boolean => {
    const th = position(level, index);
    const sealing = extractExpand(scope.suite, [key], 'groupTreeKey', context(step, th));
    const sealedFor = context(step, label === 'groupTreeSeal' ? concat(th, epochId) : epochId);
    try {
      openOnce(scope.suite, sealing, label, sealedFor, nonce, epochId, sealed);
      return true;
    } catch {
      return false;
    }
  };
  const takenOn = (own: HeldKey): Uint8Array => {
    let { key } = own;
    for (let t = own.step + 1; t <= step; t++) key = nextKey(own.level, own.index, key, t);
    return key;
  };
  // What stands above several devices, all of them hold: each key is tried once.
  const distinct = new Map(
    held.map((own) => [`${own.level}/${own.index}/${own.step}/${toHex(own.key)}`, own]),
  );
  const keys = [...distinct.values()].flatMap((own) => [own.key, takenOn(own)]);
  const tried = [...new Map(keys.map((key) => [toHex(key), key])).values()];
  return targets.some((target) => tried.some((key) => opens(key, target)));
}

/** One epoch of a group. */
export interface EpochPlan {
  readonly removed: readonly number[];
  readonly added: readonly number[];
}

/** What happened in one epoch: what was broadcast, and who was a member. */
export interface Past {
  readonly update: PathUpdate;
  readonly members: ReadonlySet<number>;
}

/** One node's tree of a group, all its members, who follow every broadcast, and all who ever left. */
export class TreeWorld {
  readonly roster = Roster.of([]);
  readonly pages = new Map<string, Uint8Array>();
  readonly plain = new PlainTree();
  readonly paths = new Map<number, TreePath>();
  /** All that each device ever held. */
  readonly held = new Map<number, HeldKey[]>();
  readonly past: Past[] = [];
  readonly share = sha256(utf8('share'));
  step = -1;
  readonly #random: (length: number) => Uint8Array;
  readonly #plainRandom: (length: number) => Uint8Array;

  constructor(name: string, first: readonly number[]) {
    this.#random = stream(name);
    this.#plainRandom = stream(name);
    this.roster.apply(this.roster.plan([], first.map(device)));
    const places = [...this.roster.members()].map(({ place }) => place);
    this.step++;
    const { height } = this.roster;
    this.#store(plantTree(scope, { places, height, step: 0, random: this.#random }));
    this.plain.step(new Set(places), new Set(), height, 0, this.#plainRandom);
    for (const n of first) this.welcome(n);
  }

  readonly read = (name: string): Uint8Array | undefined => this.pages.get(name);

  /** The next epoch: the node's tree and the plain one take a step, members follow, who is new is welcomed. */
  epoch({ removed, added }: EpochPlan): Rekeyed {
    const changes = this.roster.plan(removed.map(device), added.map(device));
    const heightBefore = this.roster.height;
    const { height } = this.roster.outcome(changes);
    const names = new Set(pagesOf({ heightBefore, changes, height }));
    this.roster.apply(changes);
    this.step++;
    const seal = {
      step: this.step,
      nonce: sha256(utf8(`nonce ${this.step}`)),
      epochId: sha256(u64(this.step)),
    };
    const read = (name: string): Uint8Array | undefined => {
      if (!names.has(name)) throw new Error(`the page ${name} was not said to be needed`);
      return this.read(name);
    };
    const tree = { heightBefore, changes, height, ...seal, share: this.share };
    const rekeyed = rekey(scope, read, { ...tree, random: this.#random });
    this.#store(rekeyed.pages);
    const places = new Set([...this.roster.members()].map(({ place }) => place));
    this.plain.step(places, new Set(changes.vacated), height, this.step, this.#plainRandom);
    for (const n of removed) this.paths.delete(n);
    if (rekeyed.update === undefined) throw new Error('a small group needs few seals');
    const update = { ...seal, ...rekeyed.update, height };
    for (const [n, path] of this.paths) {
      const followed = advancePath(scope, path, update);
      if (!equalConstantTime(followed.share, this.share)) throw new Error('a member got another share');
      this.#hold(n, followed.path);
    }
    for (const n of added) this.welcome(n);
    this.past.push({ update, members: new Set(this.paths.keys()) });
    return rekeyed;
  }

  /** GRP-8: the node gives a member the keys of its path. */
  welcome(n: number): void {
    const { height } = this.roster;
    const place = this.roster.placeOf(device(n)) as number;
    const keys = pathKeysOf(scope, this.read, height, place, this.step);
    this.#hold(n, { place, height, step: this.step, keys });
  }

  /** The background brings every page to the step. */
  advanceAll(): void {
    for (const [name, value] of this.pages) {
      this.pages.set(name, advancePage(scope, name, value, this.step) ?? value);
    }
  }

  #hold(n: number, path: TreePath): void {
    this.paths.set(n, path);
    this.held.set(n, [...(this.held.get(n) ?? []), ...keysOf(path)]);
  }

  #store(rows: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [name, value] of rows) {
      if (value === null) this.pages.delete(name);
      else this.pages.set(name, value);
    }
  }
}
