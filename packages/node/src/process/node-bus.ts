import { readFile } from 'node:fs/promises';
import { LinkedBus, NatsHails, NatsWire, connectNats, openNatsLog, qkdClient } from '@symmetra/bus';
import type { Bus, Hails, LogStream, NatsConnection, NatsStatus, NatsTls, QkdSource } from '@symmetra/bus';
import { Secret, SymmetraError, suites, toHex } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import type { Descriptor, LinkPsk } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import type { NodeIdentity } from '../identity/node-identity.js';
import { nodeFiles, readTls } from '../provision/node-files.js';
import type { ProcessMeter } from './process-meter.js';

const INSTANCE_BYTES = 4;
const SECOND_MS = 1000;
/** LINK-7: the least bytes of a PSK. */
const MIN_PSK_BYTES = 32;
/** How long the key management entity of this site may take. */
const QKD_MS = 3000;

/** What the bus of a node process is made of. */
export interface NodeBusParts {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: NodeIdentity;
  readonly random: RandomBytes;
  readonly meter: ProcessMeter;
}

/** The connection of a node process to NATS, and what goes over it: links to other processes, and the control log. */
export class NodeBus {
  readonly #parts: NodeBusParts;
  readonly #connection: NatsConnection;
  readonly #psks: ReadonlyMap<string, LinkPsk>;
  readonly #qkd: ReadonlyMap<string, QkdSource>;

  private constructor(
    parts: NodeBusParts,
    connection: NatsConnection,
    psks: ReadonlyMap<string, LinkPsk>,
    qkd: ReadonlyMap<string, QkdSource>,
  ) {
    this.#parts = parts;
    this.#connection = connection;
    this.#psks = psks;
    this.#qkd = qkd;
  }

  /** Connects. @throws KEY_FILE_LENGTH for a PSK that is too short, and what {@link connectNats} throws */
  static async open(parts: NodeBusParts): Promise<NodeBus> {
    const { config, clock, logger } = parts;
    const { servers, tls } = config.bus;
    const nkeySeed = new Uint8Array(await readFile(nodeFiles(config).nkeySeed));
    const psks = new Map<string, LinkPsk>();
    try {
      await readPsks(config, psks);
      const qkd = await qkdSources(config, clock);
      const connection = await connectNats({
        servers,
        node: config.node,
        nkeySeed,
        onStatus: (status) => tell(logger, status),
        ...(tls !== undefined && { tls: (await readTls(tls)) as NatsTls }),
      });
      return new NodeBus(parts, connection, psks, qkd);
    } catch (error) {
      wipePsks(psks);
      throw error;
    } finally {
      nkeySeed.fill(0);
    }
  }

  /** Whether a server is at the other end. */
  get connected(): boolean {
    return this.#connection.connected;
  }

  /** A bus of a process that was not there before, among the nodes of a descriptor. */
  join(descriptor: Descriptor): Bus {
    return this.#parts.meter.counted(this.#bus(descriptor, false));
  }

  /** A bus for what processes of this node ask one another of themselves; no node reaches this one by it. */
  visit(descriptor: Descriptor): { readonly bus: Bus; readonly hails: Hails } {
    const bus = this.#bus(descriptor, true);
    const address = { node: bus.self, instance: bus.instance };
    return { bus, hails: new NatsHails(this.#connection, toHex(descriptor.networkId), address) };
  }

  #bus({ networkId, nodes }: Descriptor, isGuest: boolean): Bus {
    const { config, clock, logger, identity, random, meter } = this.#parts;
    const wire = new NatsWire(this.#connection, {
      networkIdHex: toHex(networkId),
      node: identity.id,
      instance: toHex(random(INSTANCE_BYTES)),
      isGuest,
    });
    return new LinkedBus({
      wire,
      clock,
      random,
      identity,
      isGuest,
      context: { networkId, suites },
      peers: (id) => nodes.find((node) => node.id === id),
      psk: (id) => this.#psks.get(id),
      qkd: (id) => this.#qkd.get(id),
      renewMs: config.links.renewSeconds * SECOND_MS,
      onLink: ({ node, renewed }) => {
        meter.link(renewed);
        logger.debug({ peer: node }, 'A link between two processes is open.');
      },
      onRefused: ({ code, node }) => {
        meter.refusal();
        logger.warn({ code, peer: node }, 'A message between nodes was refused.');
      },
      onFailure: (subject, error) => logger.error({ subject, err: error }, 'A request between nodes failed.'),
    });
  }

  /** The control log of the network. @throws LOG_UNAVAILABLE, LOG_MISCONFIGURED */
  async log({ networkId }: Descriptor): Promise<LogStream> {
    const { config } = this.#parts;
    return openNatsLog(this.#connection, {
      networkIdHex: toHex(networkId),
      node: config.node,
      replicas: config.bus.logReplicas,
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
    wipePsks(this.#psks);
  }
}

function tell(logger: Logger, status: NatsStatus): void {
  switch (status.kind) {
    case 'disconnected':
      logger.warn({ address: status.server }, 'The connection to NATS is lost; it is tried again.');
      return;
    case 'reconnected':
      logger.info({ address: status.server }, 'The connection to NATS is back.');
      return;
    case 'refused':
      logger.error(
        { reason: status.reason, subject: status.subject },
        'NATS refuses something that the node needs.',
      );
      return;
    case 'failed':
      logger.error({ err: status.error }, 'A message of NATS could not be taken.');
  }
}

/** @throws KEY_FILE_LENGTH */
async function readPsks({ links }: NodeConfig, psks: Map<string, LinkPsk>): Promise<void> {
  for (const [node, file] of Object.entries(links.pskFiles ?? {})) {
    const content = await readFile(file);
    psks.set(node, Secret.of('LinkPsk', new Uint8Array(content)));
    content.fill(0);
    if (content.length >= MIN_PSK_BYTES) continue;
    throw new SymmetraError('KEY_FILE_LENGTH', `links.pskFiles.${node}: ${file} has fewer than 32 bytes`, {
      path: file,
      bytes: content.length,
    });
  }
}

function wipePsks(psks: ReadonlyMap<string, LinkPsk>): void {
  for (const psk of psks.values()) psk.wipe();
}

async function qkdSources({ links }: NodeConfig, clock: Clock): Promise<ReadonlyMap<string, QkdSource>> {
  const sources = new Map<string, QkdSource>();
  for (const [node, { tls, ...source }] of Object.entries(links.qkd ?? {})) {
    const files = tls === undefined ? {} : { tls: await readTls(tls) };
    sources.set(node, qkdClient({ ...source, ...files, clock, timeoutMs: QKD_MS }));
  }
  return sources;
}
