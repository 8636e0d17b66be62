import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { NodeRandomness, RandomBitGenerator } from '@symmetra/entropy';
import { decodeDescriptor } from '@symmetra/protocol';
import type { SignedDescriptor } from '@symmetra/protocol';
import { Lifecycle, MetricsServer } from '@symmetra/runtime';
import type { Clock, Logger } from '@symmetra/runtime';
import { readEntropyConfig } from '@symmetra/runtime/configuration';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import type { Store } from '@symmetra/storage';
import { startNode } from '../compose.js';
import { adoptDescriptor, newestDescriptor } from '../control/descriptor-row.js';
import { logEntropy } from '../entropy/entropy-log.js';
import { entropyMetrics } from '../entropy/entropy-metrics.js';
import { openGenerator, untilReady } from '../entropy/open-generator.js';
import { checkIdentity, readIdentity, wipeIdentity } from '../identity/node-identity.js';
import type { NodeIdentity } from '../identity/node-identity.js';
import { readNetworkFile } from '../network-file.js';
import { openNodeStore } from '../provision/node-store.js';
import { checkNodeFiles } from './check-files.js';
import { MarkKeeper } from './mark-keeper.js';
import { NodeBus } from './node-bus.js';
import { ProcessMeter } from './process-meter.js';
import { Rivals, answerArrivals } from './rivals.js';
import { Seat } from './seat.js';

const STOP_MS = 15_000;
const SECOND_MS = 1000;
const ENTROPY_MS = 30_000;
const OTHER_NETWORK = new Set(['ROOT_MISMATCH', 'WRONG_NETWORK']);

