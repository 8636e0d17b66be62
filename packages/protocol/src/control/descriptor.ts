import {
  Reader,
  SymmetraError,
  Writer,
  equalConstantTime,
  sha256,
  sign,
  toHex,
  verify,
} from '@symmetra/crypto';
import {
  MAX_NAME_LENGTH,
  MAX_NODES,
  PROTOCOL_VERSION,
  SHORT_ID_LENGTH,
  readCount,
  readNodeId,
} from '../context.js';

const MAX_KEY_BYTES = 4096;
const MAX_ADDRESSES = 16;
const MAX_ADDRESS_LENGTH = 255;
const MAX_SUITES = 16;
const MAX_ADMINISTRATORS = 64;

/** A node as the descriptor names it. */
export interface DescriptorNode {
  readonly id: string;
  /** host:port. */
  readonly addresses: readonly string[];
  /** Static KEM public keys, one per suite, ascending. */
  readonly kemKeys: readonly { readonly suiteId: number; readonly publicKey: Uint8Array }[];
  /** ML-DSA-65 public key. */
  readonly signingKey: Uint8Array;
  readonly operator: string;
}

/** CTL-1: the public facts of a network, signed by its root. */
export interface Descriptor {
  readonly networkId: Uint8Array;
  /** Increasing; devices and nodes refuse an older one. */
  readonly version: number;
  readonly nodes: readonly DescriptorNode[];
  /** Suites of the network, ascending. */
  readonly suites: readonly number[];
  /** k: how many nodes suffice. n is the number of nodes. */
  readonly threshold: number;
  /** ML-DSA-65 public keys. */
  readonly administrators: readonly Uint8Array[];
  /** How many administrators must sign a control event. */
  readonly administratorThreshold: number;
}

/** A descriptor as it travels. */
export interface SignedDescriptor {
  /** Canonical bytes. */
  readonly descriptor: Uint8Array;
  readonly signature: Uint8Array;
  readonly rootPublicKey: Uint8Array;
}

/** CTL-1: canonical bytes of a descriptor. */
export function encodeDescriptor(descriptor: Descriptor): Uint8Array {
  return new Writer()
    .u8(PROTOCOL_VERSION)
    .raw(descriptor.networkId)
    .u64(descriptor.version)
    .list(descriptor.nodes, (w, node) =>
      w
        .text(node.id)
        .list(node.addresses, (v, address) => v.text(address))
        .list(node.kemKeys, (v, key) => v.u8(key.suiteId).bytes(key.publicKey))
        .bytes(node.signingKey)
        .text(node.operator),
    )
    .list(descriptor.suites, (w, suite) => w.u8(suite))
    .u8(descriptor.threshold)
    .list(descriptor.administrators, (w, key) => w.bytes(key))
    .u8(descriptor.administratorThreshold)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, BAD_DESCRIPTOR */
export function decodeDescriptor(bytes: Uint8Array): Descriptor {
  const reader = new Reader(bytes, 'descriptor');
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw new SymmetraError('WRONG_VERSION', 'the descriptor is of another protocol version', { version });
  }
  const descriptor: Descriptor = {
    networkId: reader.raw(SHORT_ID_LENGTH),
    version: readCount(reader),
    nodes: reader.list(MAX_NODES, (r) => ({
      id: readNodeId(r),
      addresses: r.list(MAX_ADDRESSES, (a) => a.text(MAX_ADDRESS_LENGTH)),
      kemKeys: r.list(MAX_SUITES, (k) => ({ suiteId: k.u8(), publicKey: k.bytes(MAX_KEY_BYTES) })),
      signingKey: r.bytes(MAX_KEY_BYTES),
      operator: r.text(MAX_NAME_LENGTH),
    })),
    suites: reader.list(MAX_SUITES, (r) => r.u8()),
    threshold: reader.u8(),
    administrators: reader.list(MAX_ADMINISTRATORS, (r) => r.bytes(MAX_KEY_BYTES)),
    administratorThreshold: reader.u8(),
  };
  reader.end();
  checkDescriptor(descriptor);
  return descriptor;
}

