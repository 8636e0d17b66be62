import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpSource } from '@symmetra/entropy';
import type { HttpSourceOptions, NoiseSource, SourceDescription } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';
import { TestAuthority } from './test-authority.js';

const never = (): AbortSignal => new AbortController().signal;

const description: SourceDescription = {
  name: 'appliance',
  kind: 'http',
  physical: true,
  quantum: true,
  simulated: false,
  raw: false,
  bitsPerSample: 8,
  minEntropyPerSample: 7.9,
};

type Profile = HttpSourceOptions['profile'];

const RAW: Profile = { profile: 'raw' };
const QRNG: Profile = { profile: 'qrng-open-api' };

let folder: string;
let authority: TestAuthority;
let caFile: string;
const opened: NoiseSource[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-http-'));
  authority = new TestAuthority('Authority of Alice');
  caFile = await fileOf('ca.pem', authority.cert);
});

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

const serve = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(listener))}`;

function sourceOf(
  url: string,
  profile: Profile = RAW,
  options: Partial<HttpSourceOptions> = {},
): NoiseSource {
  const source = httpSource({
    description,
    url,
    profile,
    bytesPerRequest: 1000,
    clock: systemClock,
    timeoutMs: 10_000,
    ...options,
  });
  opened.push(source);
  return source;
}

const read = async (
  url: string,
  profile: Profile = RAW,
  options: Partial<HttpSourceOptions> = {},
): Promise<string> => codeOf(sourceOf(url, profile, options).read(1000, never()));

/** Answers with a body of a media type. */
function answer(response: ServerResponse, type: string, body: string | Uint8Array, status = 200): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

const octets = (response: ServerResponse, body: Uint8Array): void =>
  answer(response, 'application/octet-stream', body);

const sizeIn = (request: IncomingMessage): number =>
  Number(new URL(request.url ?? '', 'http://host').searchParams.get('size'));

/** An honest server of the profiles that take one GET. */
const honest: RequestListener = (request, response) => octets(response, randomBytes(sizeIn(request)));

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const part of request) text += String(part);
  return JSON.parse(text) as Record<string, unknown>;
}

interface QrngServer {
  readonly url: string;
  readonly requests: Record<string, unknown>[];
}

/** A server of the QRNG Open API with some limits, and perhaps other blocks than were asked for. */
async function qrngServer(
  limits: Record<string, number>,
  blocks = (size: number, count: number): unknown =>
    Array.from({ length: count }, () => randomBytes(size).toString('base64')),
): Promise<QrngServer> {
  const requests: Record<string, unknown>[] = [];
  const answerEntropy = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    requests.push(body);
    const { block_size: size, block_count: count } = body as { block_size: number; block_count: number };
    const within = size <= (limits['max_block_size'] ?? 0) && count <= (limits['max_block_count'] ?? 0);
    const reply = { entropy: within ? blocks(size, count) : [] };
    answer(response, 'application/json; charset=utf-8', JSON.stringify(reply), within ? 200 : 422);
  };
  const url = await serve((request, response) => {
    if (request.method !== 'GET' || request.url !== '/v1/capabilities') void answerEntropy(request, response);
    else answer(response, 'application/json', JSON.stringify({ entropy: limits, extensions: [] }));
  });
  return { url, requests };
}

describeNoiseSource(
  'raw bytes over HTTP',
  async () => ({ source: sourceOf(`${await serve(honest)}/?size={bytes}`) }),
  {
    silent: async () => ({ source: sourceOf(`${await serve(() => undefined)}/`, RAW, { timeoutMs: 150 }) }),
  },
);

describeNoiseSource('the QRNG Open API', async () => {
  const { url } = await qrngServer({ max_block_size: 256, max_block_count: 3 });
  return { source: sourceOf(url, QRNG) };
});

describeNoiseSource('raw bytes over HTTPS', async () => {
  const port = await listen(createTlsServer(authority.issue('noise.test'), honest));
  return { source: sourceOf(`https://127.0.0.1:${port}/?size={bytes}`, RAW, { credentials: { caFile } }) };
});

