import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Program } from '@symmetra/testing';

const run = promisify(execFile);
const HOSTS = 3;
const CLIENTS_PORT = 4222;
const ROUTES_PORT = 6222;
const MONITOR_PORT = 8222;
/** Private addresses for which this machine has hardly a route: hosts to one another, and to this process. */
const BACKBONE = '10.214';
const OUTSIDE = '10.213';

/**
 * Why there are no hosts here, if there are none: this process may make no network namespaces.
 * @throws Error under CI, where nothing may be left out
 */
export function hostsMissing(): string | undefined {
  const isAllowed = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  if (isAllowed) return undefined;
  const reason = 'network namespaces are missing: they need root, and the package iproute2';
  if (process.env['CI'] === 'true') throw new Error(reason);
  process.emitWarning(`tests are left out: ${reason}`);
  return reason;
}

/** A network namespace that is there as long as this process is, by whatever death it ends. */
class Namespace {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  static async make(): Promise<Namespace> {
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    holder.stdin.write('ready\n');
    await once(holder.stdout, 'data');
    const made = new Namespace(holder);
    await made.ip('link', 'set', 'lo', 'up');
    return made;
  }

  get pid(): string {
    return String(this.#holder.pid);
  }

  /** What runs a program in here. */
  get entrance(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--'];
  }

  async ip(...args: readonly string[]): Promise<void> {
    const [program = '', ...rest] = [...this.entrance, 'ip', ...args];
    await run(program, rest);
  }

  async end(): Promise<void> {
    const gone = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await gone;
  }
}

/**
 * Three hosts, each a network namespace with a NATS server and room for a node. One network joins them, and can be cut;
 * another one, which is never cut, leads from each host to this process.
 */
export class ClusterHosts {
  /** The NATS server of each host; together they are a cluster. */
  readonly nats: readonly Program[];
  readonly #network: number;
  readonly #switch: Namespace;
  readonly #hosts: readonly Namespace[];
  readonly #proxies: Server[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(folder: string, network: number, middle: Namespace, hosts: readonly Namespace[]) {
    this.#network = network;
    this.#switch = middle;
    this.#hosts = hosts;
    this.nats = hosts.map((host, i) => this.#natsProgram(folder, host, i));
  }

  static async start(folder: string): Promise<ClusterHosts> {
    const made: Namespace[] = [];
    for (let i = 0; i <= HOSTS; i++) made.push(await Namespace.make());
    const [middle, ...hosts] = made as [Namespace, ...Namespace[]];
    // No other run of this moment has the same number.
    const hosting = new ClusterHosts(folder, process.pid % 256, middle, hosts);
    try {
      await hosting.#connect();
      await Promise.all(hosting.nats.map(async (server) => server.start()));
      return hosting;
    } catch (error) {
      await hosting.stop();
      throw error;
    }
  }

  /** What runs a node on its host, with all NATS servers to choose from. */
  within(nodeId: string): readonly string[] {
    const host = this.#hosts[Number(nodeId.slice('node-'.length)) - 1];
    if (host === undefined) throw new Error(`there is no host for ${nodeId}`);
    const servers = this.#hosts.map((_host, i) => `nats://${this.#inside(i)}:${CLIENTS_PORT}`);
    return [...host.entrance, 'env', `SYMMETRA_NODE_BUS_SERVERS=${servers.join(',')}`];
  }