/** The rules that hold for every descriptor. @throws BAD_DESCRIPTOR */
export function checkDescriptor(descriptor: Descriptor): void {
  const bad = (reason: string): SymmetraError =>
    new SymmetraError('BAD_DESCRIPTOR', `the descriptor ${reason}`);
  const { nodes, suites, threshold, administrators, administratorThreshold } = descriptor;
  if (nodes.length === 0 || new Set(nodes.map((node) => node.id)).size !== nodes.length) {
    throw bad('names no node, or one twice');
  }
  if (threshold < 2 || threshold > nodes.length) throw bad('has a threshold below 2 or above its nodes');
  if (suites.length === 0 || suites.some((suite, i) => i > 0 && suite <= (suites[i - 1] as number))) {
    throw bad('has no suites, or not in order');
  }
  const complete = nodes.every((node) =>
    suites.every((id) => node.kemKeys.some((key) => key.suiteId === id)),
  );
  if (!complete || nodes.some((node) => !node.kemKeys.some((key) => key.suiteId === 1))) {
    throw bad('has a node without a KEM key for each suite and for suite 1');
  }
  if (new Set(administrators.map(toHex)).size !== administrators.length) {
    throw bad('names an administrator twice');
  }
  if (administratorThreshold < 1 || administratorThreshold > administrators.length) {
    throw bad('asks for more administrators than it names');
  }
}

/** Signs a descriptor with the root's key. */
export function signDescriptor(
  descriptor: Descriptor,
  rootSecretKey: Uint8Array,
  rootPublicKey: Uint8Array,
): SignedDescriptor {
  const bytes = encodeDescriptor(descriptor);
  decodeDescriptor(bytes);
  return { descriptor: bytes, signature: sign(bytes, rootSecretKey, 'descriptorSign'), rootPublicKey };
}

/**
 * CTL-2: checks a descriptor against the hash of the root's key, and against the version that is already known.
 * @throws ROOT_MISMATCH, BAD_SIGNATURE, DESCRIPTOR_OLD, WRONG_NETWORK, and what {@link decodeDescriptor} throws
 */
export function verifyDescriptor(
  signed: SignedDescriptor,
  expected: { networkId: Uint8Array; rootKeyHash: Uint8Array; minimumVersion: number },
): Descriptor {
  if (!equalConstantTime(sha256(signed.rootPublicKey), expected.rootKeyHash)) {
    throw new SymmetraError('ROOT_MISMATCH', 'the descriptor is signed by the root of another network');
  }
  if (!verify(signed.signature, signed.descriptor, signed.rootPublicKey, 'descriptorSign')) {
    throw new SymmetraError('BAD_SIGNATURE', "the descriptor's signature does not verify");
  }
  const descriptor = decodeDescriptor(signed.descriptor);
  if (!equalConstantTime(descriptor.networkId, expected.networkId)) {
    throw new SymmetraError('WRONG_NETWORK', 'the descriptor belongs to another network');
  }
  if (descriptor.version < expected.minimumVersion) {
    throw new SymmetraError('DESCRIPTOR_OLD', 'the descriptor is older than the one already known', {
      version: descriptor.version,
      known: expected.minimumVersion,
    });
  }
  return descriptor;
}

/** The node of that id. @throws NODE_UNKNOWN */
export function descriptorNode(descriptor: Descriptor, nodeId: string): DescriptorNode {
  const node = descriptor.nodes.find((one) => one.id === nodeId);
  if (node === undefined) {
    throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node', { node: nodeId });
  }
  return node;
}

/** The node's static KEM key of a suite. @throws SUITE_UNKNOWN */
export function nodeKemKey(node: DescriptorNode, suiteId: number): Uint8Array {
  const key = node.kemKeys.find((one) => one.suiteId === suiteId);
  if (key === undefined) {
    throw new SymmetraError('SUITE_UNKNOWN', 'the node has no key for this suite', { suite: suiteId });
  }
  return key.publicKey;
}

/** H(pk_Ni): SHA-256 over all static KEM keys of a node, 32 bytes. */
export function nodeKeyHash(node: Pick<DescriptorNode, 'kemKeys'>): Uint8Array {
  return sha256(new Writer().list(node.kemKeys, (w, key) => w.u8(key.suiteId).bytes(key.publicKey)).finish());
}