describe('profiles', () => {
  const bytes = randomBytes(1000);
  const numbers = JSON.stringify({ success: true, result: { data: [...bytes] } });
  const texts = JSON.stringify({
    random: [bytes.subarray(0, 600), bytes.subarray(600)].map((part) => part.toString('base64')),
  });
  const hex = JSON.stringify([{ qrn: bytes.toString('hex') }]);

  it.each<[string, Profile, string, string | Uint8Array]>([
    ['raw', RAW, 'application/octet-stream', bytes],
    ['base64', { profile: 'base64' }, 'text/plain', `${bytes.toString('base64')}\n`],
    ['hex', { profile: 'hex' }, 'text/plain; charset=us-ascii', bytes.toString('hex').toUpperCase()],
    [
      'numbers in JSON',
      { profile: 'json', jsonPath: 'result.data', form: 'numbers' },
      'application/json',
      numbers,
    ],
    ['base64 in JSON', { profile: 'json', jsonPath: 'random', form: 'base64' }, 'application/json', texts],
    ['hex in JSON', { profile: 'json', jsonPath: '0.qrn', form: 'hex' }, 'application/json', hex],
  ])('%s: the bytes that were sent', async (_, profile, type, body) => {
    const url = await serve((_request, response) => answer(response, type, body));
    const { samples } = await sourceOf(url, profile).read(1000, never());
    expect(Buffer.compare(samples, bytes)).toBe(0);
  });

  it('quantis: asks the appliance for as many bytes as one request has', async () => {
    const urls: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      urls.push(request.url);
      honest(request, response);
    });
    const source = sourceOf(`${url}/`, { profile: 'quantis' }, { bytesPerRequest: 512 });
    await source.read(600, never());
    await source.read(400, never());
    expect(urls).toEqual(Array.from({ length: 2 }, () => '/api/2.0/streambytes?size=512'));
  });

  it('qrng-open-api: keeps to the sizes of the server, and asks for them once', async () => {
    const { url, requests } = await qrngServer({
      min_block_size: 32,
      max_block_size: 128,
      min_block_count: 2,
      max_block_count: 4,
    });
    const source = sourceOf(url, { ...QRNG, entropyType: 'raw' }, { bytesPerRequest: 300 });
    await source.read(700, never());
    await sourceOf(url, QRNG, { bytesPerRequest: 10 }).read(10, never());
    await sourceOf(url, QRNG, { bytesPerRequest: 5000 }).read(10, never());
    expect(requests).toEqual([
      { block_size: 128, block_count: 3, entropy_type: 'raw' },
      { block_size: 128, block_count: 3, entropy_type: 'raw' },
      { block_size: 32, block_count: 2 },
      { block_size: 128, block_count: 4 },
    ]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['no sizes', { entropy: {} }],
    ['nothing at all', {}],
    ['no object', { entropy: null }],
    ['sizes that no request fits', { entropy: { min_block_size: 9, max_block_size: 8, max_block_count: 1 } }],
    ['a size of nothing', { entropy: { max_block_size: 0, max_block_count: 1 } }],
    ['a size that is a text', { entropy: { max_block_size: '64', max_block_count: 1 } }],
  ])('qrng-open-api: capabilities with %s are SOURCE_BAD_PAYLOAD', async (_, reply) => {
    const url = await serve((_request, response) =>
      answer(response, 'application/json', JSON.stringify(reply)),
    );
    expect(await read(url, QRNG)).toBe('SOURCE_BAD_PAYLOAD');
  });

  const block = (size: number): string => randomBytes(size).toString('base64');
  it.each<[string, (size: number, count: number) => unknown]>([
    ['a block too few', (size, count) => Array.from({ length: count - 1 }, () => block(size))],
    ['a block too many', (size, count) => Array.from({ length: count + 1 }, () => block(size))],
    ['a short block', (size, count) => Array.from({ length: count }, () => block(size - 1))],
    ['a long block', (size, count) => Array.from({ length: count }, () => block(size + 1))],
    ['a block that is a number', (_size, count) => Array.from({ length: count }, () => 4)],
    [
      'a block that is no base64',
      (size, count) => Array.from({ length: count }, () => block(size).replace(/^./, '!')),
    ],
    ['no list', (size) => block(size)],
  ])('qrng-open-api: %s is SOURCE_BAD_PAYLOAD', async (_, blocks) => {
    const { url } = await qrngServer({ max_block_size: 100, max_block_count: 10 }, blocks);
    expect(await read(url, QRNG)).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('qrng-open-api: learns the sizes again after the server has refused them', async () => {
    const limits = { max_block_size: 500, max_block_count: 2 };
    const { url, requests } = await qrngServer(limits);
    const source = sourceOf(url, QRNG);
    await source.read(1000, never());
    limits.max_block_size = 100;
    await expect(source.read(1000, never())).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      details: { status: 422 },
    });
    expect((await source.read(200, never())).samples).toHaveLength(200);
    expect(requests.at(-1)).toEqual({ block_size: 100, block_count: 2 });
  });
});

