import { Secret, sha256, utf8 } from '@symmetra/crypto';
import type { Suite, SuiteTable } from '@symmetra/crypto';
import type { ProtocolContext } from '@symmetra/protocol';
import { nodeKeyHash } from '@symmetra/protocol';
import { SealLedger } from '@symmetra/testing';

export const NETWORK_ID = sha256(utf8('simulated network')).slice(0, 16);
export const NODE_IDS = ['node-1', 'node-2', 'node-3'] as const;

/** A node's static keys of one suite. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly publicKey: Uint8Array;
  readonly kemKeys: ReadonlyMap<number, { publicKey: Uint8Array; secretKey: Secret<'NodeKemKey'> }>;
  readonly nodeKeyHash: Uint8Array;
}

const identities = new Map<string, NodeIdentity>();

/** The identity of a node under a suite: made once, the same in every run. */
export function nodeIdentity(suite: Suite, nodeId: string): NodeIdentity {
  const name = `${suite.id}/${nodeId}`;
  const known = identities.get(name);
  if (known !== undefined) return known;
  const seed = sha256(utf8(name));
  const { publicKey, secretKey } = suite.kem.keygen(
    suite.kem.seedLength === seed.length ? seed : new Uint8Array([...seed, ...seed]),
  );
  const identity: NodeIdentity = {
    nodeId,
    publicKey,
    kemKeys: new Map([[suite.id, { publicKey, secretKey: Secret.of('NodeKemKey', secretKey) }]]),
    nodeKeyHash: nodeKeyHash({ kemKeys: [{ suiteId: suite.id, publicKey }] }),
  };
  identities.set(name, identity);
  return identity;
}

/** The context of one run: its suite alone, watched for a nonce that repeats. */
export function watchedContext(suite: Suite): ProtocolContext & { readonly suites: SuiteTable } {
  return { networkId: NETWORK_ID, suites: new SealLedger([suite]).suites };
}
