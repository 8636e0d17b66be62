import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { osRandomness } from '@symmetra/entropy/device';
import { initNode, makeNetwork, networkFilesIn, readNetworkFile, readSigningKey } from '@symmetra/node';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import { NodeClient } from '@symmetra/rpc';
import { readNodeConfig } from '@symmetra/runtime/configuration';
import { TestAdministrator } from '../administrator.js';
import { freePorts } from '../free-ports.js';
import { ClusterLayout, addressesOf, nodeIds, nodeYaml, redisConf } from './layout.js';
import type { ClusterPorts, ClusterShape } from './layout.js';
import { Program } from './program.js';

const LAUNCHER = fileURLToPath(new URL('../../../cli/bin/symmetra.mjs', import.meta.url));
const PRIVATE = { mode: 0o600 };
const HEALTH_MS = 1000;
/** What the programs are called, and where distributions put them beside the path of a user. */
const NATS = ['nats-server', '/usr/sbin/nats-server'];
const REDIS = ['redis-server', '/usr/bin/redis-server'];

/** How a cluster is started. */
export interface ClusterOptions {
  /** Where everything lies; a second start there goes on. A temporary directory, removed at the end, when left out. */
  readonly dir?: string;
  /** 3 when left out. */
  readonly nodes?: number;
  /** 2 when left out. */
  readonly threshold?: number;
  /** Processes of the first node, over Redis when there are several; 1 when left out. */
  readonly replicas?: number;
  /** Where all nodes keep their state; LMDB when left out, but for a node of several processes. */
  readonly store?: 'lmdb' | 'redis';
  /** The first of the ports; free ones when left out, and those of the last start when the directory has one. */
  readonly port?: number;
  /** What Node is told before the name of the command; the program of this checkout when left out. */
  readonly program?: readonly string[];
  /** A configuration of entropy for all nodes. */
  readonly entropyFile?: string;
  /** More settings of all nodes, as variables of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A program that runs each process of a node in surroundings of its own, and its arguments before the node's. */
  readonly within?: (nodeId: string) => readonly string[];
}

/**
 * Why there is no cluster here, if there is none: a program of the distribution is missing.
 * @throws Error under CI, where nothing may be left out
 */
