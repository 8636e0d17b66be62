import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { streamSource } from '@symmetra/entropy';
import type { NoiseSource, SourceDescription, StreamAddress } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';
import { TestAuthority } from './test-authority.js';

const never = (): AbortSignal => new AbortController().signal;

const description: SourceDescription = {
  name: 'stream',
  kind: 'stream',
  physical: true,
  quantum: true,
  simulated: false,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 7.9,
};

type Behaviour = (socket: Socket, connection: number) => void;

/** Sends noise as long as it is taken. */
const noise: Behaviour = (socket) => {
  const write = (): void => {
    while (!socket.destroyed && socket.write(randomBytes(1000)));
  };
  socket.on('drain', write);
  write();
};

const sendOnce =
  (bytes: Uint8Array): Behaviour =>
  (socket) => {
    socket.end(bytes);
  };

let folder: string;
let authority: TestAuthority;
let caFile: string;
let made = 0;
const opened: NoiseSource[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-stream-'));
  authority = new TestAuthority('Authority of Alice');
  caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.cert);
});

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function listen(server: Server, path?: string): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

function accepting(behave: Behaviour): (socket: Socket) => void {
  let connections = 0;
  return (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    behave(socket, ++connections);
  };
}

const serve = async (behave: Behaviour): Promise<number> => listen(createServer(accepting(behave)));

function sourceOf(address: StreamAddress, protocol: 'raw' | 'egd' = 'raw', timeoutMs = 10_000): NoiseSource {
  const source = streamSource({ description, address, protocol, clock: systemClock, timeoutMs });
  opened.push(source);
  return source;
}

const tcp = (port: number): StreamAddress => ({ host: '127.0.0.1', port });

/** The server's side of the EGD protocol. */
const egd =
  (answer: (asked: number) => Uint8Array): Behaviour =>
  (socket) => {
    let request = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      request = Buffer.concat([request, bytes]);
      while (request.length >= 2) {
        expect(request[0]).toBe(1);
        socket.write(answer(request[1] ?? 0));
        request = request.subarray(2);
      }
    });
  };

const honestEgd = egd((asked) => Buffer.concat([Buffer.from([asked]), randomBytes(asked)]));

describeNoiseSource('a TCP stream', async () => ({ source: sourceOf(tcp(await serve(noise))) }), {
  silent: async () => ({ source: sourceOf(tcp(await serve(() => undefined)), 'raw', 100) }),
});

describeNoiseSource('a Unix socket', async () => {
  const path = join(folder, `socket-${++made}`);
  await listen(createServer(accepting(noise)), path);
  return { source: sourceOf({ path }) };
});

describeNoiseSource('an EGD server', async () => ({ source: sourceOf(tcp(await serve(honestEgd)), 'egd') }), {
  silent: async () => {
    const empty = egd(() => Uint8Array.of(0));
    return { source: sourceOf(tcp(await serve(empty)), 'egd', 150) };
  },
});

describeNoiseSource('a TLS stream', async () => {
  const server = createTlsServer(authority.issue('noise.test'), accepting(noise));
  const port = await listen(server);
  return { source: sourceOf({ host: '127.0.0.1', port, tls: { caFile } }) };
});

