import * as by from './by-hand.js';
import { NODE_IDS } from './network.js';
import { NETWORK_ID, fixed } from './vector.js';

export const GROUP_ID = fixed('group id', 16);
export const PURPOSE = 'intercom';
export const LIFETIME_SECONDS = 7200;
const ZERO = new Uint8Array(32);

/** Bytes for every fresh key of a tree, those of lower levels first. */
type Fresh = (length: number) => Uint8Array;

/** The device id of an actor. */
export function device(name: string): Uint8Array {
  return fixed(`device id of ${name}`, 32);
}

/** One epoch as its header names it. */
export interface HandEpoch {
  readonly groupId: Uint8Array;
  readonly epoch: number;
  readonly previous: Uint8Array;
  readonly barrier: number;
  readonly dealer: Uint8Array;
  readonly managers: readonly Uint8Array[];
  /** Device ids by place. */
  readonly roster: ReadonlyMap<number, Uint8Array>;
  readonly uses: number;
}

/** GRP-1: the least h with every occupied place below 2^h. */
export function heightByHand(roster: HandEpoch['roster']): number {
  const highest = Math.max(...roster.keys());
  return highest.toString(2).length - (highest === 0 ? 1 : 0);
}

/** GRP-2: the roster root, by the formula and without a shortcut. */
export function rosterRootByHand(roster: HandEpoch['roster']): Uint8Array {
  const tree = (...fields: readonly Uint8Array[]): Uint8Array =>
    by.sha256(by.text('symmetra/1 group roster'), ...fields);
  const node = (level: number, index: number): Uint8Array => {
    if (level === 0) {
      const deviceId = roster.get(index);
      return deviceId ? tree(by.u8(0), deviceId) : ZERO;
    }
    const [left, right] = [node(level - 1, 2 * index), node(level - 1, 2 * index + 1)];
    const isEmpty = by.hex(left) === by.hex(ZERO) && by.hex(right) === by.hex(ZERO);
    return isEmpty ? ZERO : tree(by.u8(1), left, right);
  };
  return node(heightByHand(roster), 0);
}

/** GRP-1: the commitments, to S and to each share, and the header. */
export function groupHeaderByHand(
  hand: by.HandSuite,
  epoch: HandEpoch,
  split: Uint8Array,
  shares: readonly Uint8Array[],
): { readonly bytes: Uint8Array; readonly commitments: readonly Uint8Array[] } {
  const commitments = [split, ...shares].map((part, i) =>
    by.hash(hand, by.text('symmetra/1 group share'), epoch.groupId, by.u64(epoch.epoch), by.u8(i), part),
  );
  const bytes = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    epoch.groupId,
    by.u64(epoch.epoch),
    by.bytes(epoch.previous),
    by.u64(epoch.barrier),
    epoch.dealer,
    by.list(epoch.managers, (id) => id),
    by.u32(epoch.roster.size),
    by.u8(heightByHand(epoch.roster)),
    rosterRootByHand(epoch.roster),
    by.text(PURPOSE),
    by.u16(32),
    by.u32(LIFETIME_SECONDS),
    by.u32(epoch.uses),
    by.u8(2),
    by.list(NODE_IDS, by.text),
    by.list(commitments, by.bytes),
    by.u64(7),
    by.u64(3),
  );
  return { bytes, commitments };
}

/** GRP-3: what S gives. */
export function groupSecretsByHand(
  hand: by.HandSuite,
  epoch: HandEpoch,
  header: Uint8Array,
  split: Uint8Array,
) {
  const epochId = by.hash(hand, header);
  const context = {
    networkId: NETWORK_ID,
    initiator: epoch.groupId,
    responder: by.NONE,
    epoch: by.u64(epoch.epoch),
    transcriptHash: epochId,
  };
  const G = derive(hand, split, 'group key', context);
  const { key: checkKey, tag } = by.taggedUnder(hand, G, 'group check', context, header);
  return {
    epochId,
    dealHash: by.hash(hand, by.bytes(header), by.bytes(tag)),
    G,
    checkKey,
    tag,
    application: by.expand(hand, G, 'group application', context, 32),
    message: by.expand(hand, G, 'group message', context),
    fingerprint: by.expand(hand, G, 'group fingerprint', context, 16),
  };
}

/** GRP-12: the key of a sender, and the message. */
export function groupMessageByHand(
  hand: by.HandSuite,
  epoch: HandEpoch,
  secrets: ReturnType<typeof groupSecretsByHand>,
  fields: Readonly<Record<'sender' | 'guard' | 'aad' | 'plaintext', Uint8Array>> & {
    readonly counter: number;
  },
) {
  const { sender, counter, guard, aad, plaintext } = fields;
  const key = by.expand(
    hand,
    secrets.message,
    'group sender',
    {
      networkId: NETWORK_ID,
      initiator: sender,
      responder: epoch.groupId,
      epoch: by.u64(epoch.epoch),
      transcriptHash: secrets.epochId,
    },
    32,
  );
  const head = by.raw(by.u8(1), epoch.groupId, by.u64(epoch.epoch), sender, by.u64(counter), guard);
  const nonce = by.raw(guard, by.u64(counter));
  const ciphertext = by.seal(hand, key, nonce, by.raw(head, by.bytes(aad)), plaintext);
  return { key, nonce, message: by.raw(head, by.bytes(ciphertext)) };
}

