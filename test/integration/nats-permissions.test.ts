import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsWire, connectNats, createNkey, natsServerConfig, openNatsLog } from '@symmetra/bus';
import type { NatsConnection, NatsStatus } from '@symmetra/bus';
import { NatsServer, natsServerMissing } from '@symmetra/testing';
import type { NatsServerPlace } from '@symmetra/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../contract/test-authority.js';

const root = join(import.meta.dirname, '../..');
const NETWORK = '00000000000000000000000000000000';
const STREAM = `SYMMETRA_${NETWORK}`;
const SUBJECTS = `symmetra.${NETWORK}`;
const FOLDER = '/etc/symmetra/nats';
const STORE = '/var/lib/nats/jetstream';
const NODES = ['node-1', 'node-2', 'node-3'];

const placeholder = (name: string): string =>
  `UREPLACE_WITH_THE_PUBLIC_KEY_OF_${name.toUpperCase().replace('-', '_')}`;

const sample = {
  networkIdHex: NETWORK,
  nodes: NODES.map((id) => ({ id, nkeyPublic: placeholder(id) })),
  operatorPublic: placeholder('the-operators'),
  listen: '0.0.0.0:4222',
  serverName: 'nats-1',
  storeDir: STORE,
  tls: { certFile: `${FOLDER}/server.crt`, keyFile: `${FOLDER}/server.key`, caFile: `${FOLDER}/ca.crt` },
};

describe('the sample configurations of NATS servers', () => {
  it('are what the generator writes', async () => {
    await expect(natsServerConfig(sample)).toMatchFileSnapshot(join(root, 'deploy/nats/nats-server.conf'));
    const routes = [1, 2, 3].map((number) => `nats-route://nats-${number}.example.net:6222`);
    const cluster = { listen: '0.0.0.0:6222', routes };
    const path = join(root, 'deploy/nats/nats-cluster.conf');
    await expect(natsServerConfig({ ...sample, cluster })).toMatchFileSnapshot(path);
  });
});