describe('what is no noise', () => {
  const page =
    '<html><head><title>Error</title></head><body>The service is not available.</body></html>'.repeat(20);
  const refusal =
    'The API is limited to 1 request per minute. For more requests, please visit our shop.'.padEnd(1000);

  it.each<[string, Profile, string, string | Uint8Array]>([
    ['an error page', RAW, 'text/html', page],
    ['an error page of the right length', RAW, 'text/html', page.slice(0, 1000)],
    ['an error page under a false name', RAW, 'application/octet-stream', page.slice(0, 1000)],
    ['a refusal in plain text', RAW, 'text/plain', refusal],
    [
      'a refusal in plain text, instead of JSON',
      { profile: 'json', jsonPath: 'data', form: 'numbers' },
      'text/plain',
      refusal,
    ],
    [
      'a refusal named JSON',
      { profile: 'json', jsonPath: 'data', form: 'numbers' },
      'application/json',
      refusal,
    ],
    [
      'a refusal in JSON',
      { profile: 'json', jsonPath: 'data', form: 'numbers' },
      'application/json',
      '{"success":false}',
    ],
    ['a refusal instead of hex', { profile: 'hex' }, 'text/plain', refusal],
    ['a refusal instead of base64', { profile: 'base64' }, 'text/plain', refusal],
    ['an empty body', RAW, 'application/octet-stream', ''],
    ['a body too short', RAW, 'application/octet-stream', randomBytes(999)],
    ['a body too long', RAW, 'application/octet-stream', randomBytes(1001)],
    ['a huge body', RAW, 'application/octet-stream', new Uint8Array(3_000_000)],
    ['hex of an odd length', { profile: 'hex' }, 'text/plain', 'a'.repeat(1999)],
    ['base64 with bits beyond the end', { profile: 'base64' }, 'text/plain', `${'A'.repeat(1333)}B==`],
    [
      'numbers beyond a byte',
      { profile: 'json', jsonPath: '', form: 'numbers' },
      'application/json',
      JSON.stringify(Array.from({ length: 1000 }, () => 256)),
    ],
    [
      'a list of texts instead of numbers',
      { profile: 'json', jsonPath: '', form: 'numbers' },
      'application/json',
      '["1"]',
    ],
  ])('%s is SOURCE_BAD_PAYLOAD, and nothing of it comes through', async (_, profile, type, body) => {
    const url = await serve((_request, response) => answer(response, type, body));
    expect(await read(url, profile)).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('a body that is packed, unasked, is SOURCE_BAD_PAYLOAD', async () => {
    const url = await serve((_request, response) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' };
      response.writeHead(200, headers).end(randomBytes(1000));
    });
    expect(await read(url)).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('a change of protocol, unasked, is SOURCE_REFUSED at once', async () => {
    const server = createServer();
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: noise\r\nconnection: upgrade\r\n\r\nnoise',
        );
      });
    });
    const source = sourceOf(`http://127.0.0.1:${await listen(server)}`);
    await expect(source.read(1000, never())).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      details: { status: 101 },
    });
  });

  it('a body without a media type is SOURCE_BAD_PAYLOAD', async () => {
    expect(await read(await serve((_request, response) => response.end(randomBytes(1000))))).toBe(
      'SOURCE_BAD_PAYLOAD',
    );
  });

  it('a body that never ends is dropped at its limit', async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const write = (): void => {
        while (!response.destroyed && response.write(randomBytes(10_000))) sent += 10_000;
      };
      response.on('drain', write);
      write();
    });
    expect(await read(url)).toBe('SOURCE_BAD_PAYLOAD');
    expect(sent).toBeLessThan(50_000_000);
  });

  it('what does not speak HTTP is SOURCE_BAD_PAYLOAD', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n')));
    expect(await read(`http://127.0.0.1:${port}/`)).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('a body that ends early is SOURCE_SHORT_READ', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1000 });
      response.write(randomBytes(400), () => response.destroy());
    });
    expect(await read(url)).toBe('SOURCE_SHORT_READ');
  });

  it('a body that drips is SOURCE_SILENT', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const timer = setInterval(() => response.write(randomBytes(1)), 10);
      response.on('close', () => clearInterval(timer));
    });
    expect(await read(url, RAW, { timeoutMs: 200 })).toBe('SOURCE_SILENT');
  });

  it('the same body twice comes through as it is, for the health tests to see', async () => {
    const body = randomBytes(1000);
    const source = sourceOf(await serve((_request, response) => octets(response, body)));
    const { samples } = await source.read(2000, never());
    expect(Buffer.compare(samples, Buffer.concat([body, body]))).toBe(0);
  });

  it('after an error nothing is left of the reply before', async () => {
    let calls = 0;
    const url = await serve((_request, response) =>
      octets(response, new Uint8Array(++calls === 2 ? 5 : 1000).fill(calls)),
    );
    const source = sourceOf(url);
    expect((await source.read(900, never())).samples.every((sample) => sample === 1)).toBe(true);
    expect(await codeOf(source.read(900, never()))).toBe('SOURCE_BAD_PAYLOAD');
    expect((await source.read(900, never())).samples.every((sample) => sample === 3)).toBe(true);
  });

  it('after a block that is text nothing is left of the reply that held it', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      const body = new Uint8Array(1000).fill(++calls);
      octets(response, calls === 1 ? body.fill(0x78, 0, 900) : body);
    });
    const source = sourceOf(url);
    expect(await codeOf(source.read(900, never()))).toBe('SOURCE_BAD_PAYLOAD');
    expect((await source.read(900, never())).samples.every((sample) => sample === 2)).toBe(true);
  });
});

