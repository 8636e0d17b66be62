import { Secret, SymmetraError, equalConstantTime, signatureKeygen, suites } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { decodeState, descriptorNode, encodeState, nodeKeyHash } from '@symmetra/protocol';
import type { Descriptor, DescriptorNode } from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';
import type { Store } from '@symmetra/storage';
import { IDENTITY_ROW } from '../rows/row-keys.js';

const SIGNATURE_SEED_BYTES = 32;

/** A static KEM key pair of a node. */
interface NodeKemKeys {
  readonly publicKey: Uint8Array;
  readonly secretKey: Secret<'NodeKemKey'>;
}

/** A node's own keys. They never leave the node. */
export interface NodeIdentity {
  readonly id: string;
  /** Static KEM keys by suite. */
  readonly kemKeys: ReadonlyMap<number, NodeKemKeys>;
  /** H(pk_Ni). */
  readonly keyHash: Uint8Array;
  readonly signing: { readonly publicKey: Uint8Array; readonly secretKey: Secret<'NodeSigningKey'> };
}

interface StoredIdentity {
  readonly id: string;
  readonly kemKeys: readonly (NodeKemKeys & { readonly suiteId: number })[];
  readonly signing: NodeIdentity['signing'];
}

/**
 * The identity in a node's store.
 * @throws NODE_NOT_MADE when there is none, NODE_DIFFERS when the store belongs to another node, and what the store throws
 */
export async function readIdentity(store: Store, id: string): Promise<NodeIdentity> {
  const found = await findIdentity(store, id);
  if (found !== undefined) return found;
  throw new SymmetraError(
    'NODE_NOT_MADE',
    'the store holds no node with this master key: symmetra node init makes it',
    {
      node: id,
    },
  );
}

/** {@link readIdentity}, or undefined when there is none. */
async function findIdentity(store: Store, id: string): Promise<NodeIdentity | undefined> {
  const row = await store.get(IDENTITY_ROW);
  if (row === undefined) return undefined;
  const stored = decodeState<StoredIdentity>(row.value);
  row.value.fill(0);
  if (stored.id === id) return identityOf(stored);
  throw new SymmetraError('NODE_DIFFERS', `the store belongs to another node, ${stored.id}`, {
    node: id,
    found: stored.id,
  });
}

/**
 * The identity in a node's store, drawn and stored when there is none: a KEM key for each suite of the table.
 * @throws NODE_DIFFERS when the store belongs to another node, and what the store throws
 */
export async function loadIdentity(
  store: Store,
  id: string,
  random: RandomBytes,
  table: SuiteTable = suites,
): Promise<NodeIdentity> {
  const found = await findIdentity(store, id);
  if (found !== undefined) return found;
  const drawn = drawIdentity(id, random, table);
  const value = encodeState(drawn);
  const made = await store.commit([{ key: IDENTITY_ROW, value, expect: 0 }]);
  value.fill(0);
  if (!made) throw new SymmetraError('STATE_CONFLICT', 'another process gave the node its identity');
  return identityOf(drawn);
}

function drawIdentity(id: string, random: RandomBytes, table: SuiteTable): StoredIdentity {
  const kemKeys = table.ids().map((suiteId) => {
    const { kem } = table.get(suiteId);
    const seed = random(kem.seedLength);
    const { publicKey, secretKey } = kem.keygen(seed);
    seed.fill(0);
    return { suiteId, publicKey, secretKey: Secret.of('NodeKemKey', secretKey) };
  });
  const seed = random(SIGNATURE_SEED_BYTES);
  const { publicKey, secretKey } = signatureKeygen(seed);
  seed.fill(0);
  return { id, kemKeys, signing: { publicKey, secretKey: Secret.of('NodeSigningKey', secretKey) } };
}

function identityOf({ id, kemKeys, signing }: StoredIdentity): NodeIdentity {
  return {
    id,
    kemKeys: new Map(kemKeys.map(({ suiteId, publicKey, secretKey }) => [suiteId, { publicKey, secretKey }])),
    keyHash: nodeKeyHash({ kemKeys }),
    signing,
  };
}

/** How the descriptor names this node. */
export function describeIdentity(
  identity: NodeIdentity,
  addresses: readonly string[],
  operator: string,
): DescriptorNode {
  return {
    id: identity.id,
    addresses,
    kemKeys: Array.from(identity.kemKeys, ([suiteId, { publicKey }]) => ({ suiteId, publicKey })),
    signingKey: identity.signing.publicKey,
    operator,
  };
}

/** @throws NODE_UNKNOWN; NODE_DIFFERS when the descriptor gives the node other keys than its own */
export function checkIdentity(identity: NodeIdentity, descriptor: Descriptor): void {
  const named = descriptorNode(descriptor, identity.id);
  const same =
    equalConstantTime(named.signingKey, identity.signing.publicKey) &&
    equalConstantTime(nodeKeyHash(named), identity.keyHash);
  if (same) return;
  throw new SymmetraError('NODE_DIFFERS', 'the descriptor names other keys for this node', {
    node: identity.id,
  });
}

/** Erases the secret keys. */
export function wipeIdentity(identity: NodeIdentity): void {
  for (const { secretKey } of identity.kemKeys.values()) secretKey.wipe();
  identity.signing.secretKey.wipe();
}
