import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { ByteNoise } from '@symmetra/entropy';
import type { NoiseSource, SourceDescription } from '@symmetra/entropy';
import { NoiseFeed, decode, encode } from '@symmetra/rpc';
import type { MessageInput, NoiseFeedOptions, UpstreamCredentials } from '@symmetra/rpc';
import { systemClock } from '@symmetra/runtime';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';
import { RpcWorld } from './rpc-fixture.js';
import { TestAuthority } from './test-authority.js';

const never = (): AbortSignal => new AbortController().signal;

type Reply = MessageInput<'symmetra.entropy.v1.StreamNoiseResponse'>;
type Call = ServerWritableStream<Buffer, Buffer>;
type Behaviour = (call: Call, send: (reply: Reply) => boolean) => void;

const description: SourceDescription = {
  name: 'upstream',
  kind: 'grpc',
  physical: true,
  quantum: true,
  simulated: false,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 7.5,
};

const stated = { ...description, name: 'detector-3', kind: 'detector' };

const block = (sequence: number, samples: Uint8Array = randomBytes(700)): Reply => ({
  block: { sequence, samples },
});

/** An honest server, which sends as long as it is taken. */
const noise: Behaviour = (call, send) => {
  let sequence = 0;
  const write = (): void => {
    while (!call.cancelled && send(block(sequence++)));
  };
  call.on('drain', write);
  send({ description: stated });
  write();
};

const inOrder =
  (...replies: Reply[]): Behaviour =>
  (call, send) => {
    for (const reply of replies) send(reply);
    call.end();
  };

const opened: NoiseSource[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  for (const server of servers.splice(0)) server.forceShutdown();
});

