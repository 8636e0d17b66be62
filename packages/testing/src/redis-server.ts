import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from './free-ports.js';

const HOST = '127.0.0.1';
const START_ATTEMPTS = 500;
const PAUSE_MS = 20;
/** Each is in the Debian package of its name. */
const PROGRAMS = ['redis-server', 'redis-sentinel'] as const;

type Program = (typeof PROGRAMS)[number];

const missing = PROGRAMS.find(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
);

/** Settings of redis.conf, by name; a list stands for a setting that is given several times. */
export type RedisSettings = Readonly<Record<string, string | readonly string[]>>;

/**
 * Why tests with a real Redis are left out, if they are: a program is missing.
 * @throws Error under CI, where nothing may be left out
 */
export function redisServerMissing(): string | undefined {
  if (missing === undefined) return undefined;
  const reason = `${missing} is missing: on Debian and its kin it is in the package ${missing}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** A redis-server or redis-sentinel on a free port of the loopback, in a directory of its own. */
export class RedisServer {
  readonly port: number;
  /** Where it listens for TLS, if its settings name a certificate. */
  readonly tlsPort: number;
  /** Holds its configuration, and what it writes. */
  readonly dir: string;
  readonly #program: Program;
  #child: ChildProcess | undefined;

  private constructor(program: Program, dir: string, port: number, tlsPort: number) {
    this.#program = program;
    this.dir = dir;
    this.port = port;
    this.tlsPort = tlsPort;
  }

  /** A server that loses nothing it acknowledged, unless `settings` say otherwise. */
  static async start(settings: RedisSettings = {}): Promise<RedisServer> {
    return RedisServer.#start('redis-server', {
      save: '',
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
      ...settings,
    });
  }

  /** A server with the text of a redis.conf; port, address and directory are this one's own. */
  static async startWith(text: string): Promise<RedisServer> {
    return RedisServer.#start('redis-server', {}, text);
  }

  /** A Sentinel that watches `master` as `name`, and fails over when `quorum` of them agree. */
  static async startSentinel(
    name: string,
    master: RedisServer,
    quorum: number,
    settings: RedisSettings = {},
  ): Promise<RedisServer> {
    const port = settings['tls-replication'] === 'yes' ? master.tlsPort : master.port;
    return RedisServer.#start('redis-sentinel', {
      ...settings,
      sentinel: [
        `monitor ${name} ${HOST} ${port} ${quorum}`,
        `down-after-milliseconds ${name} 500`,
        `failover-timeout ${name} 2000`,
      ],
    });
  }

  static async #start(program: Program, settings: RedisSettings, text = ''): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'symmetra-redis-'));
    const [port, tlsPort] = (await freePorts(2)) as [number, number];
    const server = new RedisServer(program, dir, port, tlsPort);
    const tls = 'tls-cert-file' in settings ? { 'tls-port': `${tlsPort}` } : {};
    await writeFile(
      server.#configFile,
      `${text}\n${configuration({ ...settings, ...tls, bind: HOST, port: `${port}`, dir, daemonize: 'no' })}`,
    );
    await server.restart();
    return server;
  }

  /** Where a client finds it. */
  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** Likewise, for TLS. */
  get tlsAddress(): string {
    return `${HOST}:${this.tlsPort}`;
  }

  /** Starts it again with what it has on disk. It takes commands when the promise is fulfilled. */
  async restart(): Promise<void> {
    const child = spawn(this.#program, [this.#configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.dir,
    });
    this.#child = child;
    let log = '';
    const note = (chunk: Buffer) => (log += chunk.toString());
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      if (child.exitCode !== null) break;
      const answer = await this.command('PING').catch(() => '');
      // Any answer but "not now": the server may ask for a password first.
      if (answer !== '' && !answer.startsWith('-LOADING')) return;
      await pause(PAUSE_MS);
    }
    await this.end();
    throw new Error(`${this.#program} did not start: ${log.slice(-1000)}`);
  }

  /** Ends the process at once, as a power failure would, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Lets the process hang, with its connections open. */
  suspend(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the process and removes its directory. */
  async end(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Sends one command on a connection of its own. @returns the reply as it stands on the wire, and `''` for none */
  async command(...words: readonly string[]): Promise<string> {
    return this.commands([words]);
  }

  /** Sends several commands on one connection. @returns all replies as they stand on the wire */
  async commands(list: readonly (readonly string[])[]): Promise<string> {
    const socket = createConnection({ host: HOST, port: this.port });
    let reply = '';
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk) => (reply += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.end([...list, ['QUIT']].map(encodeCommand).join(''));
    await once(socket, 'close');
    return reply.replace(/\+OK\r\n$/, '').trimEnd();
  }

  get #configFile(): string {
    return join(this.dir, 'redis.conf');
  }
}

/** A master, two replicas of it, and three Sentinels that make a replica the master when it is gone. */
export class RedisTrio {
  /** The name by which the Sentinels know the master. */
  readonly name = 'symmetra';
  /** The first is the master at first. */
  readonly servers: readonly RedisServer[];
  readonly #sentinels: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers;
    this.#sentinels = sentinels;
  }

  static async start(): Promise<RedisTrio> {
    const replication = {
      'repl-diskless-sync-delay': '0',
      'min-replicas-to-write': '1',
      'min-replicas-max-lag': '5',
    };
    const master = await RedisServer.start(replication);
    const following = { ...replication, replicaof: `${HOST} ${master.port}` };
    const replicas = await Promise.all([RedisServer.start(following), RedisServer.start(following)]);
    await eventually(master, ['INFO', 'replication'], /connected_slaves:2[^]*state=online[^]*state=online/);
    const sentinels = await Promise.all(
      Array.from({ length: 3 }, async () => RedisServer.startSentinel('symmetra', master, 2)),
    );
    const allKnown = /num-slaves\r\n\$1\r\n2\r\n[^]*num-other-sentinels\r\n\$1\r\n2\r\n/;
    for (const sentinel of sentinels) {
      // One that was not scheduled for two seconds does nothing for thirty more, unless it is told another period.
      await sentinel.command('SENTINEL', 'DEBUG', 'TILT-PERIOD', '500');
      await eventually(sentinel, ['SENTINEL', 'MASTER', 'symmetra'], allKnown);
    }
    return new RedisTrio([master, ...replicas], sentinels);
  }

  /** The addresses of the Sentinels. */
  get sentinels(): readonly string[] {
    return this.#sentinels.map(({ address }) => address);
  }

  async end(): Promise<void> {
    for (const server of [...this.#sentinels, ...this.servers]) await server.end();
  }
}

function configuration(settings: RedisSettings): string {
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name} ${one === '' ? '""' : one}`),
  );
  return `${lines.join('\n')}\n`;
}

function encodeCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

async function eventually(server: RedisServer, command: readonly string[], reply: RegExp): Promise<void> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (reply.test(await server.command(...command))) return;
    await pause(PAUSE_MS);
  }
  throw new Error('Redis did not come to the expected state');
}
