import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createStream } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodBytes } from '../contract/battery-data.js';
import { refusal } from './cli-inside.js';
import { Bench, reply, symmetra } from './cli-program.js';
import { Yaml, physicalFile } from './entropy-yaml.js';

const bench = new Bench();
const yaml = new Yaml(bench);

/** What a program is told of one source. */
interface SourceRecord {
  readonly name: string;
  readonly state: string;
  readonly lastError?: string;
  readonly alarms: number;
  readonly minEntropy?: number;
  readonly minEntropyPerSample: number;
}

/** A server of error pages, and one that gives a million good bytes and then nothing. */
const web = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<html><h1>Out of service</h1><p>Come back tomorrow.</p></html>');
});
const STREAMED = 1_000_000;
const stream = createStream((socket) => {
  socket.on('error', () => undefined);
  socket.write(goodBytes(STREAMED, 3));
});
let [webPort, streamPort] = [0, 0];

beforeAll(async () => {
  for (const server of [web, stream]) {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  }
  webPort = (web.address() as AddressInfo).port;
  streamPort = (stream.address() as AddressInfo).port;
});
afterAll(async () => {
  await bench.end();
  web.close();
  stream.close();
});

const RANDOM = physicalFile('card', '/dev/urandom');
const ABSENT = physicalFile('absent', '/nowhere/qrandom0');