describe('refusals', () => {
  it.each([301, 302, 307, 308])('a redirect (%i) is not followed', async (status) => {
    let followed = false;
    const elsewhere = await serve((_request, response) => {
      followed = true;
      octets(response, randomBytes(1000));
    });
    const url = await serve((_request, response) =>
      response.writeHead(status, { location: elsewhere }).end(),
    );
    await expect(sourceOf(url).read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      details: { status },
    });
    expect(followed).toBe(false);
  });

  it.each([204, 401, 403, 404, 422, 500, 503])(
    'status %i is SOURCE_REFUSED, whatever the body',
    async (status) => {
      const url = await serve((_request, response) =>
        answer(response, 'application/octet-stream', randomBytes(1000), status),
      );
      await expect(sourceOf(url).read(10, never())).rejects.toMatchObject({
        code: 'SOURCE_REFUSED',
        details: { status },
      });
    },
  );

  it('a busy server that names a time is asked again after it', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      if (++calls < 3) response.writeHead(calls === 1 ? 503 : 429, { 'retry-after': '0' }).end();
      else octets(response, randomBytes(1000));
    });
    expect(await read(url)).toBe('none');
    expect(calls).toBe(3);
  });

  it('a busy server that names a time beyond the limit is left alone for it, and says so at once', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response.writeHead(503, { 'retry-after': '86400' }).end();
    });
    const source = sourceOf(url);
    for (let i = 0; i < 3; i++) {
      const failure = source.read(10, never());
      await expect(failure).rejects.toMatchObject({
        code: 'SOURCE_REFUSED',
        details: { status: 503, retryAfterMs: 86_400_000 },
      });
    }
    expect(calls).toBe(1);
  });

  it('a connection that the server has given up is replaced without an error', async () => {
    const server = createServer(honest);
    server.keepAliveTimeout = 1;
    const source = sourceOf(`http://127.0.0.1:${await listen(server)}/?size={bytes}`);
    for (let i = 0; i < 5; i++) {
      expect((await source.read(1000, never())).samples).toHaveLength(1000);
      server.closeIdleConnections();
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  });
});

