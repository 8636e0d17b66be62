import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, refusal, reply, symmetra } from './cli-program.js';
import type { Report } from './cli-outcome.js';
import type { Running } from './cli-program.js';

/*
 * The commands of a device and the fields that they print, on one network with Alice, who runs commands, and Bob, who
 * listens.
 */

const DEVICE_ID = /^[a-z2-7]{52}$/;
const KEY_ID = /^[0-9a-f]{32}$/;
const FINGERPRINT = /^[0-9a-f]{16,}$/;
const NODES = ['node-1', 'node-2', 'node-3'];

const bench = new Bench();
let data = '';
let alice = '';
let bob = '';
let inbox = '';
let bobId = '';
let aliceId = '';
let listener: Running;

beforeAll(async () => {
  const directory = await bench.directory();
  [data, alice, bob, inbox] = ['network', 'alice', 'bob', 'inbox'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
    string,
  ];
  await bench.network(data);
  bobId = await bench.device(data, bob, 'bob');
  listener = await bench.listener(bob, '--out', inbox);
});
afterAll(async () => bench.end());

const privateMode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('symmetra token create', () => {
  it('prints the token, its id, its end and the receipts of all nodes', async () => {
    const before = Date.now();
    const token = await reply(['token', 'create', '--data', data, '--expires', '2h', '--tag', 'site=north']);
    expect(token).toEqual({
      token: expect.stringMatching(/^smt1_[\w-]+$/),
      tokenId: expect.stringMatching(KEY_ID),
      expires: expect.stringMatching(/^\d{4}-.*Z$/),
      receipts: NODES.map((node) => ({ node, applied: true })),
    });
    const lifetime = Date.parse(String(token['expires'])) - before;
    expect(Math.abs(lifetime - 2 * 3_600_000)).toBeLessThan(60_000);
  });

  it('prints the token alone on standard output for a pipe', async () => {
    const { code, stdout } = await symmetra(['token', 'create', '--data', data]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^smt1_[\w-]+\n$/);
  });
});

