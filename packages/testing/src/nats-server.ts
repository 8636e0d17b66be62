import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './free-ports.js';

const PROGRAMS = ['nats-server', '/usr/sbin/nats-server'];
const START_MS = 20_000;
const LOOK_MS = 20;
const CLUSTER_SIZE = 3;

/** Where one server is, for the text of its configuration. */
export interface NatsServerPlace {
  readonly name: string;
  readonly port: number;
  readonly storeDir: string;
  /** Its own port and those of all servers, where they form a cluster. */
  readonly cluster?: { readonly port: number; readonly routes: readonly string[] };
}

/** Writes the configuration of a server. */
export type NatsServerText = (place: NatsServerPlace) => string;

const program = PROGRAMS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);

/**
 * Whether tests with a NATS server are left out, because the program is missing; then this is said.
 * @throws Error under CI, where nothing may be left out
 */
export function natsServerMissing(): boolean {
  if (program !== undefined) return false;
  const reason = 'nats-server is missing: on Debian and its kin it is in the package nats-server';
  if (process.env['CI'] === 'true') throw new Error(reason);
  process.emitWarning(`tests are left out: ${reason}`);
  return true;
}

/** A real nats-server, in a folder and at a port of its own, which both stay when it is started again. */
export class NatsServer {
  readonly url: string;
  readonly #folder: string;
  readonly #place: NatsServerPlace;
  #text: NatsServerText;
  #child: ChildProcess | undefined;

  private constructor(folder: string, place: NatsServerPlace, text: NatsServerText) {
    this.url = `nats://127.0.0.1:${place.port}`;
    this.#folder = folder;
    this.#place = place;
    this.#text = text;
  }

  /** A server by itself. Without a text it takes everybody. */
  static async start(text: NatsServerText = openServer): Promise<NatsServer> {
    const [port] = await freePorts(1);
    const server = await NatsServer.#make('nats-1', Number(port), text);
    await server.start();
    return server;
  }

  /** Three servers that form a cluster with JetStream. */
  static async startCluster(text: NatsServerText = openServer): Promise<readonly NatsServer[]> {
    const ports = await freePorts(2 * CLUSTER_SIZE);
    const routePorts = ports.slice(CLUSTER_SIZE);
    const routes = routePorts.map((port) => `nats-route://127.0.0.1:${port}`);
    const servers = await Promise.all(
      routePorts.map((port, index) =>
        NatsServer.#make(`nats-${index + 1}`, Number(ports[index]), text, { port, routes }),
      ),
    );
    await Promise.all(servers.map((server) => server.start()));
    return servers;
  }

  static async #make(
    name: string,
    port: number,
    text: NatsServerText,
    cluster?: NatsServerPlace['cluster'],
  ): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), 'symmetra-nats-'));
    const place = { name, port, storeDir: join(folder, 'jetstream'), ...(cluster && { cluster }) };
    return new NatsServer(folder, place, text);
  }

  /** What the server wrote so far. */
  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  get #config(): string {
    return join(this.#folder, 'nats-server.conf');
  }

  /** Starts the process, and waits until it takes connections. */
  async start(): Promise<void> {
    if (program === undefined) throw new Error('nats-server is missing');
    await writeFile(this.#config, this.#text(this.#place));
    const child = spawn(program, ['-c', this.#config, '-l', join(this.#folder, 'log')], { stdio: 'ignore' });
    this.#child = child;
    const end = performance.now() + START_MS;
    while (!(await answers(this.#place.port))) {
      if (child.exitCode !== null || performance.now() > end) {
        throw new Error(`nats-server did not start: ${this.log}`);
      }
      await delay(LOOK_MS);
    }
  }

  /** Ends the process as a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends the process in an orderly way. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** The server goes by another text from now on, without an end of its connections. */
  async reload(text: NatsServerText): Promise<void> {
    this.#text = text;
    await writeFile(this.#config, text(this.#place));
    this.#child?.kill('SIGHUP');
  }

  /** The process stands still: its connections stay open, and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** The process goes on. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the process and removes what it wrote. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** A server that takes everybody, with JetStream. */
function openServer({ name, port, storeDir, cluster }: NatsServerPlace): string {
  const lines = [
    `server_name: ${name}`,
    `listen: "127.0.0.1:${port}"`,
    `jetstream { store_dir: ${JSON.stringify(storeDir)} }`,
  ];
  if (cluster !== undefined) {
    const routes = JSON.stringify(cluster.routes);
    lines.push(`cluster { name: test, listen: "127.0.0.1:${cluster.port}", routes: ${routes} }`);
  }
  return `${lines.join('\n')}\n`;
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
