import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suites } from '@symmetra/crypto';
import {
  decodeToken,
  nodeKemKey,
  nodeKeyHash,
  nodeTokenSecret,
  startEnrolment,
  tokenIdOf,
} from '@symmetra/protocol';
import { readNetworkFile } from '@symmetra/node';
import { NodeClient } from '@symmetra/rpc';
import { isSkipped } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply, symmetra } from './cli-inside.js';
import { Bench, programArgs, refusal as programRefusal, reply as programReply } from './cli-program.js';

/* What a stranger gets wrong, and what goes wrong around the programs: each has one stable code, and nothing is lost. */

const bench = new Bench();
let directory = '';
let data = '';
let alice = '';
let aliceId = '';

beforeAll(async () => {
  directory = await bench.directory();
  data = join(directory, 'network');
  alice = join(directory, 'alice');
  await bench.network(data);
  aliceId = await bench.device(data, alice, 'alice');
});
afterAll(async () => bench.end());

const path = (name: string): string => join(directory, name);
const token = async (...args: readonly string[]): Promise<string> =>
  String((await reply(['token', 'create', '--data', data, ...args]))['token']);
const enrol = (state: string): string[] => ['device', 'enrol', '--token', '-', '--state', path(state)];
const status = async (state: string) => reply(['device', 'status', '--state', state]);

describe('a token', () => {
  it.each([
    { name: 'that is cut', change: (text: string) => text.slice(0, -9) },
    {
      name: 'that has a wrong character',
      change: (text: string) => `${text.slice(0, 30)}${text[30] === 'A' ? 'B' : 'A'}${text.slice(31)}`,
    },
    { name: 'that is none', change: () => 'password' },
  ])('$name is refused before anything is sent', async ({ change }) => {
    const refused = await refusal(enrol('malformed'), { input: change(await token()) });
    expect(refused).toMatchObject({ exit: 1, code: 'TOKEN_MALFORMED' });
  });

  it('that is absent is told', async () => {
    expect(await refusal(enrol('absent'), { input: ' \n' })).toMatchObject({ exit: 1, code: 'NO_TOKEN' });
  });

  it('that is spent is refused', async () => {
    const text = await token();
    await reply(enrol('first'), { input: text });
    expect(await refusal(enrol('second'), { input: text })).toMatchObject({ exit: 1, code: 'TOKEN_SPENT' });
  });

  it('serves as often as it says', async () => {
    const text = await token('--uses', '2');
    const ids = [await reply(enrol('one'), { input: text }), await reply(enrol('two'), { input: text })];
    expect(new Set(ids.map((one) => one['deviceId'])).size).toBe(2);
    expect(await refusal(enrol('three'), { input: text })).toMatchObject({ exit: 1, code: 'TOKEN_SPENT' });
  });

  it('that is expired is refused', async () => {
    const text = await token('--expires', '1ms');
    expect(await refusal(enrol('late'), { input: text })).toMatchObject({ exit: 1, code: 'TOKEN_EXPIRED' });
  });

  it('that somebody else is using is refused as contested', async () => {
    const text = await token();
    await contest(text);
    expect(await refusal(enrol('contested'), { input: text })).toMatchObject({
      exit: 1,
      code: 'TOKEN_CONTESTED',
    });
  });

  it('of a device that is enrolled changes nothing', async () => {
    const before = await status(alice);
    const refused = await refusal(['device', 'enrol', '--token', '-', '--state', alice], {
      input: await token(),
    });
    expect(refused).toMatchObject({ exit: 1, code: 'STATE_TAKEN' });
    expect(await status(alice)).toEqual(before);
  });
});

/** Mallory has the token too, and makes the first offer at every node. */
async function contest(text: string): Promise<void> {
  const { parsed: descriptor } = await readNetworkFile(join(data, 'network.json'));
  const { networkId } = descriptor;
  const { secret } = decodeToken(text);
  const enrolmentNonce = new Uint8Array(randomBytes(32));
  const { kem } = suites.get(1);
  for (const node of descriptor.nodes) {
    const start = {
      suiteId: 1,
      tokenId: tokenIdOf(networkId, secret),
      token: nodeTokenSecret(networkId, secret, node.id, nodeKeyHash(node)),
      enrolmentNonce,
      nodeId: node.id,
      nodeKeyHash: nodeKeyHash(node),
      nodeKemKey: nodeKemKey(node, 1),
      descriptorVersion: descriptor.version,
      name: 'mallory',
    };
    const fresh = {
      seed: new Uint8Array(randomBytes(kem.seedLength)),
      coins: new Uint8Array(randomBytes(kem.coinsLength)),
    };
    const { state } = startEnrolment({ networkId, suites }, start, fresh);
    const client = new NodeClient(node.addresses[0] ?? '');
    await client.offer({ node: '', offer: state.offer });
    client.close();
  }
}

describe('a peer', () => {
  it('that is unknown is refused', async () => {
    const args = ['key', 'negotiate', '--state', alice, '--peer', 'a'.repeat(52)];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'PEER_UNKNOWN' });
  });

  it('that is the device itself is refused', async () => {
    const args = ['key', 'negotiate', '--state', alice, '--peer', aliceId];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'PEER_SELF' });
  });
});

describe('a token of another network', () => {
  it('is refused at the addresses that it names', async () => {
    const [one, other] = [path('one-network'), path('other-network')];
    const port = await consecutivePorts(3);
    const first = bench.start(['up', '--data', one, '--port', `${port}`]);
    await first.event('up');
    const { token: text } = await reply(['token', 'create', '--data', one]);
    await first.end();
    await bench.start(['up', '--data', other, '--port', `${port}`]).event('up');
    expect(await refusal(enrol('lost'), { input: String(text) })).toMatchObject({
      exit: 1,
      code: 'ROOT_MISMATCH',
    });
  });
});