/** A seal of a broadcast: the child under whose key it is. */
export interface HandSeal {
  readonly level: number;
  readonly index: number;
  readonly sealed: Uint8Array;
}

/** GRP-6, GRP-7: the tree of one node, as plain as can be: every key at every position. */
export class HandTree {
  readonly #hand: by.HandSuite;
  readonly #groupId: Uint8Array;
  readonly #nodeId: string;
  readonly #keys = new Map<string, Uint8Array>();
  #step = -1;

  constructor(hand: by.HandSuite, groupId: Uint8Array, nodeId: string) {
    this.#hand = hand;
    this.#groupId = groupId;
    this.#nodeId = nodeId;
  }

  get step(): number {
    return this.#step;
  }

  /** All keys by `level/index`. */
  keys(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#keys].map(([name, key]) => [name, by.hex(key)]));
  }

  path(height: number, place: number): Uint8Array {
    return by.raw(...Array.from({ length: height + 1 }, (_, level) => this.#key(level, place >> level)));
  }

  /** Takes the tree one step on. @returns the positions with fresh keys, and what is sealed under which child */
  advance(
    before: HandEpoch['roster'],
    after: HandEpoch['roster'],
    vacated: readonly number[],
    fresh: Fresh,
  ): readonly { readonly level: number; readonly index: number }[] {
    this.#step += 1;
    for (const [name, key] of this.#keys) {
      const [level = 0, index = 0] = name.split('/').map(Number);
      this.#keys.set(name, derive(this.#hand, key, 'group tree-next', this.#context(at(level, index)), 32));
    }
    const height = heightByHand(after);
    const stays = (level: number, index: number): boolean =>
      [...before.keys()].some((place) => place >> level === index && !vacated.includes(place));
    const positions = Array.from({ length: 15 }, (_, level) =>
      Array.from({ length: 16 }, (__, index) => ({ level, index })),
    ).flat();
    const isOccupied = (level: number, index: number): boolean =>
      level <= height && [...after.keys()].some((place) => place >> level === index);
    for (const { level, index } of positions) {
      if (!isOccupied(level, index)) this.#keys.delete(`${level}/${index}`);
    }
    const replaced = positions.filter(
      ({ level, index }) =>
        isOccupied(level, index) &&
        (!this.#keys.has(`${level}/${index}`) || vacated.some((place) => place >> level === index)),
    );
    const bytes = fresh(32 * replaced.length);
    for (const [i, { level, index }] of replaced.entries()) {
      this.#keys.set(`${level}/${index}`, bytes.slice(32 * i, 32 * i + 32));
    }
    return replaced
      .filter(({ level }) => level > 0)
      .flatMap(({ level, index }) => [0, 1].map((side) => ({ level: level - 1, index: 2 * index + side })))
      .filter(({ level, index }) => stays(level, index));
  }

  /** GRP-7: the seals under the children, and the share under the root. */
  seal(
    children: readonly { readonly level: number; readonly index: number }[],
    epochId: Uint8Array,
    nonce: Uint8Array,
    root: { readonly height: number; readonly share: Uint8Array },
  ): { readonly seals: readonly HandSeal[]; readonly share: Uint8Array } {
    const under = (
      level: number,
      index: number,
      label: string,
      th: Uint8Array,
      secret: Uint8Array,
    ): Uint8Array => {
      const key = derive(
        this.#hand,
        this.#key(level, index),
        'group tree-key',
        this.#context(at(level, index)),
      );
      return by.sealOnce(this.#hand, key, label, this.#context(th), nonce, epochId, secret).sealed;
    };
    const seals = children.map(({ level, index }) => ({
      level,
      index,
      sealed: under(
        level,
        index,
        'group tree-seal',
        by.raw(at(level, index), epochId),
        this.#key(level + 1, index >> 1),
      ),
    }));
    return { seals, share: under(root.height, 0, 'group share-seal', epochId, root.share) };
  }

  #key(level: number, index: number): Uint8Array {
    const key = this.#keys.get(`${level}/${index}`);
    if (key === undefined) throw new Error(`no key at ${level}/${index}`);
    return key;
  }

  #context(transcriptHash: Uint8Array): by.HandContext {
    return {
      networkId: NETWORK_ID,
      initiator: this.#groupId,
      responder: by.utf8(this.#nodeId),
      epoch: by.u64(this.#step),
      transcriptHash,
    };
  }
}

function at(level: number, index: number): Uint8Array {
  return by.raw(by.u8(level), by.u32(index));
}

function derive(
  hand: by.HandSuite,
  key: Uint8Array,
  label: string,
  context: by.HandContext,
  length?: number,
): Uint8Array {
  return by.expand(hand, by.extract(hand, label, [key]), label, context, length);
}
