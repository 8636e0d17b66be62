import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsWire, connectNats, openNatsLog } from '@symmetra/bus';
import type { LogStream, NatsConnection, NatsStatus } from '@symmetra/bus';
import type { SymmetraError } from '@symmetra/crypto';
import { NatsServer, natsServerMissing } from '@symmetra/testing';
import { afterEach, describe, expect, it } from 'vitest';

const LONGEST_WAIT_MS = 30_000;
const LOOK_MS = 20;
const ANY = { node: 'n2' };

describe.skipIf(natsServerMissing())('NATS servers that fail', () => {
  const servers: NatsServer[] = [];
  const closers: (() => Promise<void>)[] = [];
  const statuses: NatsStatus[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    for (const server of servers.splice(0)) await server.remove();
    statuses.length = 0;
  });

  async function single(): Promise<NatsServer> {
    const server = await NatsServer.start();
    servers.push(server);
    return server;
  }

  async function join(node: string): Promise<NatsConnection> {
    const onStatus = (status: NatsStatus): void => void statuses.push(status);
    const connection = await connectNats({ servers: servers.map(({ url }) => url), node, onStatus });
    closers.push(() => connection.close());
    return connection;
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let passed = 0; passed < LONGEST_WAIT_MS; passed += LOOK_MS) {
      if (await holds()) return;
      await delay(LOOK_MS);
    }
    expect(await holds()).toBe(true);
  }

  /** Two processes, of which the first sends numbers to the second without end. */
  async function traffic(networkIdHex: string): Promise<{ received: number[]; absent: () => number }> {
    const [from, to] = [await join('n1'), await join('n2')];
    const first = new NatsWire(from, { networkIdHex, node: 'n1', instance: '00000001' });
    const second = new NatsWire(to, { networkIdHex, node: 'n2', instance: '00000002' });
    const received: number[] = [];
    let absent = 0;
    first.listen(
      () => undefined,
      () => {
        absent += 1;
      },
    );
    second.listen(
      (datagram) => received.push(Buffer.from(datagram).readUInt32BE()),
      () => undefined,
    );
    let sent = 0;
    const timer = setInterval(() => {
      const datagram = new Uint8Array(1000);
      Buffer.from(datagram.buffer).writeUInt32BE((sent += 1));
      first.send(ANY, datagram);
    }, 2);
    closers.push(async () => clearInterval(timer));
    await until(() => received.length > 10);
    return { received, absent: () => absent };
  }

  const disconnected = (): boolean => statuses.some(({ kind }) => kind === 'disconnected');

  it('are come back to after a kill, and nothing arrives twice', async () => {
    const server = await single();
    const { received } = await traffic(randomBytes(16).toString('hex'));
    for (let round = 0; round < 2; round++) {
      await server.kill();
      await until(disconnected);
      const before = received.length;
      await server.start();
      await until(() => received.length > before + 50);
      statuses.length = 0;
    }
    expect(received).toEqual([...new Set(received)].toSorted((a, b) => a - b));
  });

  it('are noticed when they stand still, and come back to when they go on', async () => {
    const server = await single();
    const { received } = await traffic(randomBytes(16).toString('hex'));
    server.freeze();
    await until(disconnected);
    server.thaw();
    const before = received.length;
    await until(() => received.length > before + 50);
    expect(new Set(received).size).toBe(received.length);
  });

  it('leave no entry of the log in doubt for ever', async () => {
    const server = await single();
    const networkIdHex = randomBytes(16).toString('hex');
    const log = await openLog(await join('n1'), networkIdHex, 1);
    const seen: number[] = [];
    log.follow(0, async ({ data }) => void seen.push(Buffer.from(data).readUInt32BE()));
    const appender = new Appender(log);
    const running = appender.run(() => appender.appended.length >= 60);
    await until(() => appender.appended.length > 20);
    await server.kill();
    await until(() => appender.doubts > 0);
    await server.start();
    await running;
    await until(() => seen.length >= 60);
    expect(appender.unexpected).toEqual([]);
    expect(seen).toEqual(appender.appended);
  });

  it('lose no entry when one of three dies, whichever it is', async () => {
    servers.push(...(await NatsServer.startCluster()));
    const networkIdHex = randomBytes(16).toString('hex');
    const [first, second] = [await join('n1'), await join('n2')];
    const [one, two] = await Promise.all([openLog(first, networkIdHex, 3), openLog(second, networkIdHex, 3)]);
    expect((await one.state()).incarnation).toBe((await two.state()).incarnation);
    const seen: number[] = [];
    two.follow(0, async ({ data }) => void seen.push(Buffer.from(data).readUInt32BE()));
    await race([one, two], 10);
    const appender = new Appender(one, 10);
    for (const [index, server] of servers.entries()) {
      const enough = appender.appended.length + 30;
      const running = appender.run(() => appender.appended.length >= enough);
      await until(() => appender.appended.length > enough - 20);
      await server.kill();
      await running;
      await server.start();
      await until(async () => index === servers.length - 1 || (await allCurrent(first, networkIdHex)));
    }
    await until(() => seen.length >= 100);
    expect(appender.unexpected).toEqual([]);
    expect(seen.slice(10)).toEqual(appender.appended.slice(10));
  });

  async function openLog(
    connection: NatsConnection,
    networkIdHex: string,
    replicas: number,
  ): Promise<LogStream> {
    const log = await openNatsLog(connection, { networkIdHex, node: 'n1', replicas });
    closers.push(() => log.close());
    return log;
  }
});

