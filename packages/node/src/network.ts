import { join } from 'node:path';
import { InProcessLog, InProcessNetwork } from '@symmetra/bus';
import { SymmetraError, equalConstantTime, suites, toHex } from '@symmetra/crypto';
import type { NodeRandomness } from '@symmetra/entropy';
import { DEFAULT_POLICY, EMPTY_LOG, encodeEvent, signDescriptor, signEvent } from '@symmetra/protocol';
import type { Descriptor, SignedEvent } from '@symmetra/protocol';
import { Lifecycle } from '@symmetra/runtime';
import type { Clock, Logger } from '@symmetra/runtime';
import { startNode } from './compose.js';
import type { RunningNode } from './node-ports.js';
import { freePorts, isPortFree } from './free-ports.js';
import { describeIdentity } from './identity/node-identity.js';
import { findNetworkFile, writeNetworkFile } from './network-file.js';
import type { NetworkFile } from './network-file.js';
import { openNodeDirectory } from './node-directory.js';
import type { NodeDirectory } from './node-directory.js';
import { createSigningKey, readSigningKey } from './signing-key-file.js';

const DEFAULT_HOST = '127.0.0.1';
const NETWORK_ID_BYTES = 16;
const STOP_MS = 15_000;

/** How an embedded network is run. */
export interface NetworkOptions {
  /** Everything lives below it; it is made when it is not there. */
  readonly dataDir: string;
  readonly nodes: number;
  readonly threshold: number;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Node i, counted from 1, listens on `port + i`; 0: on the ports of the last start, or on free ones. */
  readonly port: number;
  readonly reflection?: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called for every node, and for the keys of the network; each call may give a generator of its own. */
  readonly randomness: () => NodeRandomness;
}

/** A network that is up. */
export interface RunningNetwork {
  /** Hexadecimal. */
  readonly networkId: string;
  readonly nodes: readonly { readonly id: string; readonly address: string }[];
  readonly descriptorFile: string;
  readonly adminKeyFile: string;
  stop(): Promise<void>;
}

/** The files of an embedded network. */
function filesIn(dataDir: string) {
  return {
    descriptor: join(dataDir, 'network.json'),
    adminKey: join(dataDir, 'admin.key'),
    rootKey: join(dataDir, 'root.key'),
    node: (id: string) => join(dataDir, 'nodes', id),
  };
}

/**
 * Starts the nodes of a network in this process, each with its own store and master key. The first start makes the
 * network: its root and administrator keys lie beside it, which is for development; in production both live
 * elsewhere, the root offline. Later starts go on with it.
 * @throws NETWORK_DIFFERS, PORT_IN_USE, LISTEN_FAILED, STORE_BUSY, NETWORK_FILE_DAMAGED, KEY_FILE_MISSING,
 *   ROOT_MISMATCH, and what storage throws
 */
