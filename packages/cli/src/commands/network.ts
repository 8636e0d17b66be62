import { randomBytes } from 'node:crypto';
import { SymmetraError, toHex } from '@symmetra/crypto';
import type { Descriptor } from '@symmetra/protocol';
import type { NatsPlace, NetworkChange, NetworkFile } from '@symmetra/node';
import type { Command, Option } from 'commander';
import { pushDescriptor } from '../administrator/descriptor-push.js';
import { addCommand, option, required } from '../command.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { addressOf, path, wholeNumber } from '../values.js';

interface NatsOptions {
  readonly natsListen?: string;
  readonly natsData?: string;
}

interface InitOptions extends NatsOptions {
  readonly node: readonly string[];
  readonly threshold?: number;
  readonly out: string;
}

interface ChangeOptions {
  readonly network: string;
  readonly rootKey?: string;
  readonly node: string;
  readonly push?: boolean;
}

interface PushOptions {
  readonly network: string;
}

const AFTERWARDS =
  'The file is replaced by one of the next version, and nats.conf beside it by one that lets the nodes of it in. With ' +
  '--push the running nodes are told at once; otherwise each learns of it when it starts with the new file, or from ' +
  'another node. Devices learn of it by themselves, enrol with a new node, and go on.';

const MAX_NODES = 64;
const NATS: NatsPlace = { listen: '0.0.0.0:4222', storeDir: '/var/lib/nats' };
const DEFAULT_THRESHOLD = 2;

/** Fills the group `network`. */
export function addNetworkCommands(network: Command, invocation: Invocation): void {
  addCommand<InitOptions>(network, invocation, {
    name: 'init',
    summary: 'make a network of nodes that run as processes of their own',
    details:
      'Takes the node.json of each node (see symmetra node init), draws the key of the root and that of an ' +
      'administrator, and signs the first descriptor. DIR/network.json goes to every node; DIR/nats.conf to the NATS ' +
      'servers; DIR/root.key is needed again only when the nodes change: keep it offline. The first command of an ' +
      'administrator puts the default policy in force.',
    options: [
      required(option('--node <file>', 'the description of a node; once for each', collected)),
      option(
        '--threshold <count>',
        `how many of them suffice for a key (default: ${DEFAULT_THRESHOLD})`,
        wholeNumber(DEFAULT_THRESHOLD, MAX_NODES),
      ),
      required(option('--out <dir>', 'where the network goes', path)),
      ...natsOptions(),
    ],
    examples: ['symmetra network init --node a.json --node b.json --node c.json --threshold 2 --out net'],
    run: init,
  });
  addCommand<ChangeOptions>(network, invocation, {
    name: 'add-node',
    summary: 'sign a descriptor with one node more',
    details: AFTERWARDS,
    options: changeOptions(option('--node <file>', 'the description of the node', path)),
    examples: [
      'symmetra network add-node --network net/network.json --root-key root.key --node d.json --push',
    ],
    run: async (own, options) => change(own, options, await described('add', options.node)),
  });
  addCommand<ChangeOptions>(network, invocation, {
    name: 'replace-node',
    summary: 'sign a descriptor with other keys or addresses for a node',
    details:
      'For a node that was set up anew or restored, and for one that moved. Replace no more nodes than those beyond the ' +
      `threshold before the devices have enrolled with the new ones. ${AFTERWARDS}`,
    options: changeOptions(option('--node <file>', 'its description as it is now', path)),
    examples: [
      'symmetra network replace-node --network net/network.json --root-key root.key --node b.json --push',
    ],
    run: async (own, options) => change(own, options, await described('replace', options.node)),
  });
  addCommand<ChangeOptions>(network, invocation, {
    name: 'remove-node',
    summary: 'sign a descriptor without a node',
    details: `Stop the node before. It comes back only with other keys, set up anew. ${AFTERWARDS}`,
    options: changeOptions(option('--node <id>', 'the id of the node')),
    examples: [
      'symmetra network remove-node --network net/network.json --root-key root.key --node node-2 --push',
    ],
    run: async (own, options) => change(own, options, { kind: 'remove', id: options.node }),
  });
  addCommand<PushOptions>(network, invocation, {
    name: 'push',
    summary: 'hand the descriptor to the nodes that run',
    options: [required(option('--network <file>', 'network.json', path))],
    examples: ['symmetra network push --network net/network.json'],
    run: push,
  });
}

function changeOptions(node: Option): readonly Option[] {
  return [
    required(option('--network <file>', 'network.json as it is now', path)),
    option('--root-key <file>', "the root's key (default: root.key beside it)", path),
    required(node),
    option('--push', 'hand the new descriptor to the nodes that run'),
  ];
}

