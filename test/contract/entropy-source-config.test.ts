import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSource, osRandom } from '@symmetra/entropy';
import type { NoiseSource, SourceSurroundings, Upstream } from '@symmetra/entropy';
import { NoiseFeed } from '@symmetra/rpc';
import { systemClock } from '@symmetra/runtime';
import { parseEntropyConfig, readEntropyConfig } from '@symmetra/runtime/configuration';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from './noise-source-suite.js';

const EXAMPLE = fileURLToPath(new URL('../../docs/entropy/sources.example.yaml', import.meta.url));

const surroundings: SourceSurroundings = {
  clock: systemClock,
  random: osRandom().bytes,
  grpc: (upstream) => new NoiseFeed(upstream),
};

const device = {
  name: 'device',
  kind: 'file',
  path: '/dev/urandom',
  physical: true,
  quantum: false,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 6,
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-config-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const fileOf = async (content: string): Promise<string> => {
  const path = join(folder, 'entropy.yaml');
  await writeFile(path, content);
  return path;
};

/** The field that is named as wrong; `none` when nothing is. */
function faultIn(input: unknown): unknown {
  try {
    parseEntropyConfig(input);
    return 'none';
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_CONFIG' });
    return (error as { details: { field: unknown } }).details.field;
  }
}

const sourceWith = (change: object): unknown => ({ sources: [{ ...device, ...change }] });

describe('the configuration of entropy', () => {
  it('is by default the simulated detector, mixed with the operating system', async () => {
    const config = await readEntropyConfig();
    expect(config).toEqual({
      sources: [
        { kind: 'detector', name: 'detector', setup: 'arrival-time', timeoutMs: 10_000 },
        { kind: 'os', name: 'os' },
      ],
    });
    const sources = config.sources.map((source) => openSource(source, surroundings));
    expect(
      sources.map(({ description }) => [description.simulated, description.minEntropyPerSample > 0]),
    ).toEqual([
      [true, true],
      [false, false],
    ]);
    for (const source of sources) await source.close();
  });

  it('completes what is left out', () => {
    expect(parseEntropyConfig({ sources: [device] }).sources).toEqual([
      { ...device, simulated: false, timeoutMs: 10_000 },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['an empty file', null, ''],
    ['no sources', { sources: [] }, 'sources'],
    [
      'too many sources',
      { sources: Array.from({ length: 33 }, (_, i) => ({ kind: 'os', name: `os-${i}` })) },
      'sources',
    ],
    ['an unknown key', { sources: [device], source: [] }, 'source'],
    ['an unknown key of a source', sourceWith({ pth: '/dev/null' }), 'sources.0.pth'],
    ['a key of another kind', sourceWith({ url: 'https://x' }), 'sources.0.url'],
    [
      'claims for what describes itself',
      { sources: [{ kind: 'os', name: 'os', quantum: true }] },
      'sources.0.quantum',
    ],
    ['an unknown kind', sourceWith({ kind: 'dice' }), 'sources.0.kind'],
    ['no kind', { sources: [{ name: 'x' }] }, 'sources.0.kind'],
    ['a name with a space', sourceWith({ name: 'my device' }), 'sources.0.name'],
    ['the same name twice', { sources: [device, { kind: 'os', name: 'device' }] }, 'sources.1.name'],
    ['a claim left out', sourceWith({ quantum: undefined }), 'sources.0.quantum'],
    ['nine bits', sourceWith({ bitsPerSample: 9 }), 'sources.0.bitsPerSample'],
    [
      'more entropy than bits',
      sourceWith({ bitsPerSample: 1, minEntropyPerSample: 1.5 }),
      'sources.0.minEntropyPerSample',
    ],
    [
      'a claim of what is not physical',
      sourceWith({ physical: false, quantum: false }),
      'sources.0.minEntropyPerSample',
    ],
    ['a quantum source that is none', sourceWith({ physical: false, quantum: true }), 'sources.0.quantum'],
    ['a relative path', sourceWith({ path: 'noise.bin' }), 'sources.0.path'],
    ['a number as a duration', sourceWith({ timeout: 10 }), 'sources.0.timeout'],
    ['a duration without a unit', sourceWith({ timeout: '10' }), 'sources.0.timeout'],
    ['a duration of nothing', sourceWith({ timeout: '0s' }), 'sources.0.timeout'],
    ['a duration of a day', sourceWith({ timeout: '1d' }), 'sources.0.timeout'],
    ['a stream from nowhere', sourceWith({ kind: 'stream', path: undefined }), 'sources.0'],
    ['a stream from two places', sourceWith({ kind: 'stream', host: '::1', port: 1 }), 'sources.0'],
    ['a host without a port', sourceWith({ kind: 'stream', path: undefined, host: '::1' }), 'sources.0'],
    ['TLS over a Unix socket', sourceWith({ kind: 'stream', tls: {} }), 'sources.0.tls'],
    [
      'TLS that is not verified',
      sourceWith({ kind: 'stream', path: undefined, host: 'x', port: 1, tls: { rejectUnauthorized: false } }),
      'sources.0.tls.rejectUnauthorized',
    ],
    [
      'a certificate without its key',
      sourceWith({ kind: 'stream', path: undefined, host: 'x', port: 1, tls: { certFile: '/c' } }),
      'sources.0.tls',
    ],
    [
      'a secret in the configuration',
      sourceWith({
        kind: 'http',
        path: undefined,
        url: 'https://x',
        profile: 'raw',
        credentials: { bearer: 'x' },
      }),
      'sources.0.credentials.bearer',
    ],
    [
      'JSON without a path to the samples',
      sourceWith({ kind: 'http', path: undefined, url: 'https://x', profile: 'json' }),
      'sources.0',
    ],
    ['a TPM in two places', sourceWith({ kind: 'tpm', socket: '/run/tpm' }), 'sources.0'],
  ])('refuses %s, and says where', (_, input, field) => {
    // An absent key and one that holds undefined are the same in YAML.
    expect(faultIn(JSON.parse(JSON.stringify(input)))).toBe(field);
  });

  it('reads YAML and JSON alike', async () => {
    const yaml = 'sources:\n  - { name: os, kind: os }\n';
    const json = '{"sources": [{"name": "os", "kind": "os"}]}';
    const expected = { sources: [{ name: 'os', kind: 'os' }] };
    expect(await readEntropyConfig(await fileOf(yaml))).toEqual(expected);
    expect(await readEntropyConfig(await fileOf(json))).toEqual(expected);
  });

  it.each([
    ['text that is no YAML', 'sources:\n  - name: "os\n', 2],
    ['a key that stands twice', 'sources: []\nsources: []\n', 2],
    ['aliases', 'sources: &all\n  - { name: os, kind: os }\nmore: *all\n', undefined],
  ])('says BAD_CONFIG of %s, and the line where it is known', async (_, content, line) => {
    const failure = (await readEntropyConfig(await fileOf(content)).catch((error: unknown) => error)) as {
      code: string;
      details: { line?: number };
    };
    expect(failure.code).toBe('BAD_CONFIG');
    expect(failure.details.line === undefined).toBe(line === undefined);
  });

  it('says BAD_CONFIG of a file that is not there', async () => {
    await expect(readEntropyConfig(join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      details: { reason: 'ENOENT' },
    });
  });
});

describe('the example', () => {
  it('is right, has each kind, and opens without anything being there', async () => {
    const { sources } = await readEntropyConfig(EXAMPLE);
    const kinds = ['detector', 'file', 'grpc', 'http', 'os', 'pkcs11', 'serial', 'stream', 'tpm'];
    expect([...new Set(sources.map(({ kind }) => kind))].toSorted()).toEqual(kinds);
    for (const config of sources) {
      const source = openSource(config, surroundings);
      expect(source.description).toMatchObject({ name: config.name, kind: config.kind });
      await source.close();
    }
  });

  it('names no key that the configuration does not know', async () => {
    const text = await readFile(EXAMPLE, 'utf8');
    expect(text).toContain('qrng-open-api');
    expect(text).not.toMatch(/rejectUnauthorized|insecure/i);
  });
});

describe('opening what is configured', () => {
  const open = (change: object): NoiseSource => {
    const [config] = parseEntropyConfig(JSON.parse(JSON.stringify(sourceWith(change)))).sources;
    if (config === undefined) throw new Error('no source');
    return openSource(config, surroundings);
  };

  it('reads the device', async () => {
    const source = open({});
    expect((await source.read(100, new AbortController().signal)).samples).toHaveLength(100);
    await source.close();
  });

  it('reads the socket', async () => {
    const path = join(folder, 'socket');
    const server = createServer((socket) => socket.end(randomBytes(100)));
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    const source = open({ kind: 'stream', path });
    expect((await source.read(100, new AbortController().signal)).samples).toHaveLength(100);
    await source.close();
    server.close();
  });

  it('keeps to the time limit', async () => {
    const server = createServer();
    const path = join(folder, 'silent');
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    const source = open({ kind: 'stream', path, timeout: '50ms' });
    expect(await codeOf(source.read(1, new AbortController().signal))).toBe('SOURCE_SILENT');
    await source.close();
    server.close();
  });

  it('hands an upstream to the client, with its files read when it connects', async () => {
    const bearerFile = join(folder, 'token');
    await writeFile(bearerFile, 'token\n');
    const upstreams: Upstream[] = [];
    const config = sourceWith({
      kind: 'grpc',
      path: undefined,
      host: '::1',
      port: 7450,
      source: 'x',
      credentials: { bearerFile },
    });
    const [parsed] = parseEntropyConfig(JSON.parse(JSON.stringify(config))).sources;
    openSource(parsed ?? { kind: 'os', name: 'os' }, {
      ...surroundings,
      grpc: (upstream) => {
        upstreams.push(upstream);
        return new NoiseFeed(upstream);
      },
    });
    expect(upstreams).toMatchObject([{ address: '[::1]:7450', source: 'x', expected: { kind: 'grpc' } }]);
    expect(await upstreams[0]?.credentials()).toEqual({ encrypted: true, bearer: 'token' });
  });

  it.each([
    [
      'a server of another machine without TLS',
      { kind: 'grpc', host: '192.0.2.7', port: 1, plaintext: true },
    ],
    [
      'a token without TLS',
      { kind: 'grpc', host: '::1', port: 1, plaintext: true, credentials: { bearerFile: '/t' } },
    ],
    ['a stream of another machine without TLS', { kind: 'stream', host: '192.0.2.7', port: 1 }],
    ['a URL of another machine without TLS', { kind: 'http', url: 'http://192.0.2.7/', profile: 'raw' }],
    ['a URL with a password', { kind: 'http', url: 'https://a:b@192.0.2.7/', profile: 'raw' }],
  ])('says BAD_CONFIG of %s', (_, change) => {
    expect(() => open({ path: undefined, ...change })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG' }),
    );
  });
});