export async function startNetwork(options: NetworkOptions): Promise<RunningNetwork> {
  const { dataDir, clock, logger, host = DEFAULT_HOST } = options;
  const files = filesIn(dataDir);
  const lifecycle = new Lifecycle({ clock, logger, deadlineMs: STOP_MS });
  try {
    const found = await findNetworkFile(files.descriptor);
    if (found !== undefined) checkSame(found.parsed, options);
    const directories = await openDirectories(options, lifecycle);
    const ports = await choosePorts(options, host, found?.parsed);
    const network = await describeNetwork(
      options,
      found,
      directories,
      ports.map((port) => addressOf(host, port)),
    );
    const nodes = await startNodes(options, network, directories, ports, lifecycle);
    await ensurePolicy(files.adminKey, network.parsed, nodes, clock);
    return {
      networkId: toHex(network.parsed.networkId),
      nodes: nodes.map(({ id, port }) => ({ id, address: addressOf(host, port) })),
      descriptorFile: files.descriptor,
      adminKeyFile: files.adminKey,
      stop: async () => void (await lifecycle.stop()),
    };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

/** @throws NETWORK_DIFFERS */
function checkSame({ nodes, threshold }: Descriptor, options: NetworkOptions): void {
  if (nodes.length === options.nodes && threshold === options.threshold) return;
  throw new SymmetraError(
    'NETWORK_DIFFERS',
    `the network in this directory has ${nodes.length} nodes and threshold ${threshold}`,
    { nodes: nodes.length, threshold },
  );
}

async function openDirectories(
  options: NetworkOptions,
  lifecycle: Lifecycle,
): Promise<readonly NodeDirectory[]> {
  const directories: NodeDirectory[] = [];
  for (let i = 1; i <= options.nodes; i++) {
    const id = `node-${i}`;
    const { bytes } = options.randomness();
    const directory = await openNodeDirectory(filesIn(options.dataDir).node(id), id, bytes);
    lifecycle.register(`${id} store`, async () => directory.close());
    directories.push(directory);
  }
  return directories;
}

/** With port 0, those of the last start when they are free: devices know them. */
async function choosePorts(
  options: NetworkOptions,
  host: string,
  last?: Descriptor,
): Promise<readonly number[]> {
  if (options.port !== 0) return Array.from({ length: options.nodes }, (_, i) => options.port + i + 1);
  const known = (last?.nodes ?? []).flatMap(({ addresses: [address = ''] }) => {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    return address === addressOf(host, port) ? [port] : [];
  });
  const free = await Promise.all(known.map((port) => isPortFree(host, port)));
  return known.length === options.nodes && free.every(Boolean) ? known : freePorts(host, options.nodes);
}

/** The descriptor of the last start if it still fits; else a new one, signed by the root. */
async function describeNetwork(
  { dataDir, threshold, randomness }: NetworkOptions,
  found: NetworkFile | undefined,
  directories: readonly NodeDirectory[],
  addresses: readonly string[],
): Promise<NetworkFile> {
  const fits = found?.parsed.nodes.every(
    (node, i) => node.addresses.length === 1 && node.addresses[0] === addresses[i],
  );
  if (found !== undefined && fits === true) return found;
  const files = filesIn(dataDir);
  const { bytes: random } = randomness();
  const root =
    found === undefined ? await createSigningKey(files.rootKey, random) : await readSigningKey(files.rootKey);
  if (found !== undefined && !equalConstantTime(root.publicKey, found.rootPublicKey)) {
    throw new SymmetraError('ROOT_MISMATCH', 'the root key is that of another network');
  }
  const administrators = found?.parsed.administrators ?? [
    (await createSigningKey(files.adminKey, random)).publicKey,
  ];
  const parsed: Descriptor = {
    networkId: found?.parsed.networkId ?? random(NETWORK_ID_BYTES),
    version: (found?.parsed.version ?? 0) + 1,
    nodes: directories.map(({ identity }, i) =>
      describeIdentity(identity, [addresses[i] ?? ''], 'development'),
    ),
    suites: suites.ids(),
    threshold,
    administrators,
    administratorThreshold: found?.parsed.administratorThreshold ?? 1,
  };
  const network = { ...signDescriptor(parsed, root.secretKey, root.publicKey), parsed };
  root.secretKey.fill(0);
  await writeNetworkFile(files.descriptor, network);
  return network;
}

async function startNodes(
  options: NetworkOptions,
  { descriptor, signature, rootPublicKey }: NetworkFile,
  directories: readonly NodeDirectory[],
  ports: readonly number[],
  lifecycle: Lifecycle,
): Promise<readonly RunningNode[]> {
  const { clock, logger, host = DEFAULT_HOST, reflection = false } = options;
  const network = new InProcessNetwork({
    clock,
    onFailure: (subject, error) => logger.error({ subject, err: error }, 'A request between nodes failed.'),
  });
  const log = new InProcessLog(clock, { isLasting: false });
  const nodes: RunningNode[] = [];
  for (const [i, { identity, store }] of directories.entries()) {
    const bus = network.join(identity.id);
    lifecycle.register(`${identity.id} bus`, async () => bus.close());
    const node = await startNode({
      identity,
      store,
      bus,
      log: log.join(),
      clock,
      logger,
      host,
      reflection,
      descriptor: { descriptor, signature, rootPublicKey },
      randomness: options.randomness(),
      port: ports[i] ?? 0,
    });
    lifecycle.register(node.id, node.stop);
    nodes.push(node);
  }
  for (const node of nodes) await node.follow();
  return nodes;
}

/** CTL-5: a new network begins with the default policy. */
async function ensurePolicy(
  adminKeyFile: string,
  { networkId }: Descriptor,
  nodes: readonly RunningNode[],
  clock: Clock,
): Promise<void> {
  const [first] = nodes;
  if (first === undefined || nodes.some((node) => node.logNumber() > 0)) return;
  const administrator = await readSigningKey(adminKeyFile);
  const event = encodeEvent({
    networkId,
    number: 1,
    previousHash: EMPTY_LOG.hash,
    timeMs: clock.now(),
    body: { kind: 'policy', policy: DEFAULT_POLICY },
  });
  const signed: SignedEvent = {
    event,
    signatures: [signEvent(event, administrator.secretKey, administrator.publicKey)],
  };
  administrator.secretKey.fill(0);
  await first.submit(signed);
}

/** IPv6 addresses stand in brackets. */
function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
