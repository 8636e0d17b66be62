import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { SymmetraError } from '@symmetra/crypto';
import { NodeClient } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { addressOf, name } from '../values.js';
import { addBackupCommands } from './node-backup.js';
import { addressOption, configOf, configOption } from './node-options.js';
import type { ConfigOptions } from './node-options.js';

interface InitOptions extends ConfigOptions {
  readonly address?: readonly string[];
  readonly operator?: string;
}

interface HealthOptions {
  readonly address: string;
}

const HEALTH_MS = 3000;
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Fills the group `node`. */
export function addNodeCommands(node: Command, invocation: Invocation): void {
  addCommand<InitOptions>(node, invocation, {
    name: 'init',
    summary: 'give a node its identity, and describe it for the root of the network',
    details:
      'Draws the keys of the node, its master key and its NATS key below its data directory, unless they are there, ' +
      'and writes node.json, in which nothing is secret: give it to whoever holds the root (symmetra network init, ' +
      'add-node). The node must not run meanwhile.',
    options: [
      configOption(),
      addressOption('where it listens'),
      option('--operator <name>', 'who runs it (default: the name of this machine)', name),
    ],
    examples: [
      'symmetra node init --config node.yaml --address node-1.example:7401 --operator "Example Ltd"',
    ],
    run: init,
  });
  addCommand<ConfigOptions>(node, invocation, {
    name: 'run',
    summary: 'run one node of a network',
    details:
      'Stays up until SIGINT or SIGTERM: then the node says NOT_SERVING, sends its devices to other nodes, ends what ' +
      'is under way, and exits with code 0; a second signal ends it at once. The log goes to standard error.',
    options: [configOption()],
    examples: [
      'symmetra node run --config node.yaml',
      'SYMMETRA_NODE_LISTEN_PORT=7402 symmetra node run --config node.yaml',
    ],
    run,
  });
  addCommand<ConfigOptions>(node, invocation, {
    name: 'check-config',
    summary: 'check a configuration, and the files that it names, without starting anything',
    options: [configOption()],
    examples: ['symmetra node check-config --config node.yaml --json'],
    run: check,
  });
  addBackupCommands(node, invocation);
  addCommand<HealthOptions>(node, invocation, {
    name: 'health',
    summary: 'ask a node whether it serves; exit code 0 when it does',
    options: [required(option('--address <host:port>', 'where it listens', addressOf))],
    examples: ['symmetra node health --address 127.0.0.1:7401'],
    run: health,
  });
}

async function init(invocation: Invocation, options: InitOptions): Promise<void> {
  const settings = await configOf(options);
  const { initNode } = await import('@symmetra/node');
  const { file, node, nkey } = await initNode(settings, {
    addresses: options.address ?? [listenAddress(settings)],
    operator: options.operator ?? hostname(),
    random: (length) => new Uint8Array(randomBytes(length)),
  });
  invocation.output.result(
    { node: node.id, addresses: node.addresses, operator: node.operator, nkey, descriptionFile: file },
    [
      `${node.id} of ${node.operator}, at ${node.addresses.join(', ')}`,
      `give its description to whoever holds the root of the network: ${file}`,
    ],
  );
}

async function run(invocation: Invocation, options: ConfigOptions): Promise<void> {
  const { clock, output } = invocation;
  const settings = await configOf(options);
  const logger = createLogger({ level: settings.log.level, clock });
  const { startNodeProcess } = await import('@symmetra/node');
  const node = await startNodeProcess({ config: settings, clock, logger });
  invocation.onEnd(settings.node, async () => node.stop());
  const { port, metricsPort, networkId } = node;
  output.event(
    {
      event: 'up',
      node: settings.node,
      networkId,
      port,
      ...(metricsPort !== undefined && { metricsPort }),
    } as {
      readonly event: string;
    },
    `${settings.node} of network ${networkId} listens on port ${port}`,
  );
  await Promise.race([invocation.untilInterrupted(), node.failed]);
  output.event({ event: 'stopping' }, 'stopping');
}

async function check(invocation: Invocation, options: ConfigOptions): Promise<void> {
  const settings = await configOf(options);
  const { effectiveConfig } = await import('@symmetra/runtime/configuration');
  const { checkNodeFiles } = await import('@symmetra/node');
  await checkNodeFiles(settings);
  const effective = effectiveConfig(settings);
  invocation.output.result(effective, [JSON.stringify(effective, undefined, 2)]);
}

async function health(invocation: Invocation, { address }: HealthOptions): Promise<void> {
  const client = new NodeClient(address, { deadlineMs: HEALTH_MS });
  invocation.onEnd('connection', () => client.close());
  const status = await client.health();
  if (status !== 'SERVING') {
    throw new SymmetraError(status, `the node at ${address} answers, and does not serve`);
  }
  invocation.output.result({ address, status }, [`the node at ${address} serves`]);
}

/** Where a node that listens on one address is reached. */
function listenAddress({ listen: { host, port } }: NodeConfig): string {
  if (ANY_ADDRESS.has(host) || port === 0) {
    throw new UsageError('the node listens on every address: --address says by which one devices reach it');
  }
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
