import { SymmetraError, toHex } from '@symmetra/crypto';
import { nodeKeyHash } from '@symmetra/protocol';
import type { Descriptor, DescriptorNode } from '@symmetra/protocol';
import { readJsonFile, writeJsonFile } from '@symmetra/runtime';
import { JsonObject } from '../json-object.js';

const FORMAT = 'symmetra-node-keys/1';
/** How long devices may take to enrol with a node that is new. */
const ARRIVAL_MS = 24 * 3_600_000;

/** Keys that a descriptor named, or is about to name. */
interface NamedKeys {
  /** H(pk) in hex. */
  readonly keyHash: string;
  readonly cameMs: number;
  /** Whether a later descriptor did not name them any more. */
  readonly isFormer: boolean;
}

/** CTL-1: which keys nodes of a network have and had, so that none comes back with keys that were left out. */
export class NodeKeys {
  readonly #file: string;
  readonly #keys: Map<string, NamedKeys>;

  private constructor(file: string, keys: readonly NamedKeys[]) {
    this.#file = file;
    this.#keys = new Map(keys.map((one) => [one.keyHash, one]));
  }

  /** Of a network for which none were noted yet: none. @throws NODE_FILE_DAMAGED, NO_PERMISSION */
  static async read(file: string): Promise<NodeKeys> {
    const content = await readJsonFile(file);
    if (content === undefined) return new NodeKeys(file, []);
    const lacks = (field: string): SymmetraError =>
      new SymmetraError('NODE_FILE_DAMAGED', `${file} lacks a valid "${field}"`, { path: file, field });
    const read = new JsonObject(content, lacks);
    if (read.text('format') !== FORMAT) throw lacks('format');
    const keys = read.objects('keys').map((one) => ({
      keyHash: one.text('keyHash'),
      cameMs: one.number('cameMs'),
      isFormer: one.text('state') === 'former',
    }));
    return new NodeKeys(file, keys);
  }

  /** Notes that one descriptor takes the place of another. @throws NODE_KEYS_USED, and what the file throws */
  async change(before: Descriptor, after: Descriptor, nowMs: number): Promise<void> {
    const staying = new Set(after.nodes.map(hashOf));
    const known = new Set(before.nodes.map(hashOf));
    for (const node of after.nodes) {
      const keyHash = hashOf(node);
      if (known.has(keyHash)) continue;
      if (this.#keys.get(keyHash)?.isFormer === true) {
        const message = `${node.id} has keys that an earlier descriptor named; set it up anew in an empty directory`;
        throw new SymmetraError('NODE_KEYS_USED', message, { node: node.id });
      }
      this.#keys.set(keyHash, { keyHash, cameMs: nowMs, isFormer: false });
    }
    for (const keyHash of known) {
      const cameMs = this.#keys.get(keyHash)?.cameMs ?? 0;
      this.#keys.set(keyHash, { keyHash, cameMs, isFormer: !staying.has(keyHash) });
    }
    const keys = [...this.#keys.values()].map(({ keyHash, cameMs, isFormer }) => ({
      keyHash,
      cameMs,
      state: isFormer ? 'former' : 'current',
    }));
    await writeJsonFile(this.#file, { format: FORMAT, keys });
  }

  /** CTL-1: whether fewer than k nodes are there for long enough that every device knows them. */
  areTooNew({ nodes, threshold }: Descriptor, nowMs: number): boolean {
    const since = (node: DescriptorNode): number => this.#keys.get(hashOf(node))?.cameMs ?? 0;
    return nodes.filter((node) => since(node) + ARRIVAL_MS <= nowMs).length < threshold;
  }
}

function hashOf({ kemKeys }: DescriptorNode): string {
  return toHex(nodeKeyHash({ kemKeys }));
}
