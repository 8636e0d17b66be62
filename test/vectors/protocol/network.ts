import { Secret, signatureKeygen, suites } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { hex, list, bytes, raw, sha256, u8 } from './by-hand.js';
import { fixed, hexes } from './vector.js';
import type { Vector } from './vector.js';

/** A node of the vectors' network. */
export interface VectorNode {
  readonly id: string;
  readonly kemKeys: readonly { readonly suiteId: number; readonly publicKey: Uint8Array }[];
  readonly secretKeys: ReadonlyMap<number, { publicKey: Uint8Array; secretKey: Secret<'NodeKemKey'> }>;
  /** SHA-256 over the list of its KEM keys. */
  readonly keyHash: Uint8Array;
}

export const NODE_IDS = ['amsterdam', 'bern', 'cairo'] as const;

const nodes = new Map<string, VectorNode>();

/** A node with one static KEM key per suite, from fixed seeds. */
export function vectorNode(id: string): VectorNode {
  const known = nodes.get(id);
  if (known) return known;
  const pairs = suites.ids().map((suiteId) => Object.assign(staticKey(suites, id, suiteId), { suiteId }));
  const kemKeys = pairs.map(({ suiteId, publicKey }) => ({ suiteId, publicKey }));
  const node: VectorNode = {
    id,
    kemKeys,
    secretKeys: new Map(
      pairs.map(({ suiteId, publicKey, secretKey }) => [
        suiteId,
        { publicKey, secretKey: Secret.of('NodeKemKey', secretKey) },
      ]),
    ),
    keyHash: sha256(list(kemKeys, (key) => raw(u8(key.suiteId), bytes(key.publicKey)))),
  };
  nodes.set(id, node);
  return node;
}

function staticKey(
  table: SuiteTable,
  id: string,
  suiteId: number,
): { publicKey: Uint8Array; secretKey: Uint8Array } {
  const { kem } = table.get(suiteId);
  return kem.keygen(staticSeed(id, suiteId, kem.seedLength));
}

function staticSeed(id: string, suiteId: number, length: number): Uint8Array {
  return fixed(`static KEM seed of ${id}, suite ${suiteId}`, length);
}

/** An ML-DSA-65 key pair from a fixed seed. */
export function signer(name: string): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  return signatureKeygen(fixed(`signing seed of ${name}`, 32));
}

/** How the static keys are made: seeds and what the keys hash to. The public keys stand in the descriptor. */
export function networkVector(): Vector {
  return Object.fromEntries(
    NODE_IDS.map((id) => {
      const seeds = suites.ids().map((suiteId) => {
        const seed = staticSeed(id, suiteId, suites.get(suiteId).kem.seedLength);
        return [`suite ${suiteId} seed`, hex(seed)] as const;
      });
      return [id, { ...Object.fromEntries(seeds), ...hexes({ nodeKeyHash: vectorNode(id).keyHash }) }];
    }),
  );
}
