import { SymmetraError, concat, equalConstantTime, sha256, utf8 } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import type { Descriptor, DeviceFacts, ProtocolContext } from '@symmetra/protocol';
import { NODE_IDS, nodeIdentity } from './node-identity.js';

export const DEVICE = 'alice';
export const NEW_NODE = 'node-new';
const TAG_BYTES = 32;

/** What every party of a run knows. */
export interface IntroductionWorld {
  readonly context: ProtocolContext;
  readonly suite: Suite;
  readonly tokenId: Uint8Array;
  readonly enrolmentNonce: Uint8Array;
  readonly deviceId: Uint8Array;
  /** What honest nodes know of the device. */
  readonly facts: DeviceFacts;
  /** The node that says something else, if there is one. */
  readonly liar: string | undefined;
}

/** Sessions and links are keys that both ends share: here a tag under a name stands for them. */
export function guarded(one: string, other: string, bytes: Uint8Array): Uint8Array {
  return concat(bytes, tagOf(one, other, bytes));
}

/** @throws AUTHENTICATION_FAILED */
export function unguarded(one: string, other: string, bytes: Uint8Array): Uint8Array {
  const content = bytes.slice(0, -TAG_BYTES);
  if (equalConstantTime(bytes.slice(-TAG_BYTES), tagOf(one, other, content))) return content;
  throw new SymmetraError('AUTHENTICATION_FAILED', 'the message does not verify');
}

function tagOf(one: string, other: string, bytes: Uint8Array): Uint8Array {
  return sha256(utf8([one, other].toSorted().join(' ')), bytes);
}

/** What every node knows of the network, which the new node belongs to by now. */
export function descriptorOf(suite: Suite): Descriptor {
  return {
    networkId: new Uint8Array(16),
    version: 2,
    nodes: [...NODE_IDS, NEW_NODE].map((id) => ({
      id,
      addresses: [],
      kemKeys: [{ suiteId: suite.id, publicKey: nodeIdentity(suite, id).publicKey }],
      signingKey: new Uint8Array(0),
      operator: '',
    })),
    suites: [suite.id],
    threshold: 2,
    administrators: [],
    administratorThreshold: 1,
  };
}