describe('TLS and credentials', () => {
  const SECRET = 'token-which-nobody-may-see';

  const tlsServer = async (server: object, listener: RequestListener = honest): Promise<string> =>
    `https://127.0.0.1:${await listen(createTlsServer(server, listener))}/?size={bytes}`;

  it('refuses a certificate of an authority that was not named, also when the environment would not', async () => {
    const url = await tlsServer(new TestAuthority('Authority of Mallory').issue('noise.test'));
    expect(await read(url, RAW, { credentials: { caFile } })).toBe('SOURCE_UNTRUSTED');
    expect(await read(url)).toBe('SOURCE_UNTRUSTED');
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await read(url)).toBe('SOURCE_UNTRUSTED');
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('refuses a certificate for another name or out of its time', async () => {
    for (const credential of [
      authority.issue('noise.test', '127.0.0.2'),
      authority.issue('noise.test', '127.0.0.1', '210101000000Z'),
    ]) {
      expect(await read(await tlsServer(credential), RAW, { credentials: { caFile } })).toBe(
        'SOURCE_UNTRUSTED',
      );
    }
  });

  it('proves this side by a certificate', async () => {
    const own = authority.issue('node-1.test');
    const certFile = await fileOf('own.pem', own.cert);
    const keyFile = await fileOf('own.key', own.key);
    const server = {
      ...authority.issue('noise.test'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const url = await tlsServer(server);
    expect(await read(url, RAW, { credentials: { caFile, certFile, keyFile } })).toBe('none');
    expect(await read(url, RAW, { credentials: { caFile } })).toBe('SOURCE_REFUSED');
  });

  it('sends a token and a key from files, read anew after a refusal', async () => {
    const bearerFile = await fileOf('bearer', 'old\n');
    const apiKeyFile = await fileOf('api-key', `${SECRET}\n`);
    const url = await tlsServer(authority.issue('noise.test'), (request, response) => {
      const { authorization, 'x-api-key': apiKey } = request.headers;
      if (authorization === 'Bearer new' && apiKey === SECRET) honest(request, response);
      else response.writeHead(401).end();
    });
    const source = sourceOf(url, RAW, { credentials: { caFile, bearerFile, apiKeyFile } });
    await expect(source.read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      details: { status: 401 },
    });
    await fileOf('bearer', 'new\n');
    expect((await source.read(10, never())).samples).toHaveLength(10);
  });

  it.each([
    ['that is not there', undefined],
    ['that is empty', '\n'],
    ['of several words', 'two words'],
    ['that would begin another header', `${SECRET}\r\nx-evil: 1`],
  ])('says SOURCE_CREDENTIAL of a token file %s, and never quotes it', async (_, text) => {
    const bearerFile = text === undefined ? join(folder, 'nothing') : await fileOf('token', text);
    const source = sourceOf('https://127.0.0.1:1/', RAW, { credentials: { bearerFile } });
    const failure = await source.read(10, never()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'SOURCE_CREDENTIAL' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(SECRET);
  });

  it.each([
    ['no URL', 'noise', {}],
    ['of another scheme', 'ftp://127.0.0.1/', {}],
    ['with a password', 'https://user:secret@127.0.0.1/', {}],
    ['with a user', 'https://user@127.0.0.1/', {}],
    ['with a fragment', 'https://127.0.0.1/#part', {}],
    ['without TLS to another machine', 'http://192.0.2.7/', {}],
    ['without TLS and with a token', 'http://127.0.0.1/', { credentials: { bearerFile: '/dev/null' } }],
  ])('says BAD_CONFIG of an address that is %s', (_, url, options) => {
    expect(() => sourceOf(url, RAW, options)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
  });
});