/** Several append behind the same entry, so many times: one of them wins, each time. */
async function race(logs: readonly LogStream[], rounds: number): Promise<void> {
  for (let last = 0; last < rounds; last++) {
    const results = await Promise.all(
      logs.map((log) =>
        log.append(Buffer.alloc(4), last).catch((error: unknown) => (error as SymmetraError).code),
      ),
    );
    expect(results).toContain(last + 1);
    expect(results.filter((result) => result === 'LOG_MOVED')).toHaveLength(logs.length - 1);
  }
}

/** Whether each copy of the log is complete. */
async function allCurrent(connection: NatsConnection, networkIdHex: string): Promise<boolean> {
  try {
    const manager = await connection.core.jetstreamManager({ checkAPI: false });
    const { cluster } = await manager.streams.info(`SYMMETRA_${networkIdHex}`);
    const replicas = cluster?.replicas ?? [];
    return cluster?.leader !== undefined && replicas.length === 2 && replicas.every(({ current }) => current);
  } catch {
    return false;
  }
}

/** Appends numbers; when it is unknown whether one was appended, it looks. */
class Appender {
  readonly appended: number[] = [];
  readonly unexpected: string[] = [];
  doubts = 0;
  readonly #log: LogStream;

  /** @param last entries that are there already */
  constructor(log: LogStream, last = 0) {
    this.#log = log;
    for (let number = 1; number <= last; number++) this.appended.push(number);
  }

  async run(done: () => boolean): Promise<void> {
    while (!done() && this.unexpected.length === 0) {
      const number = this.appended.length + 1;
      const entry = Buffer.alloc(4);
      entry.writeUInt32BE(number);
      try {
        await this.#log.append(entry, this.appended.length);
        this.appended.push(number);
      } catch (error) {
        const { code } = error as SymmetraError;
        if (code === 'LOG_UNAVAILABLE') this.doubts += 1;
        else if (code !== 'LOG_MOVED') this.unexpected.push(String(error));
        await this.#look(number);
      }
      await delay(5);
    }
  }

  async #look(number: number): Promise<void> {
    const state = await this.#log.state().catch(() => undefined);
    if (state?.last === number) this.appended.push(number);
    else if (state !== undefined && state.last !== number - 1) this.unexpected.push(`last is ${state.last}`);
    else await delay(50);
  }
}