export function clusterMissing(withRedis = false): string | undefined {
  const missing = [
    ...(found(NATS) === undefined ? NATS : []),
    ...(withRedis && found(REDIS) === undefined ? REDIS : []),
  ];
  const [name] = missing;
  if (name === undefined) return undefined;
  const reason = `${name} is missing: on Debian and its kin it is in the package ${name}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/**
 * A cluster on this machine: NATS, Redis where it is needed, and nodes, each process by itself, from the programs of the
 * distribution and the command `symmetra`. Every part can be ended, killed, stopped for a while and started again.
 */
export class Cluster {
  readonly dir: string;
  readonly shape: ClusterShape;
  readonly ports: ClusterPorts;
  readonly nats: Program;
  /** Absent when all nodes use LMDB. */
  readonly redis: Program | undefined;
  /** Signs as the administrator of the network. */
  readonly administrator: TestAdministrator;
  readonly #layout: ClusterLayout;
  readonly #options: ClusterOptions;
  readonly #processes: Map<string, readonly Program[]>;

  private constructor(
    layout: ClusterLayout,
    options: ClusterOptions,
    shape: ClusterShape,
    ports: ClusterPorts,
    administrator: TestAdministrator,
  ) {
    this.dir = layout.dir;
    this.shape = shape;
    this.ports = ports;
    this.administrator = administrator;
    this.#layout = layout;
    this.#options = options;
    this.nats = this.#natsProgram();
    this.redis = shape.stores.includes('redis') ? this.#redisProgram() : undefined;
    this.#processes = new Map(
      nodeIds(shape).map((id, i) => [id, this.#nodePrograms(id, ports.nodes[i] ?? [], i)]),
    );
  }

  /** Makes what is not there yet, starts everything, and waits until all nodes serve. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'symmetra-cluster-')));
    const layout = new ClusterLayout(dir);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { shape, ports } = await recordOf(layout, options);
    const redis = shape.stores.includes('redis') ? await startRedis(layout, ports) : undefined;
    try {
      const administrator = await provision(layout, shape, ports, options);
      const cluster = new Cluster(layout, options, shape, ports, administrator);
      await redis?.stop();
      await cluster.#start();
      return cluster;
    } catch (error) {
      await redis?.kill();
      throw error;
    }
  }

  /** The directory for administrative commands. */
  get adminDir(): string {
    return this.#layout.admin;
  }

  get nodeIds(): readonly string[] {
    return [...this.#processes.keys()];
  }

  /** One process of a node. */
  node(id: string, replica = 0): Program {
    const program = this.replicas(id)[replica];
    if (program === undefined) throw new Error(`there is no process ${replica} of ${id}`);
    return program;
  }

  /** All processes of a node. */
  replicas(id: string): readonly Program[] {
    return this.#processes.get(id) ?? [];
  }

  /** A node that a test put into this directory: it is ended with the others. */
  add(id: string, port: number): Program {
    const [program] = this.#nodePrograms(id, [port], this.#processes.size);
    if (program === undefined) throw new Error('a node is at least one process');
    this.#processes.set(id, [program]);
    return program;
  }

  /** The configuration file of a node. */
  config(id: string): string {
    return this.#layout.config(id);
  }

  /** A one-time token. */
  async token(uses = 1): Promise<string> {
    return this.administrator.createToken({ uses });
  }

  /** Runs a command of `symmetra` with `--json`, and gives what it printed. */
  async run(...args: readonly string[]): Promise<object> {
    const { program = [LAUNCHER] } = this.#options;
    const { stdout } = await promisify(execFile)(process.execPath, [...program, ...args, '--json']);
    return JSON.parse(stdout) as object;
  }

  /** Waits until every process of every node that runs serves. */
  async untilServing(): Promise<void> {
    for (const programs of this.#processes.values()) {
      for (const program of programs) if (program.isRunning) await program.untilReady();
    }
  }

  /** Ends everything in order, nodes first. */
  async stop(): Promise<void> {
    await Promise.all([...this.#processes.values()].flat().map(async (program) => program.stop()));
    await this.redis?.stop();
    await this.nats.stop();
    if (this.#options.dir === undefined) await rm(this.dir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const nodes = [...this.#processes.values()].flat();
    try {
      await Promise.all([this.nats.start(), this.redis?.start()]);
      // All at once: none is fresh before it hears of others.
      await Promise.all(nodes.map(async (program) => program.launch()));
      for (const program of nodes) await program.untilReady();
      if ((await this.administrator.head()).number === 0) {
        await this.administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #natsProgram(): Program {
    const folder = this.#layout.part('nats');
    return new Program({
      name: 'nats',
      program: found(NATS) ?? 'nats-server',
      args: ['-c', networkFilesIn(this.#layout.admin).nats],
      logFile: join(folder, 'log'),
      pidFile: join(folder, 'pid'),
      port: this.ports.nats,
    });
  }

  #redisProgram(): Program {
    return redisProgram(this.#layout, this.ports);
  }

  #nodePrograms(id: string, ports: readonly number[], node: number): readonly Program[] {
    const { program = [LAUNCHER], environment, within } = this.#options;
    const [first, ...before] = [...(within?.(id) ?? []), process.execPath];
    return ports.map((port, replica) => {
      const suffix = ports.length > 1 ? `-${replica + 1}` : '';
      const folder = this.#layout.part(id);
      return new Program({
        name: id + suffix,
        program: first,
        args: [...before, ...program, 'node', 'run', '--config', this.#layout.config(id), '--json'],
        logFile: join(folder, `log${suffix}`),
        pidFile: join(folder, `pid${suffix}`),
        port,
        environment: {
          SYMMETRA_NODE_LISTEN_PORT: String(port),
          SYMMETRA_NODE_METRICS_PORT: String(this.ports.metrics[node]?.[replica] ?? 0),
          ...environment,
        },
        isReady: async () => serves(port),
      });
    });
  }
}

interface ClusterRecord {
  readonly shape: ClusterShape;
  readonly ports: ClusterPorts;
}

/** What the last start wrote down, or what this one is asked for. */
async function recordOf(layout: ClusterLayout, options: ClusterOptions): Promise<ClusterRecord> {
  const last = await readFile(layout.record, 'utf8').catch(() => undefined);
  if (last !== undefined) return JSON.parse(last) as ClusterRecord;
  const { nodes = 3, threshold = 2, replicas = 1, store = 'lmdb' } = options;
  const counts = Array.from({ length: nodes }, (_, i) => (i === 0 ? replicas : 1));
  const shape: ClusterShape = {
    nodes,
    threshold,
    replicas: counts,
    stores: counts.map((count) => (count > 1 ? 'redis' : store)),
  };
  const record = { shape, ports: await choosePorts(shape, options.port) };
  await writeFile(layout.record, `${JSON.stringify(record, undefined, 2)}\n`, PRIVATE);
  return record;
}

async function choosePorts({ replicas }: ClusterShape, first: number | undefined): Promise<ClusterPorts> {
  const processes = replicas.reduce((sum, count) => sum + count, 0);
  const count = 2 * processes + 2;
  const ports =
    first === undefined ? [...(await freePorts(count))] : Array.from({ length: count }, (_, i) => first + i);
  const take = (): readonly (readonly number[])[] => replicas.map((many) => ports.splice(0, many));
  const nodes = take();
  const metrics = take();
  const [nats = 0, redis = 0] = ports;
  return { nats, redis, nodes, metrics };
}

/** The files of every part: what is there stays. */
async function provision(
  layout: ClusterLayout,
  shape: ClusterShape,
  ports: ClusterPorts,
  { entropyFile }: ClusterOptions,
): Promise<TestAdministrator> {
  const { bytes: random } = osRandomness();
  const files = networkFilesIn(layout.admin);
  const known = await readNetworkFile(files.network).catch(() => undefined);
  await mkdir(layout.part('nats'), { recursive: true, mode: 0o700 });
  if (known === undefined) {
    const nodes = [];
    for (const [i, id] of nodeIds(shape).entries()) {
      await mkdir(layout.part(id), { recursive: true, mode: 0o700 });
      await writeFile(
        layout.config(id),
        nodeYaml(id, shape.stores[i] ?? 'lmdb', ports, entropyFile),
        PRIVATE,
      );
      const config = await readNodeConfig(layout.config(id));
      nodes.push(
        await initNode(config, { addresses: addressesOf(ports, i), operator: `operator of ${id}`, random }),
      );
    }
    const nats = { listen: `127.0.0.1:${ports.nats}`, storeDir: layout.part('nats') };
    await makeNetwork({ dir: layout.admin, nodes, threshold: shape.threshold, nats, random });
  }
  const network = known ?? (await readNetworkFile(files.network));
  const key = await readSigningKey(files.adminKey);
  return new TestAdministrator(network.parsed, network.rootPublicKey, key, () => Date.now());
}

/** Redis by itself, where identities of nodes are put into it. */
async function startRedis(layout: ClusterLayout, ports: ClusterPorts): Promise<Program> {
  const folder = layout.part('redis');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(
    join(folder, 'redis.conf'),
    `${redisConf(ports.redis)}dir ${JSON.stringify(folder)}\n`,
    PRIVATE,
  );
  const redis = redisProgram(layout, ports);
  await redis.start();
  return redis;
}

function redisProgram(layout: ClusterLayout, ports: ClusterPorts): Program {
  const folder = layout.part('redis');
  return new Program({
    name: 'redis',
    program: found(REDIS) ?? 'redis-server',
    args: [join(folder, 'redis.conf')],
    logFile: join(folder, 'log'),
    pidFile: join(folder, 'pid'),
    port: ports.redis,
  });
}

function found(names: readonly string[]): string | undefined {
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

async function serves(port: number): Promise<boolean> {
  const client = new NodeClient(`127.0.0.1:${port}`, { deadlineMs: HEALTH_MS });
  try {
    return (await client.health()) === 'SERVING';
  } catch {
    return false;
  } finally {
    client.close();
  }
}
