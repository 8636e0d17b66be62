import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { connectNats, createNkey, natsServerConfig } from '@symmetra/bus';
import type { NatsOptions, NatsServerTls } from '@symmetra/bus';
import type { SymmetraError } from '@symmetra/crypto';
import { NatsServer, natsServerMissing } from '@symmetra/testing';
import type { NatsServerPlace } from '@symmetra/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from './test-authority.js';

const NETWORK = '0123456789abcdef0123456789abcdef';

/** The error that a start fails with. */
async function failureOf(options: Omit<NatsOptions, 'node'>): Promise<SymmetraError> {
  const result = await connectNats({ node: 'n1', startMs: 500, ...options }).catch((error: unknown) => error);
  if (!(result instanceof Error)) throw new Error('the connection came about');
  return result as SymmetraError;
}

describe('an nkey', () => {
  it('has the form that servers know', () => {
    const { seed, public: name } = createNkey();
    expect(Buffer.from(seed).toString('latin1')).toMatch(/^SU[A-Z2-7]{56}$/);
    expect(name).toMatch(/^U[A-Z2-7]{55}$/);
    expect(createNkey().public).not.toBe(name);
  });

  it.each([
    ['is empty', ''],
    ['is too short', 'SUAO'],
    ['holds other characters', 'SU'.padEnd(58, '1')],
    ['has a wrong check sum', 'SU'.padEnd(58, 'A')],
    ['is that of an account', 'SAANDLKMXL6CUS3CP52WIXBEDN6YJ545GDKC65U5JZPPV6WH6ESWUA6YAI'],
  ])('is refused when it %s', async (_what, text) => {
    const failure = await failureOf({ servers: ['nats://127.0.0.1:1'], nkeySeed: Buffer.from(text) });
    expect(failure.code).toBe('BAD_NKEY');
  });
});

describe('a server that ends the connection once the handshake of TLS is over, without a word', () => {
  const authority = new TestAuthority('operator');
  const { cert, key } = authority.issue('nats.example', '127.0.0.1');

  it.each<{ name: string; cut: (socket: Socket, tls: TLSSocket) => void }>([
    { name: 'ends it', cut: (_socket, tls) => tls.end() },
    { name: 'resets it', cut: (socket) => socket.resetAndDestroy() },
    {
      name: 'resets it when it hears something',
      cut: (socket, tls) => tls.once('data', () => socket.resetAndDestroy()),
    },
  ])('has refused this side when it $name every time', async ({ cut }) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('INFO {"version":"2.9.0","tls_required":true,"max_payload":1048576}\r\n');
      const tls = new TLSSocket(socket, { isServer: true, cert, key });
      tls.on('error', () => undefined);
      tls.on('secure', () => cut(socket, tls));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const failure = await failureOf({
      servers: [`nats://127.0.0.1:${port}`, 'nats://127.0.0.1:1'],
      startMs: 200,
      tls: { ca: authority.cert },
    });
    expect(failure).toMatchObject({ code: 'BUS_REFUSED', details: { reason: 'CUT_OFF' } });
    server.close();
  });
});

