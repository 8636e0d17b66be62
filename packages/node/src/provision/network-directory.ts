import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { natsServerConfig } from '@symmetra/bus';
import { SymmetraError, equalConstantTime, suites, toHex } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import { decodeDescriptor, signDescriptor } from '@symmetra/protocol';
import type { Descriptor } from '@symmetra/protocol';
import { writeFileAtomic } from '@symmetra/runtime';
import { findNetworkFile, readNetworkFile, writeNetworkFile } from '../network-file.js';
import type { NetworkFile } from '../network-file.js';
import { createSigningKey, readSigningKey } from '../signing-key-file.js';
import { readNodeDescription, writeNodeDescription } from './node-description.js';
import type { NodeDescription } from './node-description.js';
import { NodeKeys } from './node-keys.js';

const NETWORK_ID_BYTES = 16;
const PRIVATE_DIRECTORY = 0o700;
const NATS_SERVER = 'nats-1';
/** Begins the part of `nats.conf` that is about nodes, to its end. */
const NATS_NODES = '\naccounts {\n';

/** The files of whoever holds the root of a network; administrators need `network.json` and `admin.key`. */
export function networkFilesIn(dir: string) {
  return {
    network: join(dir, 'network.json'),
    nats: join(dir, 'nats.conf'),
    rootKey: join(dir, 'root.key'),
    adminKey: join(dir, 'admin.key'),
    nodeKeys: join(dir, 'node-keys.json'),
    nodes: join(dir, 'nodes'),
    node: (id: string) => join(dir, 'nodes', `${id}.json`),
  };
}

/** What the configuration of a NATS server says beside who the nodes are. */
export interface NatsPlace {
  /** host:port. */
  readonly listen: string;
  /** Where it keeps the control log. */
  readonly storeDir: string;
}

/** How a network is made. */
export interface MakeNetworkOptions {
  readonly dir: string;
  readonly nodes: readonly NodeDescription[];
  readonly threshold: number;
  readonly nats: NatsPlace;
  readonly random: RandomBytes;
}

/**
 * Makes a network of nodes that were described: draws the root's key and one administrator's (0600), and signs the
 * first descriptor.
 * @throws NETWORK_EXISTS, BAD_DESCRIPTOR, and what the files throw
 */
export async function makeNetwork(options: MakeNetworkOptions): Promise<NetworkFile> {
  const { dir, nodes, threshold, nats, random } = options;
  const files = networkFilesIn(dir);
  if ((await findNetworkFile(files.network)) !== undefined) {
    throw new SymmetraError('NETWORK_EXISTS', `there is a network in ${dir} already`, { path: dir });
  }
  const parsed: Descriptor = {
    networkId: random(NETWORK_ID_BYTES),
    version: 1,
    nodes: nodes.map(({ node }) => node),
    suites: suites.ids(),
    threshold,
    administrators: [],
    administratorThreshold: 1,
  };
  await mkdir(files.nodes, { recursive: true, mode: PRIVATE_DIRECTORY });
  const administrator = await createSigningKey(files.adminKey, random);
  administrator.secretKey.fill(0);
  await createSigningKey(files.rootKey, random).then(({ secretKey }) => secretKey.fill(0));
  for (const one of nodes) await writeNodeDescription(files.node(one.node.id), one);
  const network = await signed(files.network, files.rootKey, {
    ...parsed,
    administrators: [administrator.publicKey],
  });
  await writeNatsFile(dir, network, nats);
  return network;
}

/** What changes about the nodes of a network. */
export type NetworkChange =
  | { readonly kind: 'add'; readonly node: NodeDescription }
  | { readonly kind: 'replace'; readonly node: NodeDescription }
  | { readonly kind: 'remove'; readonly id: string };

/** The network with its next descriptor. */
export interface ChangedNetwork extends NetworkFile {
  /** Fewer than k nodes have been there for a day: devices that did not come since can not be introduced (ENR-9). */
  readonly strandsDevices: boolean;
}

