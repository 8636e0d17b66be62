import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply } from './cli-inside.js';
import type { Report } from './cli-outcome.js';
import { Bench } from './cli-program.js';
import type { Running } from './cli-program.js';

/* The commands of an operator and an administrator. */

const NODES = ['node-1', 'node-2', 'node-3'];
const ALL = NODES.map((node) => ({ node, applied: true }));

const bench = new Bench();
let data = '';
let network: Running;
let directory = '';

beforeAll(async () => {
  directory = await bench.directory();
  data = join(directory, 'network');
  network = await bench.network(data);
});
afterAll(async () => bench.end());

const state = (name: string): string => join(directory, name);

describe('symmetra up', () => {
  it('tells where the network is, and writes its files privately', async () => {
    const up = await network.event('up');
    expect(up).toMatchObject({
      networkId: expect.stringMatching(/^[0-9a-f]{32}$/),
      threshold: 2,
      nodes: NODES.map((id) => ({ id, address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) })),
      descriptorFile: join(data, 'network.json'),
      adminKeyFile: join(data, 'admin.key'),
    });
    for (const name of ['admin.key', 'root.key']) {
      expect((await stat(join(data, name))).mode & 0o777).toBe(0o600);
    }
    expect(JSON.parse(await readFile(join(data, 'network.json'), 'utf8'))).toMatchObject({
      format: 'symmetra-network/1',
    });
  });

  it('refuses a network of another shape', async () => {
    const other = state('other');
    const first = await bench.network(other);
    expect(await first.end()).toMatchObject({ code: 0 });
    const args = ['up', '--data', other, '--port', '0'];
    expect(await refusal([...args, '--nodes', '4'])).toMatchObject({ exit: 1, code: 'NETWORK_DIFFERS' });
    expect(await refusal([...args, '--threshold', '3'])).toMatchObject({ exit: 1, code: 'NETWORK_DIFFERS' });
  });

  it('goes on with the network that is there, on the same addresses', async () => {
    const again = state('again');
    const first = await bench.network(again, '--nodes', '4', '--threshold', '3');
    const before = await first.event('up');
    expect(await first.end('SIGINT')).toMatchObject({ code: 0 });
    const second = bench.start(['up', '--data', again]);
    expect(await second.event('up')).toEqual(before);
    expect(await second.end()).toMatchObject({ code: 0 });
  });

  it('says that a port is in use', async () => {
    const up = (await network.event('up')) as unknown as { nodes: { address: string }[] };
    const port = Number(up.nodes[0]?.address.split(':')[1]) - 1;
    const refused = await refusal(['up', '--data', state('clash'), '--port', `${port}`]);
    expect(refused).toMatchObject({ exit: 1, code: 'PORT_IN_USE' });
  });

  it('says that the network runs already', async () => {
    expect(await refusal(['up', '--data', data, '--port', '0'])).toMatchObject({
      exit: 1,
      code: 'NETWORK_IN_USE',
    });
  });
});