/** What a node process is started with. */
export interface NodeProcessOptions {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A node that is up, as one process. */
export interface NodeProcess {
  /** Hexadecimal. */
  readonly networkId: string;
  /** Where devices and administrators call. */
  readonly port: number;
  readonly metricsPort?: number;
  /** Rejected when the node can not go on. */
  readonly failed: Promise<never>;
  /** Says NOT_SERVING, sends devices to other nodes, ends what is under way, closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts one node of a cluster from its configuration: its store, its bus over NATS, its generator of random numbers,
 * its metrics. When it learns of a newer descriptor it goes over to that one in this process.
 * @throws what a start can come to, before it serves: KEY_FILE_MISSING, KEY_FILE_MODE, NO_NETWORK, NETWORK_DIFFERS,
 *   ROOT_MISMATCH, NODE_UNKNOWN, NODE_DIFFERS, NODE_NOT_MADE, NODE_RUNNING, STORE_BUSY, STORE_VERSION, STORE_SET_BACK, BUS_REFUSED,
 *   BUS_UNREACHABLE, PORT_IN_USE, ENTROPY_NOT_READY, and what they throw that it is made of
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const { config, clock, logger } = options;
  const lifecycle = new Lifecycle({ clock, logger, deadlineMs: STOP_MS });
  try {
    await checkNodeFiles(config);
    const given = await readNetworkFile(config.network);
    const { generator, randomness } = await startEntropy(options, lifecycle);
    const { store, isShared, warnings, keepMark, ...opened } = await openNodeStore(config, randomness.bytes);
    lifecycle.register('store', async () => opened.close());
    const keeper = new MarkKeeper(keepMark, clock, logger);
    lifecycle.register('mark', async () => keeper.stop());
    for (const { code } of warnings) logger.warn({ code }, 'The store is less durable than it should be.');
    const meter = new ProcessMeter(clock);
    lifecycle.register('meter', () => meter.stop());
    const identity = await readIdentity(store, config.node);
    lifecycle.register('identity', () => wipeIdentity(identity));
    const descriptor = await knownDescriptor(store, given, config.network);
    checkIdentity(identity, decodeDescriptor(descriptor.descriptor));
    const bus = await NodeBus.open({ ...options, identity, random: randomness.bytes, meter });
    lifecycle.register('bus', async () => bus.close());
    const seat = seatOf({ ...options, bus, identity, store: meter.timed(store), isShared, randomness });
    const rivals = new Rivals({
      ...bus.visit(decodeDescriptor(descriptor.descriptor)),
      store,
      isShared,
      random: randomness.bytes,
      clock,
      logger,
      onLost: (error) => seat.fail(error),
    });
    lifecycle.register('rivals', async () => rivals.stop());
    lifecycle.register(config.node, async () => seat.stop());
    await rivals.arrive();
    const { port } = await seat.start(descriptor);
    const metricsPort = await serveMetrics(options, lifecycle, seat, bus, meter, generator);
    return {
      networkId: toHex(given.parsed.networkId),
      port,
      ...(metricsPort !== undefined && { metricsPort }),
      failed: seat.failed,
      stop: async () => void (await lifecycle.stop()),
    };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

interface NodeParts extends NodeProcessOptions {
  readonly identity: NodeIdentity;
  readonly store: Store;
  readonly isShared: boolean;
  readonly bus: NodeBus;
  readonly randomness: NodeRandomness;
}

/** The seat of the node. It listens on the same port under every descriptor. */
function seatOf(parts: NodeParts): Seat {
  const { config, clock, logger, identity, store, isShared, bus: buses, randomness } = parts;
  let { port } = config.listen;
  return new Seat({
    logger,
    build: async (signed, onDescriptor) => {
      const descriptor = decodeDescriptor(signed.descriptor);
      const bus = buses.join(descriptor);
      answerArrivals(bus, store);
      try {
        const node = await startNode({
          identity,
          descriptor: signed,
          store,
          isShared,
          bus,
          log: await buses.log(descriptor),
          freshness: {
            maxStalenessMs: config.freshness.maxStalenessSeconds * SECOND_MS,
            heartbeatMs: config.freshness.heartbeatSeconds * SECOND_MS,
          },
          clock,
          randomness,
          logger,
          host: config.listen.host,
          port,
          reflection: config.listen.reflection,
          onDescriptor,
        });
        port = node.port;
        return node;
      } catch (error) {
        await bus.close();
        throw error;
      }
    },
  });
}

/** The generator, once it can serve. @throws BAD_CONFIG, ENTROPY_NOT_READY */
async function startEntropy(
  { config, clock, logger }: NodeProcessOptions,
  lifecycle: Lifecycle,
): Promise<{ readonly generator: RandomBitGenerator; readonly randomness: NodeRandomness }> {
  const entropy = await readEntropyConfig(config.entropy);
  const generator = openGenerator({ config: entropy, clock, onEvent: (event) => logEntropy(logger, event) });
  lifecycle.register('entropy', async () => generator.close());
  await untilReady(generator, clock, ENTROPY_MS);
  return { generator, randomness: generator.drbg() };
}

/**
 * CTL-2: the descriptor of the file, or the one that the node learnt since.
 * @throws NETWORK_DIFFERS when the store is of another network or another root
 */
async function knownDescriptor(
  store: Store,
  given: SignedDescriptor,
  file: string,
): Promise<SignedDescriptor> {
  const newest = await newestDescriptor(store, given);
  try {
    await adoptDescriptor(store, newest);
    if (equalConstantTime(newest.rootPublicKey, given.rootPublicKey)) return newest;
  } catch (error) {
    if (!(error instanceof SymmetraError) || !OTHER_NETWORK.has(error.code)) throw error;
  }
  throw new SymmetraError(
    'NETWORK_DIFFERS',
    `the store is that of a node of another network than the one that ${file} describes`,
    { path: file },
  );
}

/** @returns the port of the metrics, when they are served. @throws PORT_IN_USE, LISTEN_FAILED */
async function serveMetrics(
  { config: { metrics } }: NodeProcessOptions,
  lifecycle: Lifecycle,
  seat: Seat,
  bus: NodeBus,
  meter: ProcessMeter,
  generator: RandomBitGenerator,
): Promise<number | undefined> {
  if (metrics === undefined) return undefined;
  const server = new MetricsServer([
    ...meter.metrics(
      () => seat.node,
      () => bus.connected,
    ),
    ...entropyMetrics(() => generator.status()),
  ]);
  lifecycle.register('metrics', async () => server.stop());
  return server.start(metrics.host, metrics.port);
}