/**
 * Signs the next descriptor of the network in a directory, and has NATS know its nodes.
 * @param file `network.json`; the others lie beside it
 * @param nowMs milliseconds since 1970
 * @param rootKeyFile `root.key` when left out
 * @throws NODE_EXISTS, NODE_UNKNOWN, NODE_KEYS_USED, ROOT_MISMATCH, BAD_DESCRIPTOR, NO_NETWORK, and what the files throw
 */
export async function changeNetwork(
  file: string,
  change: NetworkChange,
  nowMs: number,
  rootKeyFile?: string,
): Promise<ChangedNetwork> {
  const files = networkFilesIn(dirname(file));
  const { parsed, rootPublicKey } = await readNetworkFile(file);
  const id = change.kind === 'remove' ? change.id : change.node.node.id;
  const known = parsed.nodes.some((node) => node.id === id);
  if (change.kind === 'add' && known) {
    throw new SymmetraError('NODE_EXISTS', `the network has a node ${id} already; replace-node changes it`, {
      node: id,
    });
  }
  if (change.kind !== 'add' && !known) {
    throw new SymmetraError('NODE_UNKNOWN', `the network has no node ${id}`, { node: id });
  }
  const next = { ...parsed, version: parsed.version + 1, nodes: changedNodes(parsed, change) };
  const keys = await NodeKeys.read(files.nodeKeys);
  await keys.change(parsed, next, nowMs);
  await mkdir(files.nodes, { recursive: true, mode: PRIVATE_DIRECTORY });
  if (change.kind !== 'remove') await writeNodeDescription(files.node(id), change.node);
  const changed = await signed(file, rootKeyFile ?? files.rootKey, next, rootPublicKey);
  if (change.kind === 'remove') await rm(files.node(id), { force: true });
  await renewNatsFile(dirname(file), changed);
  return { ...changed, strandsDevices: keys.areTooNew(next, nowMs) };
}

/** Writes `nats.conf`, by which a server knows the nodes of a network and lets each do its part. */
async function writeNatsFile(dir: string, network: NetworkFile, nats: NatsPlace): Promise<void> {
  await writeFileAtomic(networkFilesIn(dir).nats, await natsText(dir, network, nats));
}

/** Writes what `nats.conf` says of the nodes anew, behind what else it says. */
async function renewNatsFile(dir: string, network: NetworkFile): Promise<void> {
  const file = networkFilesIn(dir).nats;
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === undefined) return;
  const next = await natsText(dir, network, { listen: '', storeDir: '' });
  const [head = ''] = before.split(NATS_NODES, 1);
  const [, nodes = ''] = next.split(NATS_NODES, 2);
  await writeFileAtomic(file, `${head}${NATS_NODES}${nodes}`);
}

async function natsText(dir: string, { parsed }: NetworkFile, nats: NatsPlace): Promise<string> {
  const files = networkFilesIn(dir);
  const nodes = await Promise.all(
    parsed.nodes.map(async ({ id }) => ({
      id,
      nkeyPublic: (await readNodeDescription(files.node(id))).nkey,
    })),
  );
  return natsServerConfig({ ...nats, networkIdHex: toHex(parsed.networkId), nodes, serverName: NATS_SERVER });
}

function changedNodes({ nodes }: Descriptor, change: NetworkChange): Descriptor['nodes'] {
  switch (change.kind) {
    case 'add':
      return [...nodes, change.node.node];
    case 'replace':
      return nodes.map((node) => (node.id === change.node.node.id ? change.node.node : node));
    case 'remove':
      return nodes.filter(({ id }) => id !== change.id);
  }
}

/** Signs a descriptor that can be one, and writes it. */
async function signed(
  file: string,
  rootKeyFile: string,
  parsed: Descriptor,
  rootPublicKey?: Uint8Array,
): Promise<NetworkFile> {
  const root = await readSigningKey(rootKeyFile);
  try {
    if (rootPublicKey !== undefined && !equalConstantTime(root.publicKey, rootPublicKey)) {
      throw new SymmetraError('ROOT_MISMATCH', 'the root key is that of another network');
    }
    const network = { ...signDescriptor(parsed, root.secretKey, root.publicKey), parsed };
    decodeDescriptor(network.descriptor);
    await writeNetworkFile(file, network);
    return network;
  } finally {
    root.secretKey.fill(0);
  }
}