describe('symmetra device', () => {
  it('enrols with a token in a file, and keeps its state private', async () => {
    const file = join(await bench.directory(), 'token');
    await writeFile(file, `${String((await reply(['token', 'create', '--data', data]))['token'])}\n`);
    const enrolled = await reply([
      'device',
      'enrol',
      '--token',
      `@${file}`,
      '--state',
      alice,
      '--name',
      'alice',
    ]);
    expect(enrolled).toMatchObject({
      deviceId: expect.stringMatching(DEVICE_ID),
      name: 'alice',
      stage: expect.any(String),
    });
    aliceId = String(enrolled['deviceId']);
    expect(await privateMode(alice)).toBe('700');
  });

  it('tells its status', async () => {
    expect(await reply(['device', 'status', '--state', alice])).toMatchObject({
      deviceId: aliceId,
      stage: expect.any(String),
      epochs: Object.fromEntries(NODES.map((node) => [node, expect.any(Number)])),
      home: null,
      warnings: [],
    });
  });

  it('moves every node to a new epoch; a step that was under way counts as one', async () => {
    const before = (await reply(['device', 'status', '--state', alice]))['epochs'] as Record<string, number>;
    await reply(['device', 'ratchet', '--state', alice]);
    const after = await reply(['device', 'ratchet', '--state', alice]);
    expect(after).toMatchObject({ deviceId: aliceId, stage: 'production', code: expect.any(String) });
    const epochs = after['epochs'] as Record<string, number>;
    expect(Object.keys(epochs).toSorted()).toEqual(NODES);
    for (const node of NODES) expect(epochs[node]).toBeGreaterThan(before[node] ?? 0);
  });

  it('is told by the process that listens, when one does', async () => {
    const status = await reply(['device', 'status', '--state', bob]);
    expect(status).toMatchObject({ deviceId: bobId, home: expect.stringMatching(/^node-\d$/) });
  });

  it('is sealed with a passphrase, and opens with no other', async () => {
    const directory = await bench.directory();
    const [state, right, wrong] = ['state', 'right', 'wrong'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(right, 'correct horse\n');
    await writeFile(wrong, 'battery staple\n');
    await bench.device(data, state, 'carol', '--passphrase-file', right);
    const status = ['device', 'status', '--state', state];
    expect(await reply([...status, '--passphrase-file', right])).toMatchObject({ name: 'carol' });
    expect(await refusal([...status, '--passphrase-file', wrong])).toMatchObject({
      code: 'WRONG_PASSPHRASE',
    });
    expect(await refusal(status)).toMatchObject({ exit: 1, code: 'WRONG_PASSPHRASE' });
  });
});

describe('symmetra key', () => {
  let key: Report = {};
  const negotiation = (): string[] => ['key', 'negotiate', '--state', alice, '--peer', bobId];

  it('negotiate prints what both ends see, and writes the key to a private file', async () => {
    const out = join(await bench.directory(), 'key');
    key = await reply([...negotiation(), '--purpose', 'backup', '--length', '48', '--out', out]);
    expect(key).toMatchObject({
      keyId: expect.stringMatching(KEY_ID),
      fingerprint: expect.stringMatching(FINGERPRINT),
      nodes: expect.any(Array),
      ms: expect.any(Number),
      direct: true,
      peer: bobId,
      purpose: 'backup',
      length: 48,
      out,
    });
    expect((key['nodes'] as string[]).length).toBeGreaterThanOrEqual(2);
    const bytes = await readFile(out);
    expect(bytes).toHaveLength(48);
    expect(await privateMode(out)).toBe('600');
    const seen = await listener.event('key', (event) => event['keyId'] === key['keyId']);
    expect(seen).toMatchObject({ peer: aliceId, fingerprint: key['fingerprint'] });
    const everything = JSON.stringify(key) + listener.text;
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(everything).not.toContain(bytes.toString(encoding));
    }
  });

  it('negotiate goes through the home nodes when asked to', async () => {
    const args = ['key', 'negotiate', '--state', alice, '--peer', bobId, '--relayed'];
    expect(await reply(args)).toMatchObject({ direct: false, continuity: true });
  });

  it.each([1, 2, 3])('negotiate uses suite %i', async (suite) => {
    const args = ['key', 'negotiate', '--state', alice, '--peer', bobId, '--suite', `${suite}`];
    expect(await reply(args)).toMatchObject({ suite });
  });

  it.each([
    { end: 'alice', role: 'initiator' },
    { end: 'bob', role: 'responder' },
  ])('list shows the keys of $end', async ({ end, role }) => {
    const { keys } = (await reply(['key', 'list', '--state', end === 'bob' ? bob : alice])) as {
      keys: Report[];
    };
    const { keyId, fingerprint } = key;
    expect(keys.find((one) => one['keyId'] === keyId)).toMatchObject({
      role,
      fingerprint,
      purpose: 'backup',
      notAfter: expect.stringMatching(/Z$/),
    });
  });

  it('renew puts a fresh key in the place of one', async () => {
    const renewed = await reply(['key', 'renew', '--state', alice, '--key', String(key['keyId'])]);
    expect(renewed).toMatchObject({ keyId: expect.stringMatching(KEY_ID), purpose: 'backup' });
    expect(renewed['keyId']).not.toBe(key['keyId']);
  });

  it('psk gives both roles the same identity and the same secret', async () => {
    const { keyId } = await reply(['key', 'negotiate', '--state', alice, '--peer', bobId]);
    const directory = await bench.directory();
    const make = async (state: string, role: string) => {
      const out = join(directory, role);
      const made = await reply([
        'key',
        'psk',
        `--state=${state}`,
        `--key=${String(keyId)}`,
        `--role=${role}`,
        `--out=${out}`,
      ]);
      expect(await privateMode(out)).toBe('600');
      return { identity: made['identity'], psk: await readFile(out, 'hex') };
    };
    const [client, server] = [await make(alice, 'client'), await make(bob, 'server')];
    expect(client.identity).toEqual(expect.any(String));
    expect(server).toEqual(client);
  });

  it('never writes over a file', async () => {
    const out = join(await bench.directory(), 'key');
    await writeFile(out, 'mine');
    const args = ['key', 'negotiate', '--state', alice, '--peer', bobId, '--out', out];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'FILE_EXISTS' });
    expect(await readFile(out, 'utf8')).toBe('mine');
  });
});

