import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import type { NodeRandomness, RandomBitGenerator } from '@symmetra/entropy';
import type { DescriptorNode } from '@symmetra/protocol';
import { MetricsServer, createLogger } from '@symmetra/runtime';
import type { LogLevel, Logger } from '@symmetra/runtime';
import type { UpConfig } from '@symmetra/runtime/configuration';
import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { configOf as entropyConfigOf, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { labelsOf } from '../entropy/source-record.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { openLogFile } from '../log-file.js';
import { columns } from '../output.js';
import { logLevel, path, port, wholeNumber } from '../values.js';

interface UpOptions extends SourcesOptions {
  readonly nodes?: number;
  readonly threshold?: number;
  readonly data?: string;
  readonly port?: number;
  readonly host?: string;
  readonly reflection?: boolean;
  readonly logLevel?: LogLevel;
  readonly metricsPort?: number;
}

const MAX_NODES = 16;
const PRIVATE_DIRECTORY = 0o700;
const DEFAULT_HOST = '127.0.0.1';
const ENTROPY_MS = 30_000;

export function addUpCommand(program: Command, invocation: Invocation): void {
  addCommand<UpOptions>(program, invocation, {
    name: 'up',
    summary: 'run a network of nodes on this machine',
    details:
      'Starts the nodes in one process, each with its own store and master key, and stays up until SIGINT or ' +
      'SIGTERM, which ends it with exit code 0. The first start creates the network below --data; later starts ' +
      'go on with it. Logs go to DIR/symmetra.log, warnings to standard error as well.\n\n' +
      'DIR/admin.key lets its holder administer the network, DIR/root.key lets its holder replace it: in ' +
      'production both live offline, elsewhere.',
    options: [
      option(
        '--nodes <count>',
        'how many nodes (default: 3, or what the network has)',
        wholeNumber(2, MAX_NODES),
      ),
      option(
        '--threshold <count>',
        'how many of them suffice for a key (default: 2, or what the network has)',
        wholeNumber(2, MAX_NODES),
      ),
      option('--data <dir>', 'where the network lives (default: .symmetra)', path),
      option('--port <port>', 'node i listens on port + i; 0: on free ports (default: 7400)', port),
      option('--host <address>', 'the address to listen on (default: 127.0.0.1)'),
      option('--reflection', 'offer gRPC server reflection'),
      sourcesOption(),
      option('--metrics-port <port>', 'serve metrics for Prometheus on this port; 0: on a free one', port),
      option('--log-level <level>', 'debug, info, warn, error or silent (default: info)', logLevel),
    ],
    examples: [
      'symmetra up',
      'symmetra up --nodes 5 --threshold 3 --data ./lab --port 8000',
      'symmetra up --port 0 --json',
    ],
    run: up,
  });
}

async function up(invocation: Invocation, options: UpOptions): Promise<void> {
  const { output, clock } = invocation;
  const config = await configOf(options);
  await mkdir(config.dataDir, { recursive: true, mode: PRIVATE_DIRECTORY });
  const log = openLogFile(join(config.dataDir, 'symmetra.log'), (message) =>
    output.warning({ code: 'NODE_WARNING', message }),
  );
  invocation.onEnd('log', () => log.close());
  const logger = createLogger({ level: options.logLevel ?? 'info', clock, output: log });

  output.progress(`starting ${config.nodes} nodes, data in ${config.dataDir}`);
  const { startNetwork } = await import('@symmetra/node');
  const { generator, randomness } = await startEntropy(invocation, options, logger);
  const network = await startNetwork({
    ...config,
    ...(options.host !== undefined && { host: options.host }),
    reflection: options.reflection ?? false,
    randomness: () => randomness,
    logger,
    clock,
  }).catch(explain);
  invocation.onEnd('network', () => network.stop());

  const metrics = await serveMetrics(invocation, options, generator);
  const entropy = generator.status().sources.map(({ description }) => description);
  const nodes = network.nodes.map(({ id, address }) => ({ id, address }));
  output.event(
    {
      event: 'up',
      networkId: network.networkId,
      threshold: config.threshold,
      nodes,
      descriptorFile: network.descriptorFile,
      adminKeyFile: network.adminKeyFile,
      logFile: log.path,
      entropy,
      ...(metrics !== undefined && { metrics }),
    } as { readonly event: string },
    [
      `network ${network.networkId}: ${nodes.length} nodes, any ${config.threshold} suffice`,
      ...columns(nodes.map(({ id, address }) => [`  ${id}`, address])),
      `entropy: ${entropy.map((source) => `${source.name} (${labelsOf(source)})`).join('; ')}`,
      ...(metrics === undefined ? [] : [`metrics: ${metrics}`]),
      '',
      `make a token for a device:  symmetra token create --data ${config.dataDir}`,
      `end the network with Ctrl-C; the log is ${log.path}`,
    ].join('\n'),
  );
  await invocation.untilInterrupted();
  output.event({ event: 'stopping' }, 'stopping');
}

/**
 * The generator, once it can serve, and what all nodes of this process draw from it. That is seeded at once: a source
 * that falters during the start does not end it.
 * @throws BAD_CONFIG, ENTROPY_NOT_READY
 */
async function startEntropy(
  invocation: Invocation,
  options: UpOptions,
  logger: Logger,
): Promise<{ readonly generator: RandomBitGenerator; readonly randomness: NodeRandomness }> {
  const { clock } = invocation;
  const { logEntropy, openGenerator, untilReady } = await import('@symmetra/node');
  const config = await entropyConfigOf(options);
  const generator = openGenerator({ config, clock, onEvent: (event) => logEntropy(logger, event) });
  invocation.onEnd('entropy', async () => generator.close());
  await untilReady(generator, clock, ENTROPY_MS);
  return { generator, randomness: generator.drbg() };
}

/** @returns where the metrics are, when they are served. @throws PORT_IN_USE, LISTEN_FAILED */
async function serveMetrics(
  invocation: Invocation,
  { metricsPort, host = DEFAULT_HOST }: UpOptions,
  generator: RandomBitGenerator,
): Promise<string | undefined> {
  if (metricsPort === undefined) return undefined;
  const { entropyMetrics } = await import('@symmetra/node');
  const server = new MetricsServer(entropyMetrics(() => generator.status()));
  invocation.onEnd('metrics', async () => server.stop());
  const listening = await server.start(host, metricsPort);
  return `http://${host.includes(':') ? `[${host}]` : host}:${listening}/metrics`;
}

/** A store that another process holds open means that the network runs. */
function explain(error: unknown): never {
  if (error instanceof SymmetraError && error.code === 'STORE_BUSY') {
    throw new SymmetraError(
      'NETWORK_IN_USE',
      'the network in this directory is up already, in another process',
    );
  }
  throw error;
}

/** What the command line says; where it says nothing, what the network has; else the defaults. */
async function configOf(options: UpOptions): Promise<UpConfig> {
  const dataDir = options.data ?? path('.symmetra');
  const { nodes, threshold, port: chosen } = options;
  const asked = await checked({ nodes, threshold, dataDir, port: chosen });
  const file = join(dataDir, 'network.json');
  if (!existsSync(file)) return asked;
  const { readNetworkFile } = await import('@symmetra/node');
  const { parsed: network } = await readNetworkFile(file);
  return checked({
    nodes: nodes ?? network.nodes.length,
    threshold: threshold ?? network.threshold,
    dataDir,
    port: chosen ?? basePort(network.nodes),
  });
}

async function checked(input: object): Promise<UpConfig> {
  try {
    const { parseUpConfig } = await import('@symmetra/runtime/configuration');
    return parseUpConfig(input);
  } catch (error) {
    if (error instanceof SymmetraError) throw new UsageError(error.message);
    throw error;
  }
}

/** The port that node i adds i to; 0, which stands for the ports of the last start, when there is none. */
function basePort(nodes: readonly DescriptorNode[]): number {
  const bases = nodes.map(({ addresses: [address = ''] }, i) => Number(address.split(':').at(-1)) - i - 1);
  const [base = 0] = bases;
  return base > 0 && bases.every((one) => one === base) ? base : 0;
}