describe.skipIf(process.platform === 'win32')('entropy sources', () => {
  it('lists the detector as simulated, and the operating system as credited with nothing', async () => {
    const { state, availableSeeds, sources } = await reply(['entropy', 'sources']);
    expect({ state, availableSeeds }).toEqual({ state: 'ready', availableSeeds: expect.any(Number) });
    expect(sources).toMatchObject([
      { name: 'detector', kind: 'detector', simulated: true, quantum: true, raw: true, state: 'qualified' },
      { name: 'os', physical: false, quantum: false, raw: false, minEntropyPerSample: 0 },
    ]);
    const [detector] = sources as readonly SourceRecord[];
    expect(detector?.minEntropy).toBeGreaterThan(detector?.minEntropyPerSample ?? Infinity);
    expect(detector).toMatchObject({ alarms: 0, discardedWindows: 0 });
  });

  it('says all that in a table, and what its figures are', async () => {
    const file = await yaml.file({ name: 'detector', kind: 'detector', setup: 'beam-splitter' }, ABSENT);
    const { code, stdout, stderr } = await symmetra(['entropy', 'sources', '--sources', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [headings, detector, absent, ...notes] = stdout.split('\n');
    expect(headings).toMatch(/^source +kind +labels +bits +claimed +measured +state$/);
    expect(detector).toMatch(
      /^detector +detector +simulated, quantum, raw +1 +0\.\d{3} +0\.\d{3} +qualified$/,
    );
    expect(absent).toMatch(/^absent +file +physical, raw +8 +6\.000 +- +\w+ \(SOURCE_UNREACHABLE\)$/);
    const text = notes.join('\n');
    expect(text).toContain('The claim is credited; what is measured can only refute it.');
    expect(text).toContain('detector is simulated: a program computes its noise');
    expect(text).toMatch(/Ready: \d+ seeds/);
  });

  it('tells of sources that are not there, that send error pages or that have too little', async () => {
    const short = join(await bench.directory(), 'short.bin');
    await writeFile(short, goodBytes(1000, 4));
    const page = {
      ...RANDOM,
      name: 'page',
      kind: 'http',
      path: undefined,
      url: `http://127.0.0.1:${webPort}/`,
      profile: 'raw',
    };
    const file = await yaml.file(ABSENT, page, physicalFile('short', short));
    const { state, sources } = await reply(['entropy', 'sources', '--sources', file]);
    expect(state).toBe('starting');
    const found = (sources as readonly SourceRecord[]).map(({ name, lastError }) => [name, lastError]);
    expect(found).toEqual([
      ['absent', 'SOURCE_UNREACHABLE'],
      ['page', 'SOURCE_BAD_PAYLOAD'],
      ['short', 'SOURCE_SHORT_READ'],
    ]);
  });

  it('tells of noise that fails its tests', async () => {
    const file = await yaml.file(physicalFile('zeros', '/dev/zero'));
    const { sources } = await reply(['entropy', 'sources', '--sources', file]);
    const [zeros] = sources as readonly SourceRecord[];
    expect(zeros?.state).not.toBe('qualified');
    expect(zeros?.alarms).toBeGreaterThan(0);
    expect(zeros).toMatchObject({ lastAlarm: { test: expect.any(String), level: expect.any(String) } });
  });

  it.each([
    { what: 'nothing', text: undefined, says: 'can not be read' },
    { what: 'no list', text: 'sources: 5\n', says: '"sources"' },
    { what: 'an unknown kind', text: 'sources:\n  - name: x\n    kind: dice\n', says: '"sources.0.kind"' },
  ])('refuses a configuration that holds $what, with file and place', async ({ text, says }) => {
    const file = join(await bench.directory(), 'sources.yaml');
    if (text !== undefined) await writeFile(file, text);
    const { exit, code, message } = await refusal(['entropy', 'sources', '--sources', file]);
    expect({ exit, code }).toEqual({ exit: 1, code: 'BAD_CONFIG' });
    expect(message).toContain(says);
    expect(message).toContain(file);
  });

  it('names the source whose claim is too low for its tests', async () => {
    const file = await yaml.file(RANDOM, { ...RANDOM, name: 'weak', minEntropyPerSample: 0.01 });
    const { exit, code, message } = await refusal(['entropy', 'sources', '--sources', file]);
    expect({ exit, code }).toEqual({ exit: 1, code: 'HEALTH_CUTOFF' });
    expect(message).toMatch(/^source weak: /);
  });
});

describe.skipIf(process.platform === 'win32')('entropy get', () => {
  it.each(['full', 'drbg'])(
    'draws more than is ready at once from %s, and says what it rests on',
    async (tier) => {
      const sources = await yaml.file(RANDOM, ABSENT);
      const args = ['entropy', 'get', '--bytes', '50000', '--tier', tier, '--sources', sources];
      const found = await reply([...args, '--encoding', 'base64']);
      expect(found).toMatchObject({
        tier,
        bytes: 50_000,
        encoding: 'base64',
        sources: [{ name: 'card', quantum: false, simulated: false }],
      });
      const drawn = Buffer.from(String(found['value']), 'base64');
      expect(drawn).toHaveLength(50_000);
      expect(new Set(drawn).size).toBe(256);
    },
  );

  it('takes the tier full from the simulated detector and says so', async () => {
    const { code, stdout, stderr } = await symmetra(['entropy', 'get', '--bytes', '16']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{32}\n$/);
    expect(stderr).toMatch(/^16 bytes of the tier full, from detector \(simulated, quantum, raw\)/);
  });

  it('writes a new file that is closed to others, and never over another', async () => {
    const sources = await yaml.file(RANDOM);
    const out = join(await bench.directory(), 'random.bin');
    const args = ['entropy', 'get', '--bytes', '100', '--out', out, '--sources', sources];
    expect(await reply(args)).toEqual({
      tier: 'full',
      bytes: 100,
      out,
      sources: [{ name: 'card', quantum: false, simulated: false }],
    });
    const { mode, size } = await stat(out);
    expect({ mode: mode & 0o777, size }).toEqual({ mode: 0o600, size: 100 });
    const before = await readFile(out);
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'FILE_EXISTS' });
    expect(await readFile(out)).toEqual(before);
  });

  it('gives nothing when the sources do not give enough in time', async () => {
    const { path: _, ...described } = RANDOM;
    const slow = { ...described, kind: 'stream', host: '127.0.0.1', port: streamPort, timeout: '1m' };
    const sources = await yaml.file(slow);
    const out = join(await bench.directory(), 'random.bin');
    const args = ['entropy', 'get', '--bytes', String(STREAMED), '--out', out, '--sources', sources];
    expect(await refusal([...args, '--wait', '5s'])).toMatchObject({ exit: 1, code: 'ENTROPY_SHORT' });
    await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says what each source is in when none serves', async () => {
    const sources = await yaml.file(ABSENT, { name: 'os', kind: 'os' });
    const args = ['entropy', 'get', '--bytes', '1', '--wait', '1s', '--sources', sources];
    const { exit, code, message } = await refusal(args);
    expect({ exit, code }).toEqual({ exit: 1, code: 'ENTROPY_NOT_READY' });
    expect(message).toMatch(/absent is \w+ \(SOURCE_UNREACHABLE\), os is qualified$/);
  });

  it('does not wait for a source that claims nothing', async () => {
    const sources = await yaml.file({ name: 'os', kind: 'os' });
    const args = ['entropy', 'get', '--bytes', '1', '--wait', '1h', '--sources', sources];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'ENTROPY_NOT_READY' });
  });
});

describe('entropy with wrong usage', () => {
  it.each([
    'get',
    'get --bytes 0',
    'get --bytes 1 --tier best',
    'get --bytes 1 --wait 0s',
    'sources --wait long',
    'report',
    'report --dir x --samples 9999',
    'verify x --signer abc',
    'bundle',
    'guess',
  ])('%s', async (line) => {
    expect(await refusal(['entropy', ...line.split(' ')])).toMatchObject({ exit: 2, code: 'USAGE' });
  });
});