describe.skipIf(natsServerMissing())('a NATS server with the sample configuration', () => {
  const authority = new TestAuthority('operator');
  const keys = new Map([...NODES, 'the-operators'].map((name) => [name, createNkey()]));
  const connections: NatsConnection[] = [];
  let folder: string;
  let server: NatsServer;
  let operator: NatsConnection;

  /** The very file, with the keys, paths and port of this test. */
  function text({ port, storeDir }: NatsServerPlace): string {
    let config = readFileSync(join(root, 'deploy/nats/nats-server.conf'), 'utf8')
      .replace('0.0.0.0:4222', `127.0.0.1:${port}`)
      .replace(STORE, storeDir)
      .replaceAll(FOLDER, folder);
    for (const [name, key] of keys) config = config.replace(placeholder(name), key.public);
    return config;
  }

  async function connect(name: string, statuses: NatsStatus[] = []): Promise<NatsConnection> {
    const node = name === 'the-operators' ? 'operator' : name;
    const connection = await connectNats({
      servers: [server.url],
      node,
      tls: { ca: authority.cert, ...authority.issue(node) },
      nkeySeed: keys.get(name)?.seed ?? new Uint8Array(),
      onStatus: (status) => void statuses.push(status),
    });
    connections.push(connection);
    return connection;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-nats-tls-'));
    const { cert, key } = authority.issue('nats.example.net');
    await writeFile(join(folder, 'server.crt'), cert);
    await writeFile(join(folder, 'server.key'), key);
    await writeFile(join(folder, 'ca.crt'), authority.cert);
    server = await NatsServer.start(text);
  });

  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
  });

  afterAll(async () => {
    await server.remove();
    await rm(folder, { recursive: true });
  });

  async function settle(): Promise<void> {
    for (const { core } of connections) await core.flush();
    await delay(20);
  }

  it('lets nodes send to one another, and keep the log', async () => {
    const statuses: NatsStatus[] = [];
    const [one, two] = [await connect('node-1', statuses), await connect('node-2', statuses)];
    const received: string[] = [];
    const absent: unknown[] = [];
    const wires = [
      new NatsWire(one, { networkIdHex: NETWORK, node: 'node-1', instance: '00000001' }),
      new NatsWire(two, { networkIdHex: NETWORK, node: 'node-2', instance: '00000002' }),
    ] as const;
    for (const wire of wires) {
      wire.listen(
        (datagram) => received.push(`${wire.address.node} ${Buffer.from(datagram).toString()}`),
        (to) => absent.push(to),
      );
    }
    await settle();
    wires[0].send({ node: 'node-2' }, Buffer.from('a'));
    wires[0].send({ node: 'node-2', instance: '00000002' }, Buffer.from('b'));
    wires[1].send({ node: 'node-1' }, Buffer.from('c'));
    wires[1].send({ node: 'node-3' }, Buffer.from('d'));
    const logs = await Promise.all(
      [one, two].map((connection) =>
        openNatsLog(connection, { networkIdHex: NETWORK, node: 'n', replicas: 1 }),
      ),
    );
    await logs[0]?.append(Buffer.from('first'), 0);
    logs[1]?.follow(0, async ({ data }) => void received.push(Buffer.from(data).toString()));
    await delay(50);
    await logs[0]?.append(Buffer.from('second'), 1);
    await delay(200);
    await settle();
    const expected = ['node-2 a', 'node-2 b', 'node-1 c', 'first', 'second'];
    expect(received.toSorted()).toEqual(expected.toSorted());
    expect(absent).toEqual([{ node: 'node-3' }]);
    expect(statuses).toEqual([]);
    for (const log of logs) await log.close();
  });

  it.each([
    '>',
    '*',
    '*.>',
    'symmetra.>',
    `${SUBJECTS}.>`,
    `${SUBJECTS}.n.>`,
    `${SUBJECTS}.n.*`,
    `${SUBJECTS}.n.*.*`,
    `${SUBJECTS}.n.node-1`,
    `${SUBJECTS}.n.node-1.*`,
    `${SUBJECTS}.n.node-1.00000001`,
    `${SUBJECTS}.absent.>`,
    `${SUBJECTS}.absent.node-1.>`,
    `${SUBJECTS}.*`,
    `${SUBJECTS}.log`,
    '_INBOX.>',
    '_INBOX.*.*.*',
    '_INBOX.node-1.>',
    '$JS.>',
    '$JS.API.>',
    '$SYS.>',
    `symmetra.${'1'.repeat(32)}.n.node-2`,
  ])('lets node-2 hear nothing at %s', async (subject) => {
    const statuses: NatsStatus[] = [];
    const mallory = await connect('node-2', statuses);
    operator = await connect('the-operators');
    let heard = 0;
    const count = (error: unknown): void => void (heard += error === null ? 1 : 0);
    mallory.core.subscribe(subject, { callback: count });
    mallory.core.subscribe(subject, { queue: 'node-1', callback: count });
    await settle();
    for (const target of [`${SUBJECTS}.n.node-1`, `${SUBJECTS}.n.node-1.00000001`, '_INBOX.node-1.a.b']) {
      operator.core.publish(target, Buffer.from('for node-1 alone'));
    }
    operator.core.publish(`${SUBJECTS}.absent.node-1.00000001.node-3.any`);
    await settle();
    expect(heard).toBe(0);
    const refused = { kind: 'refused', reason: 'PERMISSIONS_VIOLATION', subject: `subscription ${subject}` };
    expect(statuses).toEqual([refused]);
  });

  it.each([
    '_INBOX.node-1.a.b',
    '_INBOX.node-2.a.b',
    `${SUBJECTS}.absent.node-1.00000001.node-3.any`,
    `${SUBJECTS}.stored`,
    `${SUBJECTS}.other`,
    `symmetra.${'1'.repeat(32)}.n.node-1`,
    'anything',
    `$JS.API.STREAM.DELETE.${STREAM}`,
    `$JS.API.STREAM.PURGE.${STREAM}`,
    `$JS.API.STREAM.UPDATE.${STREAM}`,
    `$JS.API.STREAM.MSG.DELETE.${STREAM}`,
    `$JS.API.STREAM.SNAPSHOT.${STREAM}`,
    `$JS.API.STREAM.RESTORE.${STREAM}`,
    `$JS.API.STREAM.LEADER.STEPDOWN.${STREAM}`,
    `$JS.API.STREAM.PEER.REMOVE.${STREAM}`,
    '$JS.API.STREAM.CREATE.OTHER',
    '$JS.API.STREAM.NAMES',
    '$JS.API.STREAM.LIST',
    `$JS.API.CONSUMER.CREATE.${STREAM}`,
    `$JS.API.CONSUMER.CREATE.${STREAM}.mine`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.mine`,
    `$JS.API.CONSUMER.DELETE.${STREAM}.other`,
    `$JS.API.CONSUMER.LIST.${STREAM}`,
    '$JS.API.INFO',
    '$SYS.REQ.SERVER.PING',
  ])('lets node-2 say nothing at %s, and tells of it once', async (subject) => {
    const statuses: NatsStatus[] = [];
    const mallory = await connect('node-2', statuses);
    operator = await connect('the-operators');
    let heard = 0;
    operator.core.subscribe('>', { callback: () => void (heard += 1) });
    await settle();
    for (let i = 0; i < 3; i++) {
      mallory.core.publish(subject, Buffer.from('{}'), { reply: '_INBOX.node-2.x' });
    }
    await settle();
    expect(heard).toBe(0);
    const refused = { kind: 'refused', reason: 'PERMISSIONS_VIOLATION', subject: `publish ${subject}` };
    expect(statuses).toEqual([refused]);
  });

  it('lets no node change the log that is there', async () => {
    const mallory = await connect('node-2');
    operator = await connect('the-operators');
    const log = await openNatsLog(mallory, { networkIdHex: NETWORK, node: 'node-2', replicas: 1 });
    const before = await log.state();
    const { last } = before;
    await log.append(Buffer.from('kept'), last);
    const { core } = mallory;
    const manager = await core.jetstreamManager({ checkAPI: false });
    const subjects = [`${SUBJECTS}.n.>`];
    await expect(manager.streams.add({ name: STREAM, subjects })).rejects.toMatchObject({
      api_error: { err_code: 10027 },
    });
    const { header: rollup } = await manager.streams.getMessage(STREAM, { seq: 1 });
    for (const name of rollup.keys()) rollup.delete(name);
    rollup.set('Nats-Rollup', 'all');
    const answer = await core.request(`${SUBJECTS}.log`, Buffer.from('rolled up'), {
      headers: rollup,
      timeout: 2000,
    });
    expect(answer.json()).toHaveProperty('error');
    const kept = await manager.streams.getMessage(STREAM, { seq: 1 });
    expect(kept.data.length).toBeGreaterThan(0);
    expect(await log.state()).toEqual({ ...before, last: last + 1 });
    await log.close();
  });

  it('lets no node tell another one that somebody is absent', async () => {
    const [one, mallory] = [await connect('node-1'), await connect('node-2')];
    const wire = new NatsWire(one, { networkIdHex: NETWORK, node: 'node-1', instance: '00000001' });
    const told: unknown[] = [];
    wire.listen(
      (datagram) => told.push(datagram),
      (to) => told.push(to),
    );
    await settle();
    const reply = `${SUBJECTS}.absent.node-1.00000001.node-3.any`;
    mallory.core.publish(`${SUBJECTS}.n.nobody`, Buffer.from('a'), { reply });
    mallory.core.publish(`$JS.API.STREAM.INFO.${STREAM}`, Buffer.alloc(0), { reply });
    mallory.core.publish(`${SUBJECTS}.log`, Buffer.alloc(0), { reply });
    await settle();
    await delay(50);
    expect(told).toEqual([]);
  });

  it('does not get a node to use a log that somebody else has set up', async () => {
    const [one, mallory] = [await connect('node-1'), await connect('node-2')];
    operator = await connect('the-operators');
    const keeper = await operator.core.jetstreamManager();
    await keeper.streams.delete(STREAM).catch(() => undefined);
    const manager = await mallory.core.jetstreamManager({ checkAPI: false });
    await manager.streams.add({ name: STREAM, subjects: [`${SUBJECTS}.log`, `${SUBJECTS}.n.>`] });
    const opened = openNatsLog(one, { networkIdHex: NETWORK, node: 'node-1', replicas: 1 });
    await expect(opened).rejects.toMatchObject({
      code: 'LOG_MISCONFIGURED',
      details: { setting: 'subjects' },
    });
    await keeper.streams.delete(STREAM);
  });
});

describe.skipIf(natsServerMissing())('a node that may not make the log', () => {
  it('waits for one that may, and says so when none does', async () => {
    const [first, second] = [createNkey(), createNkey()];
    const nodes = [
      { id: 'node-1', nkeyPublic: first.public },
      { id: 'node-2', nkeyPublic: second.public },
    ];
    const server = await NatsServer.start(({ name, port, storeDir }) => {
      const listen = `127.0.0.1:${port}`;
      const config = natsServerConfig({ networkIdHex: NETWORK, nodes, listen, serverName: name, storeDir });
      const at = config.indexOf(second.public);
      return config.slice(0, at) + config.slice(at).replace(`"$JS.API.STREAM.CREATE.${STREAM}",`, '');
    });
    const open = async (node: string, nkeySeed: Uint8Array, openMs: number): Promise<void> => {
      const connection = await connectNats({ servers: [server.url], node, nkeySeed });
      try {
        await openNatsLog(connection, { networkIdHex: NETWORK, node, replicas: 1, openMs });
      } finally {
        await connection.close();
      }
    };
    try {
      await expect(open('node-2', second.seed, 300)).rejects.toMatchObject({
        code: 'LOG_UNAVAILABLE',
        details: { reason: 'PERMISSIONS_VIOLATION' },
      });
      const waiting = open('node-2', second.seed, 10_000);
      await open('node-1', first.seed, 10_000);
      await waiting;
    } finally {
      await server.remove();
    }
  });
});

describe.skipIf(natsServerMissing())('a NATS server that is told of another node', () => {
  it('lets it in after a reload, keeps the connections that it has, and ends those of a node that left', async () => {
    const users = ['node-1', 'node-2'].map((id) => ({ id, key: createNkey() }));
    const known = users.map(({ id, key }) => ({ id, nkeyPublic: key.public }));
    const text =
      (count: number) =>
      ({ name, port, storeDir }: NatsServerPlace) =>
        natsServerConfig({
          networkIdHex: NETWORK,
          nodes: known.slice(0, count),
          listen: `127.0.0.1:${port}`,
          serverName: name,
          storeDir,
        });
    const server = await NatsServer.start(text(1));
    const statuses: NatsStatus[] = [];
    const connect = async (index: number, startMs: number): Promise<NatsConnection> => {
      const { id, key } = users[index] as (typeof users)[number];
      const onStatus = (status: NatsStatus): void => void statuses.push(status);
      return connectNats({ servers: [server.url], node: id, nkeySeed: key.seed, startMs, onStatus });
    };
    const first = await connect(0, 5000);
    try {
      await expect(connect(1, 100)).rejects.toMatchObject({ code: 'BUS_REFUSED' });
      await server.reload(text(2));
      let second: NatsConnection | undefined;
      for (let i = 0; i < 200 && second === undefined; i++) {
        second = await connect(1, 100).catch(() => undefined);
        await delay(20);
      }
      expect(second?.connected).toBe(true);
      await first.core.flush();
      expect(statuses).toEqual([]);
      await server.reload(text(1));
      await expect.poll(() => second?.connected).toBe(false);
      expect(first.connected).toBe(true);
      await second?.close();
    } finally {
      await first.close();
      await server.remove();
    }
  });
});