describe('symmetra admin device', () => {
  let id = '';

  beforeAll(async () => {
    const create = ['token', 'create', '--data', data];
    const { token } = await reply([...create, '--uses', '2', '--tag', 'site=north', '--tag', 'line=4']);
    const enrolled = await reply(
      ['device', 'enrol', '--token', '-', '--state', state('alice'), '--name', 'alice'],
      { input: String(token) },
    );
    id = String(enrolled['deviceId']);
  });

  it('list gives every device', async () => {
    const { devices } = (await reply(['admin', 'device', 'list', '--data', data])) as unknown as {
      devices: Report[];
    };
    expect(devices.find((one) => one['deviceId'] === id)).toEqual({
      deviceId: id,
      name: 'alice',
      stage: expect.any(String),
      epoch: expect.any(Number),
      revoked: false,
      cloneSuspected: false,
      home: null,
      tags: { site: 'north', line: '4' },
      tokenId: expect.stringMatching(/^[0-9a-f]{32}$/),
      enrolled: expect.stringMatching(/Z$/),
    });
  });

  it('show gives what each node knows', async () => {
    const shown = await reply(['admin', 'device', 'show', id, '--data', data]);
    expect(shown).toMatchObject({ deviceId: id, name: 'alice', revoked: false });
    expect(Object.keys(shown['nodes'] as object).toSorted()).toEqual(NODES);
    expect(shown['nodes']).toMatchObject({ 'node-1': { epoch: expect.any(Number), revoked: false } });
  });

  it('ATK-10: show gives the promotion code that the device shows after a step', async () => {
    const stepped = await reply(['device', 'ratchet', '--state', state('alice')]);
    const shown = await reply(['admin', 'device', 'show', id, '--data', data]);
    expect(shown['code']).toMatch(/^[a-z2-7]{8}$/);
    expect(shown['code']).toBe(stepped['code']);
  });

  it('does not know a device that never enrolled', async () => {
    const unknown = 'a'.repeat(52);
    for (const verb of ['show', 'revoke']) {
      expect(await refusal(['admin', 'device', verb, unknown, '--data', data])).toMatchObject({
        exit: 1,
        code: 'DEVICE_UNKNOWN',
      });
    }
  });

  it('revoke shuts the device out at once, closes its link, tells its peers and erases their keys', async () => {
    const bobId = await bench.device(data, state('bob'), 'bob');
    const bob = await bench.listener(state('bob'));
    const alice = await bench.listener(state('alice'));
    const { keyId } = await reply(['key', 'negotiate', '--state', state('alice'), '--peer', bobId]);
    await bob.event('key', (event) => event['keyId'] === keyId);
    const revoked = await reply(['admin', 'device', 'revoke', id, '--data', data, '--reason', 'stolen']);
    expect(revoked).toEqual({ deviceId: id, revoked: true, number: expect.any(Number), receipts: ALL });
    expect(await bob.event('revoked')).toMatchObject({ peer: id });
    const { keys } = (await reply(['key', 'list', '--state', state('bob')])) as unknown as { keys: Report[] };
    expect(keys.filter((one) => one['keyId'] === keyId)).toEqual([]);
    expect(await refusal(['key', 'negotiate', '--state', state('alice'), '--peer', bobId])).toMatchObject({
      exit: 1,
      code: 'DEVICE_REVOKED',
    });
    expect(
      await refusal(['key', 'negotiate', '--state', state('bob'), '--peer', id, '--wait', '2s']),
    ).toMatchObject({ exit: 1, code: 'PEER_REVOKED' });
    expect(await reply(['admin', 'device', 'show', id, '--data', data])).toMatchObject({ revoked: true });
    await alice.end();
    await bob.end();
  });
});

describe('symmetra admin key revoke', () => {
  it('ends one key at both devices', async () => {
    const daveId = await bench.device(data, state('dave'), 'dave');
    await bench.device(data, state('erin'), 'erin');
    const dave = await bench.listener(state('dave'));
    const erin = await bench.listener(state('erin'));
    const { keyId } = await reply(['key', 'negotiate', '--state', state('erin'), '--peer', daveId]);
    await dave.event('key', (event) => event['keyId'] === keyId);
    expect(await reply(['admin', 'key', 'revoke', String(keyId), '--data', data])).toEqual({
      keyId,
      revoked: true,
      number: expect.any(Number),
      receipts: ALL,
    });
    await dave.event('revoked', (event) => event['keyId'] === keyId);
    await erin.event('revoked', (event) => event['keyId'] === keyId);
    const psk = ['key', 'psk', '--state', state('erin'), '--key', String(keyId), '--role', 'client', '--out'];
    expect(await refusal([...psk, state('psk')])).toMatchObject({ exit: 1, code: 'KEY_REVOKED' });
    await dave.end();
    await erin.end();
  });
});