/** @returns a port behind which so many are free. */
async function consecutivePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, async (_, i) => isFree(base + i + 1)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports were found');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

describe('a state directory', () => {
  it('of another version is refused, and left as it is', async () => {
    const copy = path('newer');
    await cp(alice, copy, { recursive: true });
    const format = join(copy, 'state.json');
    const newer = (await readFile(format, 'utf8')).replace(/"version": *\d+/, '"version": 99');
    await writeFile(format, newer);
    expect(await refusal(['device', 'status', '--state', copy])).toMatchObject({
      exit: 1,
      code: 'STATE_VERSION',
    });
    expect(await readFile(format, 'utf8')).toBe(newer);
  });

  it.each(['state.key', 'store', 'state.json'])('without its %s is refused as incomplete', async (part) => {
    const copy = path(`without-${part}`);
    await cp(alice, copy, { recursive: true });
    await rm(join(copy, part), { recursive: true });
    const before = await readdir(copy);
    expect(await refusal(['device', 'status', '--state', copy])).toMatchObject({
      exit: 1,
      code: 'STATE_INCOMPLETE',
    });
    expect((await readdir(copy)).toSorted()).toEqual(before.toSorted());
  });

  it('that holds something else is left alone', async () => {
    const foreign = path('foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.txt'), 'precious');
    expect(await refusal(enrol('foreign'), { input: await token() })).toMatchObject({
      code: 'STATE_INCOMPLETE',
    });
    expect(await readdir(foreign)).toEqual(['thesis.txt']);
  });

  it('that is a file is told', async () => {
    await writeFile(path('file'), '');
    expect(await refusal(['device', 'status', '--state', path('file')])).toMatchObject({
      exit: 1,
      code: 'STATE_MISSING',
    });
  });
});

describe('a port in use', () => {
  it('is told by a device that would listen on it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const args = ['device', 'listen', '--state', alice, '--port', `${port}`];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'PORT_IN_USE' });
    await new Promise<unknown>((resolve) => {
      server.close(resolve);
    });
  });
});

describe('a full disk', () => {
  it('is told, and the same command succeeds when there is room', async (test) => {
    const mount = path('disk');
    await mkdir(mount);
    const text = await token();
    const script = [
      'mount -t tmpfs -o size=1m tmpfs "$1" || exit 77',
      'head -c 1020000 /dev/zero > "$1/ballast"',
      'printf %s "$TOKEN" | "$0" $PROGRAM device enrol --token - --state "$1/state" --json; echo "first $?"',
      'rm "$1/ballast"',
      'printf %s "$TOKEN" | "$0" $PROGRAM device enrol --token - --state "$1/state" --json; echo "second $?"',
    ].join('\n');
    const args = ['--mount', '--map-root-user', 'sh', '-c', script, process.execPath, mount];
    const env = { ...process.env, TOKEN: text, PROGRAM: programArgs.join(' '), NODE_OPTIONS: '' };
    const outcome = await promisify(execFile)('unshare', args, { env }).catch((error: unknown) => {
      const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
      if (code === 77 || code === 'ENOENT' || /unshare|permitted/.test(stderr)) return undefined;
      throw error;
    });
    test.skip(isSkipped(outcome !== undefined), 'this machine allows no private mount');
    expect(outcome?.stderr).toContain('"code":"DISK_FULL"');
    expect(outcome?.stdout).toMatch(/first 1\n\{.*"deviceId".*\}\nsecond 0\n/s);
  });
});

describe('a clock that is wrong by a day', () => {
  const shift = (hours: number): string => {
    const source = `const Real = Date, by = ${hours * 3_600_000};
      globalThis.Date = class extends Real {
        constructor(...args) { super(...(args.length > 0 ? args : [Real.now() + by])); }
        static now() { return Real.now() + by; }
      };`;
    return `--import=data:text/javascript,${encodeURIComponent(source)}`;
  };

  it.each([
    { name: 'ahead', hours: 26 },
    { name: 'behind', hours: -26 },
  ])('is a warning and no error when it is $name', async ({ name, hours }) => {
    const env = { NODE_OPTIONS: shift(hours) };
    const state = path(`clock-${name}`);
    const enrolled = await programReply(['device', 'enrol', '--token', '-', '--state', state], {
      env,
      input: await token('--expires', '2d'),
    });
    expect(enrolled).toMatchObject({ stage: 'production' });
    const bob = await bench.listener(alice);
    const key = await programReply(['key', 'negotiate', '--state', state, '--peer', aliceId], { env });
    expect(key).toMatchObject({ fingerprint: expect.any(String) });
    await bob.event('key', (event) => event['keyId'] === key['keyId']);
    const { warnings } = (await programReply(['device', 'status', '--state', state], { env })) as {
      warnings: string[];
    };
    expect(warnings.join(' ')).toMatch(/clock/i);
    await bob.end();
  });
});

describe('an administrator whose clock is wrong by a day', () => {
  it('is told so', async () => {
    const env = {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('const n = Date.now; Date.now = () => n() + 86400000;')}`,
    };
    const refused = await programRefusal(['admin', 'device', 'list', '--data', data], { env });
    expect(refused).toMatchObject({ exit: 1, code: 'REQUEST_STALE' });
    expect((await symmetra(['admin', 'device', 'list', '--data', data])).code).toBe(0);
  });
});