describe('a stream', () => {
  it('keeps the order of the bytes across blocks', async () => {
    const bytes = randomBytes(150_000);
    const source = sourceOf(tcp(await serve(sendOnce(bytes))));
    const parts = [];
    for (const count of [1, 65_536, 65_535, 18_928]) parts.push((await source.read(count, never())).samples);
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
  });

  it('that ends within a block is a short read, and the next block comes from a new connection', async () => {
    const port = await serve((socket, connection) => {
      socket.end(Buffer.alloc(connection === 1 ? 15 : 10, connection));
    });
    const source = sourceOf(tcp(port));
    await source.read(10, never());
    await expect(source.read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_SHORT_READ',
      details: { got: 5, wanted: 10 },
    });
    expect((await source.read(10, never())).samples).toEqual(new Uint8Array(10).fill(2));
  });

  it('that ended between two blocks is replaced without an error', async () => {
    const port = await serve((socket, connection) => {
      socket.end(Buffer.alloc(10, connection));
    });
    const source = sourceOf(tcp(port));
    for (const connection of [1, 2, 3]) {
      expect((await source.read(10, never())).samples).toEqual(new Uint8Array(10).fill(connection));
    }
  });

  it('that gives nothing but its end is a short read', async () => {
    const source = sourceOf(tcp(await serve((socket) => socket.end())));
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_SHORT_READ');
  });

  it('that drips is silent when the block is not complete in time', async () => {
    const port = await serve((socket) => {
      const timer = setInterval(() => socket.write(randomBytes(1)), 10);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await codeOf(sourceOf(tcp(port), 'raw', 200).read(10_000, never()))).toBe('SOURCE_SILENT');
  });

  it('of another service, which greets in words, is no noise', async () => {
    const greeting = `220 mail.test ESMTP ready; the weather is fine, and so are we${' '.repeat(200)}\r\n`;
    const source = sourceOf(tcp(await serve(sendOnce(Buffer.from(greeting)))));
    expect(await codeOf(source.read(200, never()))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('says SOURCE_UNREACHABLE where nobody listens, and serves once somebody does', async () => {
    const path = join(folder, `socket-${++made}`);
    const source = sourceOf({ path });
    await expect(source.read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      details: { source: 'stream', reason: 'ENOENT' },
    });
    await listen(createServer(accepting(noise)), path);
    expect((await source.read(10, never())).samples).toHaveLength(10);
  });

  it('of another machine needs TLS, or the word that it is exposed', () => {
    const refused = expect.objectContaining({ code: 'BAD_CONFIG' });
    expect(() => sourceOf({ host: '192.0.2.7', port: 4000 })).toThrow(refused);
    expect(() => sourceOf({ host: '192.0.2.7', port: 4000, exposed: true })).not.toThrow();
    expect(() => sourceOf({ host: '192.0.2.7', port: 4000, tls: {} })).not.toThrow();
  });
});

describe('the EGD protocol', () => {
  it('refuses a server that announces more than it was asked for', async () => {
    const port = await serve(
      egd((asked) => Buffer.concat([Buffer.from([asked + 1]), randomBytes(asked + 1)])),
    );
    expect(await codeOf(sourceOf(tcp(port), 'egd').read(100, never()))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('asks again when the server has less, or nothing at the moment', async () => {
    let calls = 0;
    const port = await serve(
      egd((asked) => {
        const given = ++calls === 2 ? 0 : Math.min(asked, 60);
        return Buffer.concat([Buffer.from([given]), randomBytes(given)]);
      }),
    );
    expect((await sourceOf(tcp(port), 'egd').read(100, never())).samples).toHaveLength(100);
    expect(calls).toBe(3);
  });

  it('says SOURCE_SHORT_READ when the server leaves within an answer', async () => {
    const port = await serve((socket) => socket.end(Buffer.concat([Buffer.from([100]), randomBytes(50)])));
    expect(await codeOf(sourceOf(tcp(port), 'egd').read(100, never()))).toBe('SOURCE_SHORT_READ');
  });
});

describe('TLS of a stream', () => {
  const connectTo = async (
    server: { cert: string; key: string; ca?: string; requestCert?: boolean; rejectUnauthorized?: boolean },
    tls: NonNullable<Extract<StreamAddress, { host: string }>['tls']>,
  ): Promise<string> => {
    const port = await listen(createTlsServer(server, accepting(noise)));
    return codeOf(sourceOf({ host: '127.0.0.1', port, tls }).read(10, never()));
  };

  it('trusts the authority that was named, for the name that was meant', async () => {
    expect(await connectTo(authority.issue('noise.test'), { caFile, serverName: 'noise.test' })).toBe('none');
  });

  it('trusts no other authority, no other name, no certificate out of its time', async () => {
    const mallory = new TestAuthority('Authority of Mallory');
    expect(await connectTo(mallory.issue('noise.test'), { caFile })).toBe('SOURCE_UNTRUSTED');
    expect(await connectTo(authority.issue('noise.test'), {})).toBe('SOURCE_UNTRUSTED');
    expect(await connectTo(authority.issue('noise.test'), { caFile, serverName: 'other.test' })).toBe(
      'SOURCE_UNTRUSTED',
    );
    expect(await connectTo(authority.issue('noise.test', '127.0.0.2'), { caFile })).toBe('SOURCE_UNTRUSTED');
    expect(await connectTo(authority.issue('noise.test', '127.0.0.1', '210101000000Z'), { caFile })).toBe(
      'SOURCE_UNTRUSTED',
    );
  });

  it('does not let the environment switch verification off', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await connectTo(new TestAuthority('Authority of Mallory').issue('noise.test'), { caFile })).toBe(
        'SOURCE_UNTRUSTED',
      );
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('proves this side by a certificate, where the server asks for one', async () => {
    const own = authority.issue('node-1.test');
    const [certFile, keyFile] = [join(folder, 'own.pem'), join(folder, 'own.key')];
    await writeFile(certFile, own.cert);
    await writeFile(keyFile, own.key, { mode: 0o600 });
    const server = {
      ...authority.issue('noise.test'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    };
    expect(await connectTo(server, { caFile, certFile, keyFile })).toBe('none');
    expect(await connectTo(server, { caFile })).toBe('SOURCE_REFUSED');
  });

  it('says SOURCE_CREDENTIAL of files that are not there or are not what they should be', async () => {
    const server = authority.issue('noise.test');
    const broken = join(folder, 'broken.pem');
    await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(await connectTo(server, { caFile: join(folder, 'nothing') })).toBe('SOURCE_CREDENTIAL');
    expect(await connectTo(server, { caFile, certFile: broken, keyFile: broken })).toBe('SOURCE_CREDENTIAL');
  });
});