  /** Makes the port of a node on its host answer here. */
  async publish(node: number, port: number): Promise<void> {
    const server = createServer((near) => {
      const far = createConnection(port, this.#outside(node));
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.#sockets.delete(socket);
          (socket === near ? far : near).destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.#proxies.push(server);
  }

  /** Nothing goes from these hosts to others, nor to one another, and nothing comes. */
  async cut(...hosts: readonly number[]): Promise<void> {
    for (const host of hosts) await this.#switch.ip('link', 'set', `b${host}`, 'down');
  }

  async heal(...hosts: readonly number[]): Promise<void> {
    for (const host of hosts) await this.#switch.ip('link', 'set', `b${host}`, 'up');
  }

  /** The host whose server leads the control log: appends wait for its place to be taken when it dies. */
  async leader(): Promise<number> {
    const response = await fetch(`http://${this.#outside(0)}:${MONITOR_PORT}/jsz?streams=true`);
    const leader = /"leader": "nats-(\d)"/.exec(streamsOf(await response.text()));
    if (leader === null) throw new Error('nobody leads the control log');
    return Number(leader[1]) - 1;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const proxy of this.#proxies) proxy.close();
    await Promise.all(this.nats.map(async (server) => server.kill()));
    await Promise.all([...this.#hosts, this.#switch].map(async (namespace) => namespace.end()));
  }

  async #connect(): Promise<void> {
    const middle = this.#switch;
    await middle.ip('link', 'add', 'name', 'middle', 'type', 'bridge');
    await middle.ip('link', 'set', 'middle', 'up');
    for (const [i, host] of this.#hosts.entries()) {
      await middle.ip(
        'link',
        'add',
        'name',
        `b${i}`,
        'type',
        'veth',
        'peer',
        'name',
        'lan',
        'netns',
        host.pid,
      );
      await middle.ip('link', 'set', `b${i}`, 'master', 'middle', 'up');
      await host.ip('address', 'add', `${this.#inside(i)}/24`, 'dev', 'lan');
      await host.ip('link', 'set', 'lan', 'up');
      const here = `sym${process.pid}-${i}`;
      await run('ip', [
        'link',
        'add',
        'name',
        here,
        'type',
        'veth',
        'peer',
        'name',
        'wan',
        'netns',
        host.pid,
      ]);
      await run('ip', ['address', 'add', `${OUTSIDE}.${this.#network}.${4 * i + 1}/30`, 'dev', here]);
      await run('ip', ['link', 'set', here, 'up']);
      await host.ip('address', 'add', `${this.#outside(i)}/30`, 'dev', 'wan');
      await host.ip('link', 'set', 'wan', 'up');
    }
  }

  #inside(host: number): string {
    return `${BACKBONE}.${this.#network}.${host + 1}`;
  }

  #outside(host: number): string {
    return `${OUTSIDE}.${this.#network}.${4 * host + 2}`;
  }

  #natsProgram(folder: string, host: Namespace, i: number): Program {
    const place = join(folder, `nats-${i + 1}`);
    mkdirSync(place);
    const routes = this.#hosts.map((_host, other) => `nats-route://${this.#inside(other)}:${ROUTES_PORT}`);
    const config = [
      `server_name: nats-${i + 1}`,
      `listen: "${this.#inside(i)}:${CLIENTS_PORT}"`,
      `http: "${this.#outside(i)}:${MONITOR_PORT}"`,
      `jetstream { store_dir: ${JSON.stringify(place)} }`,
      `cluster { name: test, listen: "${this.#inside(i)}:${ROUTES_PORT}", routes: ${JSON.stringify(routes)} }`,
    ];
    writeFileSync(join(place, 'nats.conf'), `${config.join('\n')}\n`);
    const [program, ...args] = [...host.entrance, 'nats-server', '-c', join(place, 'nats.conf')];
    return new Program({
      name: `nats-${i + 1}`,
      program,
      args,
      logFile: join(place, 'log'),
      pidFile: join(place, 'pid'),
      port: CLIENTS_PORT,
      isReady: async () => isHealthy(this.#outside(i)),
    });
  }
}

/** The part about streams: the servers themselves have a leader, too. */
function streamsOf(report: string): string {
  return report.slice(report.indexOf('"stream_detail"'));
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`http://${address}:${MONITOR_PORT}/healthz`, {
      signal: AbortSignal.timeout(1000),
    });
    return ok;
  } catch {
    return false;
  }
}