describe('symmetra send', () => {
  it('brings a file to the peer, which stores it privately', async () => {
    const file = join(await bench.directory(), 'report.txt');
    const content = Buffer.alloc(300_000, 'content ');
    await writeFile(file, content);
    const sent = await reply(['send', '--state', alice, '--peer', bobId, file]);
    expect(sent).toMatchObject({
      keyId: expect.stringMatching(KEY_ID),
      name: 'report.txt',
      size: content.length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const event = await listener.event('file', (one) => one['sha256'] === sent['sha256']);
    expect(event).toMatchObject({
      keyId: sent['keyId'],
      peer: aliceId,
      name: 'report.txt',
      size: content.length,
    });
    expect((await readFile(String(event['path']))).equals(content)).toBe(true);
    expect(await privateMode(String(event['path']))).toBe('600');
  });

  it('never writes over a file that came before: the peer refuses it', async () => {
    const file = join(await bench.directory(), 'report.txt');
    await writeFile(file, 'another report');
    const refused = await refusal(['send', '--state', alice, '--peer', bobId, file]);
    expect(refused).toMatchObject({ exit: 1, code: 'FILE_REFUSED' });
    expect(refused.message).toContain('FILE_EXISTS');
    expect(await readFile(join(inbox, 'report.txt'), 'utf8')).not.toBe('another report');
    expect(await readdir(inbox)).toEqual(['report.txt']);
    await listener.event('warning', (event) => event['code'] === 'FILE_EXISTS');
  });
});

describe('a peer that is not listening', () => {
  let carolId = '';
  let carol = '';

  beforeAll(async () => {
    carol = join(await bench.directory(), 'carol');
    carolId = await bench.device(data, carol, 'carol');
  });

  it('leaves the key pending; it is completed when both listen', async () => {
    const pending = await reply(['key', 'negotiate', '--state', alice, '--peer', carolId, '--wait', '0']);
    expect(pending).toMatchObject({ keyId: expect.stringMatching(KEY_ID), state: 'pending' });
    const owner = await bench.listener(alice);
    const peer = await bench.listener(carol);
    const { keyId } = pending;
    const mine = await owner.event('key', (event) => event['keyId'] === keyId);
    const theirs = await peer.event('key', (event) => event['keyId'] === keyId);
    expect(mine['fingerprint']).toBe(theirs['fingerprint']);
    expect(mine).toMatchObject({ peer: carolId });
    expect(await owner.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    expect(await peer.end('SIGINT')).toMatchObject({ code: 0, stderr: '' });
  });

  it('is forgotten on demand, with all its keys', async () => {
    expect(await reply(['device', 'forget', '--state', alice, '--peer', carolId])).toEqual({
      peer: carolId,
      forgotten: true,
    });
    const { keys } = (await reply(['key', 'list', '--state', alice])) as unknown as { keys: Report[] };
    expect(keys.filter((one) => one['peer'] === carolId)).toEqual([]);
  });
});

describe('every command for a person', () => {
  it.each([
    {
      name: 'status',
      args: () => ['device', 'status', '--state', alice],
      says: /alice [a-z2-7]{52}\n {2}stage/,
    },
    {
      name: 'negotiate',
      args: () => ['key', 'negotiate', '--state', alice, '--peer', bobId],
      says: /fingerprint {2}(?:[0-9a-f]{4} )+/,
    },
    { name: 'list', args: () => ['key', 'list', '--state', alice], says: /key\(s\)\n$/ },
  ])('speaks in sentences: $name', async ({ args, says }) => {
    const { code, stdout } = await symmetra(args());
    expect(code).toBe(0);
    expect(stdout).toMatch(says);
  });
});
