import { Writer, extractExpand, openOnce, toHex, utf8 } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';

const KEY_BYTES = 32;

/** The tree whose keys are followed: of one node, for the only group of a run. */
interface Tree {
  readonly suite: Suite;
  readonly networkId: Uint8Array;
  readonly groupId: Uint8Array;
  readonly nodeId: string;
}

/** What a node broadcast for one epoch, as far as its keys protect something (GRP-7). */
export interface SealedEpoch {
  readonly epochId: Uint8Array;
  readonly step: number;
  readonly nonce: Uint8Array;
  readonly seals: readonly { readonly level: number; readonly index: number; readonly sealed: Uint8Array }[];
  readonly sealedShare: Uint8Array;
}

/** A node's share of one epoch, as devices can compute it. */
export interface OpenedShare {
  readonly devices: ReadonlySet<string>;
  readonly share: Uint8Array | undefined;
}

/** Keys at a place of the tree, in hexadecimal, and which devices can compute each of them alone. */
type Known = Map<string, Map<string, Set<string>>>;

/**
 * Follows one node's tree with everything that any device ever held of it, and everything that the node broadcast, by
 * the formulas of GRP-6 and GRP-7 and none of the product's code. Each inference starts from one key, so a coalition
 * knows what one of its members alone can compute.
 */
export class TreeThief {
  readonly #tree: Tree;
  /** By step: what devices held then. */
  readonly #held = new Map<number, { device: string; place: number; keys: Uint8Array }[]>();
  readonly #devices = new Set<string>();
  /** Every key that a device held at any step. */
  readonly #ever: Known = new Map();
  readonly #thorough: boolean;
  readonly #sealed = new Map<number, SealedEpoch[]>();

  /** @param thorough whether every key that was ever held is tried on everything that was sealed at its place, whatever the step. */
  constructor(tree: Tree, thorough = false) {
    this.#tree = tree;
    this.#thorough = thorough;
  }

  /** The keys of a path, leaf first, as a device has stored them. */
  learnPath(device: string, place: number, step: number, keys: Uint8Array): void {
    this.#devices.add(device);
    const held = this.#held.get(step) ?? [];
    this.#held.set(step, held);
    const known = held.some((one) => one.device === device && one.place === place);
    if (known) return;
    held.push({ device, place, keys: keys.slice() });
    if (this.#thorough) learn(this.#ever, device, place, keys);
  }

  /** Whether the device ever held a path of this tree. */
  knows(device: string): boolean {
    return this.#devices.has(device);
  }

  hear(sealed: SealedEpoch): void {
    const heard = this.#sealed.get(sealed.step) ?? [];
    this.#sealed.set(sealed.step, heard);
    if (!heard.some(({ nonce }) => toHex(nonce) === toHex(sealed.nonce))) heard.push(sealed);
  }

  /** For each epoch id that was broadcast: the devices that can compute the node's share of it, and what they get. */
  shares(): ReadonlyMap<string, OpenedShare> {
    const found = new Map<string, { devices: Set<string>; share: Uint8Array | undefined }>();
    const steps = [...this.#held.keys(), ...this.#sealed.keys()];
    let known: Known = new Map();
    for (let step = Math.min(...steps); step <= Math.max(...steps); step++) {
      known = this.#next(known, step);
      for (const { device, place, keys } of this.#held.get(step) ?? []) {
        learn(known, device, place, keys);
      }
      for (const sealed of this.#sealed.get(step) ?? []) {
        const opened = found.get(toHex(sealed.epochId)) ?? { devices: new Set(), share: undefined };
        found.set(toHex(sealed.epochId), opened);
        for (const [device, share] of this.#open(known, sealed)) {
          opened.devices.add(device);
          opened.share = share;
        }
        if (!this.#thorough) continue;
        for (const [device, share] of this.#open(joined(known, this.#ever), sealed)) {
          opened.devices.add(device);
          opened.share = share;
        }
      }
    }
    return found;
  }

  /** GRP-6, 1. */
  #next(known: Known, step: number): Known {
    const next: Known = new Map();
    for (const [name, keys] of known) {
      const [level, index] = name.split('/').map(Number) as [number, number];
      for (const [key, devices] of keys) {
        const context = this.#context(step, position(level, index));
        const later = extractExpand(
          this.#tree.suite,
          [Buffer.from(key, 'hex')],
          'groupTreeNext',
          context,
          KEY_BYTES,
        );
        note(next, level, index, later, devices);
      }
    }
    return next;
  }

  /** Opens every seal with every key that may fit it, from below; then the share with every key that there is. */
  #open(
    known: Known,
    { step, epochId, nonce, seals, sealedShare }: SealedEpoch,
  ): ReadonlyMap<string, Uint8Array> {
    for (const { level, index, sealed } of seals.toSorted((a, b) => a.level - b.level)) {
      const th = new Writer().raw(position(level, index)).raw(epochId).finish();
      for (const [key, devices] of known.get(`${level}/${index}`) ?? []) {
        const opened = this.#unseal(key, step, level, index, 'groupTreeSeal', th, nonce, epochId, sealed);
        if (opened !== undefined) note(known, level + 1, index >>> 1, opened, devices);
      }
    }
    const able = new Map<string, Uint8Array>();
    for (const [name, keys] of known) {
      const [level, index] = name.split('/').map(Number) as [number, number];
      for (const [key, devices] of index === 0 ? keys : []) {
        const opened = this.#unseal(
          key,
          step,
          level,
          index,
          'groupShareSeal',
          epochId,
          nonce,
          epochId,
          sealedShare,
        );
        if (opened !== undefined) for (const device of devices) able.set(device, opened);
      }
    }
    return able;
  }

  #unseal(
    key: string,
    step: number,
    level: number,
    index: number,
    label: 'groupTreeSeal' | 'groupShareSeal',
    th: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    const { suite } = this.#tree;
    const own = this.#context(step, position(level, index));
    const protecting = extractExpand(suite, [Buffer.from(key, 'hex')], 'groupTreeKey', own);
    try {
      return openOnce(suite, protecting, label, this.#context(step, th), nonce, aad, sealed);
    } catch {
      return undefined;
    }
  }

  #context(step: number, transcriptHash: Uint8Array): KdfContext {
    const { networkId, groupId, nodeId } = this.#tree;
    return {
      networkId,
      initiator: groupId,
      responder: utf8(nodeId),
      epoch: new Writer().u64(step).finish(),
      transcriptHash,
    };
  }
}

function position(level: number, index: number): Uint8Array {
  return new Writer().u8(level).u32(index).finish();
}

/** The keys of a path, leaf first. */
function learn(known: Known, device: string, place: number, keys: Uint8Array): void {
  for (let level = 0; (level + 1) * KEY_BYTES <= keys.length; level++) {
    const key = keys.subarray(level * KEY_BYTES, (level + 1) * KEY_BYTES);
    note(known, level, place >>> level, key, [device]);
  }
}

function joined(...parts: readonly Known[]): Known {
  const all: Known = new Map();
  for (const part of parts) {
    for (const [name, keys] of part) {
      const [level, index] = name.split('/').map(Number) as [number, number];
      for (const [key, devices] of keys) note(all, level, index, Buffer.from(key, 'hex'), devices);
    }
  }
  return all;
}

function note(known: Known, level: number, index: number, key: Uint8Array, devices: Iterable<string>): void {
  const name = `${level}/${index}`;
  const keys = known.get(name) ?? new Map<string, Set<string>>();
  known.set(name, keys);
  const hex = toHex(key);
  const able = keys.get(hex) ?? new Set();
  keys.set(hex, able);
  for (const device of devices) able.add(device);
}