async function serve(behave: Behaviour, credentials = ServerCredentials.createInsecure()): Promise<number> {
  const server = new Server();
  servers.push(server);
  const identity = (bytes: Buffer): Buffer => bytes;
  const handle = (call: Call): void =>
    behave(call, (reply) =>
      call.write(Buffer.from(encode('symmetra.entropy.v1.StreamNoiseResponse', reply))),
    );
  server.register(
    '/symmetra.entropy.v1.EntropyService/StreamNoise',
    handle,
    identity,
    identity,
    'serverStream',
  );
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

const plain = async (): Promise<UpstreamCredentials> => ({ encrypted: false });

function sourceAt(port: number, options: Partial<NoiseFeedOptions> = {}, timeoutMs = 10_000): NoiseSource {
  const { expected = description } = options;
  const feed = new NoiseFeed({
    expected,
    address: `127.0.0.1:${port}`,
    source: 'detector-3',
    credentials: plain,
    ...options,
  });
  const source = new ByteNoise({
    description: { ...description, ...expected },
    feed,
    clock: systemClock,
    timeoutMs,
  });
  opened.push(source);
  return source;
}

const codeFrom = async (
  behave: Behaviour,
  options: Partial<NoiseFeedOptions> = {},
  count = 1000,
): Promise<string> => codeOf(sourceAt(await serve(behave), options).read(count, never()));

describeNoiseSource('an entropy server over gRPC', async () => ({ source: sourceAt(await serve(noise)) }), {
  silent: async () => ({ source: sourceAt(await serve(() => undefined), {}, 200) }),
});

describe('the stream of an entropy server', () => {
  it('is asked for by the name of the source', async () => {
    const requests: unknown[] = [];
    const port = await serve((call, send) => {
      requests.push(decode('symmetra.entropy.v1.StreamNoiseRequest', call.request));
      noise(call, send);
    });
    await sourceAt(port).read(10, never());
    expect(requests).toEqual([{ source: 'detector-3', blockSamples: 4096 }]);
  });

  it('keeps the order of the samples across blocks', async () => {
    const bytes = randomBytes(2100);
    const parts = [0, 1, 2].map((i) => block(i, bytes.subarray(i * 700, (i + 1) * 700)));
    const source = sourceAt(await serve(inOrder({ description: stated }, ...parts)));
    const blocks = [];
    for (const count of [1, 1000, 1099]) blocks.push((await source.read(count, never())).samples);
    expect(Buffer.compare(Buffer.concat(blocks), bytes)).toBe(0);
  });

  it('holds the server back while nobody reads', async () => {
    let sent = 0;
    const port = await serve((call, send) => {
      noise(call, (reply) => {
        sent += 1;
        return send(reply);
      });
    });
    const source = sourceAt(port);
    await source.read(1000, never());
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(sent * 700).toBeLessThan(2_000_000);
  });

  it.each<[string, Reply[]]>([
    ['without a description', [block(0), block(1)]],
    ['with two descriptions', [{ description: stated }, { description: stated }, block(0), block(1)]],
    ['with a block missing', [{ description: stated }, block(0), block(2)]],
    ['with a block repeated', [{ description: stated }, block(0), block(0)]],
    ['that begins in the middle', [{ description: stated }, block(1), block(2)]],
    ['with an empty block', [{ description: stated }, block(0, new Uint8Array(0)), block(1)]],
    ['with neither', [{ description: stated }, {}]],
  ])('%s is SOURCE_BAD_PAYLOAD', async (_, replies) => {
    expect(await codeFrom(inOrder(...replies))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('with bytes that are no message is SOURCE_BAD_PAYLOAD', async () => {
    expect(await codeFrom((call) => void call.write(Buffer.from([0x0a, 0xff])))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it.each([
    ['physical', { physical: false }],
    ['quantum', { quantum: false }],
    ['raw', { raw: false }],
    ['simulated', { simulated: true }],
    ['bitsPerSample', { bitsPerSample: 7 }],
    ['minEntropyPerSample', { minEntropyPerSample: 7.4 }],
    ['minEntropyPerSample', { minEntropyPerSample: Number.NaN }],
  ])('of a source that is less than this side says (%s) is SOURCE_BAD_PAYLOAD', async (field, change) => {
    const port = await serve(inOrder({ description: { ...stated, ...change } }, block(0)));
    await expect(sourceAt(port).read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_BAD_PAYLOAD',
      details: { source: 'upstream', field },
    });
  });

  it('of a source that is more than this side says is taken', async () => {
    const expected = { ...description, quantum: false, simulated: true, raw: false, minEntropyPerSample: 1 };
    expect(await codeFrom(noise, { expected })).toBe('none');
  });

  it('that ends within a block is SOURCE_SHORT_READ, and the next read opens another', async () => {
    let calls = 0;
    const port = await serve((call, send) => {
      calls += 1;
      if (calls === 1) inOrder({ description: stated }, block(0))(call, send);
      else noise(call, send);
    });
    const source = sourceAt(port);
    await expect(source.read(1000, never())).rejects.toMatchObject({
      code: 'SOURCE_SHORT_READ',
      details: { got: 700, wanted: 1000 },
    });
    expect((await source.read(1000, never())).samples).toHaveLength(1000);
  });

  it('that the server refuses is SOURCE_REFUSED, whenever it does so', async () => {
    const refuse: Behaviour = (call) => void call.emit('error', { code: 7, details: 'no' });
    await expect(sourceAt(await serve(refuse)).read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      details: { status: 'PERMISSION_DENIED' },
    });
    const later: Behaviour = (call, send) => {
      send({ description: stated });
      send(block(0));
      call.emit('error', { code: 8, details: 'enough' });
    };
    const source = sourceAt(await serve(later));
    await source.read(700, never());
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_REFUSED');
  });

  it('of a server that is not there is SOURCE_UNREACHABLE', async () => {
    const port = await serve(noise);
    servers.pop()?.forceShutdown();
    expect(await codeOf(sourceAt(port).read(10, never()))).toBe('SOURCE_UNREACHABLE');
  });
});

describe('TLS of an entropy server', () => {
  const authority = new TestAuthority('Authority of Alice');
  const credentialsOf = (from: TestAuthority, asked = false): ServerCredentials => {
    const { cert, key } = from.issue('noise.test');
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    return ServerCredentials.createSsl(Buffer.from(authority.cert), [pair], asked);
  };
  const secured =
    (more: Partial<UpstreamCredentials> = {}) =>
    async (): Promise<UpstreamCredentials> => ({
      encrypted: true,
      ca: authority.cert,
      ...more,
    });

  it('trusts the authority that was named, and sends the token', async () => {
    const tokens: unknown[] = [];
    const port = await serve((call, send) => {
      tokens.push(...call.metadata.get('authorization'));
      noise(call, send);
    }, credentialsOf(authority));
    const source = sourceAt(port, { credentials: secured({ bearer: 'token' }), serverName: 'noise.test' });
    expect((await source.read(10, never())).samples).toHaveLength(10);
    expect(tokens).toEqual(['Bearer token']);
  });

  it('trusts no other, also when the environment would', async () => {
    const port = await serve(noise, credentialsOf(new TestAuthority('Authority of Mallory')));
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const source = sourceAt(port, { credentials: secured(), serverName: 'noise.test' });
      expect(await codeOf(source.read(10, never()))).toBe('SOURCE_UNREACHABLE');
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    const other = await serve(noise, credentialsOf(authority));
    const source = sourceAt(other, { credentials: secured(), serverName: 'other.test' });
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_UNREACHABLE');
  });

  it('proves this side by a certificate', async () => {
    const { cert, key } = authority.issue('node-1.test');
    const port = await serve(noise, credentialsOf(authority, true));
    const known = sourceAt(port, { credentials: secured({ cert, key }), serverName: 'noise.test' });
    expect((await known.read(10, never())).samples).toHaveLength(10);
    const unknown = sourceAt(port, { credentials: secured(), serverName: 'noise.test' });
    expect(await codeOf(unknown.read(10, never()))).toBe('SOURCE_UNREACHABLE');
  });
});

describe('a node', () => {
  it('serves no noise, and says so in its health, its reflection and its refusal', async () => {
    const world = await RpcWorld.start({}, { reflection: true });
    try {
      world.server.setServing(true);
      await expect(world.client().health('symmetra.entropy.v1.EntropyService')).rejects.toMatchObject({
        code: 'NO_SUCH_SERVICE',
      });
      const reflect = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
      const { body } = await world.stranger().call(reflect, Uint8Array.of(0x3a, 1, 0x2a));
      expect(body.toString('latin1')).toContain('symmetra.link.v1.LinkService');
      expect(body.toString('latin1')).not.toContain('symmetra.entropy');
      await expect(sourceAt(world.port).read(10, never())).rejects.toMatchObject({
        code: 'SOURCE_REFUSED',
        details: { reason: 'METHOD_NOT_ALLOWED' },
      });
    } finally {
      await world.close();
    }
  });
});
