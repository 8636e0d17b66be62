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
import type { RunningNode } from '../node-ports.js';
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
    const seat = new Seat({ ...options, bus, identity, store: meter.timed(store), isShared, randomness });
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
    await seat.start(descriptor);
    const metricsPort = await serveMetrics(options, lifecycle, seat, bus, meter, generator);
    return {
      networkId: toHex(given.parsed.networkId),
      port: seat.port,
      ...(metricsPort !== undefined && { metricsPort }),
      failed: seat.failed,
      stop: async () => void (await lifecycle.stop()),
    };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

interface SeatParts extends NodeProcessOptions {
  readonly identity: NodeIdentity;
  readonly store: Store;
  readonly isShared: boolean;
  readonly bus: NodeBus;
  readonly randomness: NodeRandomness;
}

/** Where the node runs: it is stopped and started again there whenever its descriptor changes. */
class Seat {
  readonly failed: Promise<never>;
  readonly #parts: SeatParts;
  readonly #fail: (error: unknown) => void;
  #node: RunningNode | undefined;
  #port: number;
  #change: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: SeatParts) {
    this.#parts = parts;
    this.#port = parts.config.listen.port;
    let fail: (error: unknown) => void = () => undefined;
    this.failed = new Promise((_resolve, reject) => {
      fail = reject;
    });
    this.failed.catch(() => undefined);
    this.#fail = fail;
  }

  get node(): RunningNode | undefined {
    return this.#node;
  }

  get port(): number {
    return this.#port;
  }

  async start(signed: SignedDescriptor): Promise<void> {
    const { config, clock, logger, identity, store, isShared, bus: buses, randomness } = this.#parts;
    const descriptor = decodeDescriptor(signed.descriptor);
    const bus = buses.join(descriptor);
    answerArrivals(bus, store);
    try {
      this.#node = await startNode({
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
        port: this.#port,
        reflection: config.listen.reflection,
        onDescriptor: (newer) => this.#adopt(newer),
      });
    } catch (error) {
      await bus.close();
      throw error;
    }
    this.#port = this.#node.port;
  }

  /** The node can not go on. */
  fail(error: SymmetraError): void {
    this.#fail(error);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#change;
    await this.#node?.stop();
    this.#node = undefined;
  }

  #adopt(signed: SignedDescriptor): void {
    const former = this.#change;
    this.#change = (async () => {
      await former;
      if (!this.#stopped) await this.#restart(signed);
    })();
  }

  async #restart(signed: SignedDescriptor): Promise<void> {
    try {
      await this.#node?.stop();
      this.#node = undefined;
      await this.start(signed);
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'The node could not go over to a newer descriptor.');
      this.#fail(error);
    }
  }
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