describe.skipIf(natsServerMissing())('a connection to NATS', () => {
  const key = createNkey();
  const authority = new TestAuthority('operator');
  const client = authority.issue('n1');
  const servers: NatsServer[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-nats-tls-'));
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.remove();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function start(text?: (place: NatsServerPlace) => string): Promise<NatsServer> {
    const server = await NatsServer.start(text);
    servers.push(server);
    return server;
  }

  /** A server that knows the key of n1. */
  async function guarded(tls?: NatsServerTls): Promise<NatsServer> {
    return start(({ name, port, storeDir }) =>
      natsServerConfig({
        networkIdHex: NETWORK,
        nodes: [{ id: 'n1', nkeyPublic: key.public }],
        listen: `127.0.0.1:${port}`,
        serverName: name,
        storeDir,
        ...(tls && { tls }),
      }),
    );
  }

  /** A server with a certificate for these names, which asks for one of the authority. */
  async function encrypted(dns: string, ip?: string): Promise<NatsServer> {
    const { cert, key: certKey } = authority.issue(dns, ip);
    const files = {
      certFile: join(folder, 'cert'),
      keyFile: join(folder, 'key'),
      caFile: join(folder, 'ca'),
    };
    await writeFile(files.certFile, cert);
    await writeFile(files.keyFile, certKey);
    await writeFile(files.caFile, authority.cert);
    return guarded(files);
  }

  it('proves who the node is, over TLS in both directions', async () => {
    const server = await encrypted('nats.example');
    const tls = { ca: authority.cert, ...client };
    const nkeySeed = Buffer.concat([key.seed, Buffer.from('\n')]);
    const connection = await connectNats({ servers: [server.url], node: 'n1', tls, nkeySeed });
    expect(connection.connected).toBe(true);
    expect(connection.core.info?.tls_required).toBe(true);
    await connection.close();
    expect(connection.connected).toBe(false);
  });

  it('needs the right key', async () => {
    const server = await guarded();
    const other = createNkey();
    for (const nkeySeed of [other.seed, undefined]) {
      const failure = await failureOf({ servers: [server.url], ...(nkeySeed && { nkeySeed }) });
      expect(failure.code).toBe('BUS_REFUSED');
      const told = JSON.stringify([failure.message, failure.details, failure.stack]);
      expect(told).not.toContain(Buffer.from(other.seed).toString('latin1'));
    }
  });

  it('needs the right authority, a name of a server that is listed, and a certificate of its own', async () => {
    const server = await encrypted('nats.example');
    const stranger = new TestAuthority('stranger');
    const options = { servers: [server.url], nkeySeed: key.seed };
    const code = async (tls?: NatsOptions['tls']): Promise<string> =>
      (await failureOf({ ...options, ...(tls && { tls }) })).code;
    expect(await code({ ca: stranger.cert, ...client })).toBe('BUS_UNTRUSTED');
    expect(await code()).toBe('BUS_UNTRUSTED');
    expect(await code({ ca: authority.cert })).toBe('BUS_REFUSED');
    expect(await code({ ca: authority.cert, ...stranger.issue('n1') })).toBe('BUS_REFUSED');
    const elsewhere = await encrypted('localhost', '10.9.8.7');
    const tls = { ca: authority.cert, ...client };
    expect((await failureOf({ ...options, servers: [elsewhere.url], tls })).code).toBe('BUS_UNTRUSTED');
  });

  it('is not made in the clear when TLS is asked for', async () => {
    const server = await guarded();
    const tls = { ca: authority.cert };
    const failure = await failureOf({ servers: [server.url], nkeySeed: key.seed, tls });
    expect(failure.code).toBe('BUS_UNTRUSTED');
  });

  it('needs a server that takes the longest message', async () => {
    const server = await start(({ port }) => `listen: "127.0.0.1:${port}"\nmax_payload: 512KB\n`);
    const failure = await failureOf({ servers: [server.url] });
    expect(failure.code).toBe('BUS_TOO_SMALL');
    expect(failure.details).toMatchObject({ maxPayload: 524_288, needed: 1_048_576 });
  });

  it('needs a server at all, and waits for one only so long', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const failure = await failureOf({ servers: [`nats://127.0.0.1:${port}`, 'nats://127.0.0.1:1'] });
    expect(failure.code).toBe('BUS_UNREACHABLE');
    silent.close();
  });

  it('is made to whichever server answers, and remembers the others', async () => {
    const [first, second] = [await start(), await start()];
    await first.kill();
    const connection = await connectNats({ servers: [first.url, second.url], node: 'n1' });
    const reconnected = new Promise<void>((resolve) => {
      connection.onReconnected(resolve);
    });
    await first.start();
    await second.kill();
    await reconnected;
    expect(`nats://${connection.core.getServer()}`).toBe(first.url);
    await connection.close();
  });

  it('waits for a server that starts later', async () => {
    const server = await start();
    await server.kill();
    const connecting = connectNats({ servers: [server.url], node: 'n1', startMs: 10_000 });
    await server.start();
    const connection = await connecting;
    expect(connection.connected).toBe(true);
    await connection.close();
  });
});