describe('symmetra admin policy', () => {
  it('show gives the policy in force', async () => {
    expect(await reply(['admin', 'policy', 'show', '--data', data])).toEqual({
      revision: 1,
      policy: {
        suites: [1, 2, 3],
        purposes: ['*'],
        maxLifetimeSeconds: 2_592_000,
        maxUses: 0,
        firstContact: 'threshold',
        directKem: 'optional',
        stages: ['bootstrap', 'production'],
        keyStages: ['production'],
        groupMembers: 10_000,
        groupBoundSeconds: 10,
      },
    });
  });

  it('set takes effect at once: a forbidden suite is refused', async () => {
    const faytheId = await bench.device(data, state('faythe'), 'faythe');
    await bench.device(data, state('grace'), 'grace');
    const faythe = await bench.listener(state('faythe'));
    const set = await reply([
      'admin',
      'policy',
      'set',
      '--data',
      data,
      '--suites',
      '1,3',
      '--first-contact',
      'all',
      '--group-members',
      '50',
      '--group-bound',
      '30s',
    ]);
    expect(set).toMatchObject({
      policy: { suites: [1, 3], firstContact: 'all', groupMembers: 50, groupBoundSeconds: 30 },
      receipts: ALL,
    });
    expect(await reply(['admin', 'policy', 'show', '--data', data])).toEqual({
      revision: set['revision'],
      policy: set['policy'],
    });
    const negotiate = ['key', 'negotiate', '--state', state('grace'), '--peer', faytheId];
    expect(await refusal([...negotiate, '--suite', '2'])).toMatchObject({ exit: 1, code: 'SUITE_FORBIDDEN' });
    expect(await reply([...negotiate, '--suite', '3'])).toMatchObject({ suite: 3 });
    await faythe.end();
  });

  it('set refuses a suite that the network does not have before it signs anything', async () => {
    const before = await reply(['admin', 'policy', 'show', '--data', data]);
    expect(await refusal(['admin', 'policy', 'set', '--data', data, '--suites', '9'])).toMatchObject({
      exit: 2,
    });
    expect(await reply(['admin', 'policy', 'show', '--data', data])).toEqual(before);
  });
});

describe('the administrator key', () => {
  it('signs one event after the other, whoever asks at the same time', async () => {
    const made = await Promise.all([1, 2, 3].map(async () => reply(['token', 'create', '--data', data])));
    expect(new Set(made.map((one) => one['tokenId'])).size).toBe(3);
    for (const one of made) expect(one['receipts']).toEqual(ALL);
  });

  it('of another network is refused', async () => {
    const other = state('foreign');
    const foreign = await bench.network(other);
    const mixed = state('mixed');
    await bench.network(mixed);
    await writeFile(join(mixed, 'admin.key'), await readFile(join(other, 'admin.key')));
    const refused = await refusal(['admin', 'device', 'list', '--data', mixed]);
    expect(refused).toMatchObject({ exit: 1, code: 'ADMINISTRATOR_UNKNOWN' });
    await foreign.end();
  });

  it('that is absent is told', async () => {
    const bare = state('bare');
    const running = await bench.network(bare);
    await running.end();
    await rm(join(bare, 'admin.key'));
    expect(await refusal(['token', 'create', '--data', bare])).toMatchObject({
      exit: 1,
      code: 'KEY_FILE_MISSING',
    });
  });

  it('that is damaged is told, without its content', async () => {
    const damaged = state('damaged');
    const running = await bench.network(damaged);
    await running.end();
    await writeFile(join(damaged, 'admin.key'), 'c2VjcmV0 not a key\n');
    const refused = await refusal(['token', 'create', '--data', damaged]);
    expect(refused).toMatchObject({ exit: 1, code: 'KEY_FILE_LENGTH' });
    expect(refused.message).not.toContain('c2VjcmV0');
  });
});

describe('a network that is down', () => {
  it('is told', async () => {
    const down = state('down');
    const running = await bench.network(down);
    await running.end();
    for (const args of [
      ['token', 'create', '--data', down],
      ['admin', 'device', 'list', '--data', down],
    ]) {
      expect(await refusal(args)).toMatchObject({ exit: 1, code: 'NODES_UNREACHABLE' });
    }
  });
});