function natsOptions(): readonly Option[] {
  return [
    option(
      '--nats-listen <host:port>',
      `where nats.conf has the server listen (default: ${NATS.listen})`,
      addressOf,
    ),
    option('--nats-data <dir>', `where it has it keep the control log (default: ${NATS.storeDir})`, path),
  ];
}

function natsOf({ natsListen, natsData }: NatsOptions): NatsPlace {
  return { listen: natsListen ?? NATS.listen, storeDir: natsData ?? NATS.storeDir };
}

function collected(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, path(text)];
}

async function init(invocation: Invocation, options: InitOptions): Promise<void> {
  const { node: files, threshold = DEFAULT_THRESHOLD, out } = options;
  const { makeNetwork, networkFilesIn, readNodeDescription } = await import('@symmetra/node');
  const nodes = await Promise.all(files.map(readNodeDescription));
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const { parsed } = await makeNetwork({ dir: out, nodes, threshold, nats: natsOf(options), random });
  const made = networkFilesIn(out);
  invocation.output.result(
    {
      ...presented(parsed),
      descriptorFile: made.network,
      natsFile: made.nats,
      adminKeyFile: made.adminKey,
      rootKeyFile: made.rootKey,
    },
    [
      ...sentences(parsed),
      `for every node:          ${made.network}`,
      `for the NATS servers:    ${made.nats}`,
      `for an administrator:    ${made.adminKey}, with ${made.network}`,
      `to be kept offline:      ${made.rootKey}`,
      '',
      'start the nodes:                symmetra node run --config FILE',
      `then make a token for a device: symmetra token create --data ${out}`,
    ],
  );
}

async function described(kind: 'add' | 'replace', file: string): Promise<NetworkChange> {
  const { readNodeDescription } = await import('@symmetra/node');
  return { kind, node: await readNodeDescription(file) };
}

async function change(invocation: Invocation, options: ChangeOptions, next: NetworkChange): Promise<void> {
  const { changeNetwork } = await import('@symmetra/node');
  const { network, rootKey: rootKeyFile, push: pushes } = options;
  const changed = await changeNetwork(network, next, invocation.clock.now(), rootKeyFile);
  if (changed.strandsDevices) {
    const message =
      'fewer nodes than the threshold have been there for a day: a device that connected to fewer of them since can not be ' +
      'introduced to the others, and needs a new token';
    invocation.output.warning({ code: 'NODES_TOO_NEW', message });
  }
  if (pushes === true) {
    await told(invocation, network, changed);
    return;
  }
  invocation.output.result({ ...presented(changed.parsed), descriptorFile: network }, [
    ...sentences(changed.parsed),
    `hand it to the nodes: symmetra network push --network ${network}`,
  ]);
}

async function push(invocation: Invocation, { network: file }: PushOptions): Promise<void> {
  const { readNetworkFile } = await import('@symmetra/node');
  await told(invocation, file, await readNetworkFile(file));
}

/** Hands a descriptor to the nodes that it names. @throws NODES_UNREACHABLE when none took it */
async function told(invocation: Invocation, file: string, network: NetworkFile): Promise<void> {
  const { output } = invocation;
  const pushed = await pushDescriptor(network);
  output.result({ ...presented(network.parsed), descriptorFile: file, pushed }, [
    ...sentences(network.parsed),
    ...columns(
      pushed.map(({ node, code }) => [`  ${node}`, code === undefined ? 'has it' : `has it not: ${code}`]),
    ),
  ]);
  const missing = pushed.filter(({ code }) => code !== undefined).map(({ node }) => node);
  if (missing.length === pushed.length) {
    throw new SymmetraError('NODES_UNREACHABLE', 'no node took the descriptor; is the network up?');
  }
  if (missing.length > 0) {
    const message = `${missing.join(', ')} did not take the descriptor now, and will learn of it from the others`;
    output.warning({ code: 'NODES_NOT_TOLD', message });
  }
}

function presented({ networkId, version, threshold, nodes }: Descriptor): object {
  return {
    networkId: toHex(networkId),
    version,
    threshold,
    nodes: nodes.map(({ id, addresses, operator }) => ({ id, addresses, operator })),
  };
}

function sentences({ networkId, version, threshold, nodes }: Descriptor): readonly string[] {
  return [
    `network ${toHex(networkId)}, descriptor ${version}: ${nodes.length} nodes, any ${threshold} suffice`,
    ...columns(nodes.map(({ id, addresses, operator }) => [`  ${id}`, addresses.join(', '), operator])),
  ];
}
