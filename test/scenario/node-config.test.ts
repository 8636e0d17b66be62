import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import {
  effectiveConfig,
  fullExample,
  minimalExample,
  parseNodeConfig,
  readNodeConfig,
} from '@symmetra/runtime/configuration';
import type { Environment } from '@symmetra/runtime/configuration';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'symmetra-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LEAST = { node: 'node-1', network: 'network.json', data: 'data', bus: { servers: ['nats://h:4222'] } };

async function read(content: string, environment: Environment = {}) {
  const file = join(folder, 'node.yaml');
  writeFileSync(file, content);
  return readNodeConfig(file, environment);
}

function refusal(changes: object): SymmetraError {
  try {
    parseNodeConfig({ ...LEAST, ...changes }, '/');
  } catch (error) {
    if (error instanceof SymmetraError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the configuration of a node', () => {
  it('is complete when little is said, with paths from where the file lies', async () => {
    const config = await read(minimalExample());
    expect(config).toMatchObject({
      network: join(folder, 'network.json'),
      data: join(folder, 'data'),
      listen: { host: '0.0.0.0', port: 7401, reflection: false },
      store: { kind: 'lmdb' },
      freshness: { maxStalenessSeconds: 5, heartbeatSeconds: 1 },
      log: { level: 'info' },
    });
    expect(config.metrics).toBeUndefined();
  });

  it.each([
    [{ nod: 'node-1' }, 'nod', 'did you mean "node"?'],
    [{ listen: { prot: 1 } }, 'listen.prot', 'did you mean "port"?'],
    [{ store: { kind: 'redis', ulr: 'redis://h' } }, 'store.ulr', 'did you mean "url"?'],
    [
      { links: { qkd: { 'node-2': { perSaeId: 'a' } } } },
      'links.qkd.node-2.perSaeId',
      'did you mean "peerSaeId"?',
    ],
    [{ node: undefined }, 'node', 'it is missing'],
    [{ node: 'Node 1' }, 'node', 'a node id is'],
    [{ listen: { port: 70_000 } }, 'listen.port', 'Too big'],
    [{ store: { kind: 'redis' } }, 'store.url', 'a url, or else sentinels'],
    [{ store: { kind: 'redis', sentinels: ['a:1'] } }, 'store.master', 'go together'],
    [
      { store: { kind: 'redis', url: 'redis://h', sentinelPasswordFile: 'a' } },
      'store.sentinelPasswordFile',
      'goes with sentinels',
    ],
    [
      { store: { kind: 'redis', sentinels: ['a:1'], master: 'm', sentinelUsername: 'a' } },
      'store.sentinelUsername',
      'goes with sentinelPasswordFile',
    ],
    [{ freshness: { heartbeatSeconds: 5 } }, 'freshness.heartbeatSeconds', 'more often'],
    [{ bus: { servers: [] } }, 'bus.servers', 'Too small'],
    [{ bus: { servers: ['nats://h'], tls: { certFile: 'a' } } }, 'bus.tls', 'go together'],
  ])('refuses %j', (changes, field, reason) => {
    const error = refusal(changes);
    expect(error).toMatchObject({ code: 'BAD_CONFIG', details: { field } });
    expect(error.message).toContain(reason);
  });

  it('takes no secret in an address, and does not repeat it', () => {
    for (const changes of [
      { bus: { servers: ['nats://user:hunter2@h:4222'] } },
      { store: { kind: 'redis', url: 'redis://:hunter2@h/0' } },
    ]) {
      const error = refusal(changes);
      expect(error).toMatchObject({ code: 'BAD_CONFIG' });
      expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2');
    }
  });

  it('variables of the environment go before the file', async () => {
    const config = await read(minimalExample(), {
      SYMMETRA_NODE_LISTEN_PORT: '7500',
      SYMMETRA_NODE_LISTEN_REFLECTION: 'true',
      SYMMETRA_NODE_BUS_SERVERS: 'nats://a:4222, nats://b:4222',
      SYMMETRA_NODE_BUS_NKEY_SEED_FILE: 'seed',
      SYMMETRA_NODE_LINKS_PSK_FILES: '{ node-2: psk }',
      SYMMETRA_NODE_METRICS_PORT: '9000',
      SYMMETRA_NODE_STORE_KIND: 'redis',
      SYMMETRA_NODE_STORE_URL: 'redis://h:6379/1',
      OTHER: 'x',
    });
    expect(config).toMatchObject({
      listen: { port: 7500, reflection: true },
      bus: { servers: ['nats://a:4222', 'nats://b:4222'], nkeySeedFile: join(folder, 'seed') },
      links: { pskFiles: { 'node-2': join(folder, 'psk') } },
      metrics: { host: '127.0.0.1', port: 9000 },
      store: { kind: 'redis', url: 'redis://h:6379/1' },
    });
  });

  it('a variable of ours that stands for no setting is refused', async () => {
    await expect(read(minimalExample(), { SYMMETRA_NODE_LISTN_PORT: '1' })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining('did you mean SYMMETRA_NODE_LISTEN_PORT?') as string,
    });
  });

  it('is said in full, with what stands for secrets hidden', async () => {
    const config = await read(minimalExample(), { SYMMETRA_NODE_BUS_NKEY_SEED_FILE: 'seed' });
    expect(effectiveConfig(config)).toMatchObject({
      bus: { servers: ['nats://127.0.0.1:4222'], nkeySeedFile: join(folder, 'seed') },
    });
    const odd = { ...config, bus: { ...config.bus, servers: ['nats://user:hunter2@h:4222'] } };
    expect(effectiveConfig(odd)).toMatchObject({ bus: { servers: ['nats://***@h:4222'] } });
  });
});

describe('the examples', () => {
  it.each([
    ['node.example.yaml', fullExample],
    ['node.minimal.yaml', minimalExample],
  ])('%s is what the schema makes of it', (name, made) => {
    const file = new URL(`../../deploy/config/${name}`, import.meta.url);
    // UPDATE_EXAMPLES=1 writes them anew.
    if (process.env['UPDATE_EXAMPLES'] === '1') writeFileSync(file, made());
    expect(readFileSync(file, 'utf8')).toBe(made());
  });

  it('say the same as leaving everything out', async () => {
    expect(await read(fullExample())).toEqual(await read(minimalExample()));
  });

  it('what is off can be set', async () => {
    const oneForm = fullExample().replace(/^store:\n(?: .*\n)+# Or:\n/m, '');
    const on = oneForm.replaceAll(/^( *)#(?=\w| {2})/gm, '$1').replaceAll(/^ *url: redis.*\n/gm, '');
    const config = await read(on);
    expect(config).toMatchObject({
      store: { kind: 'redis', master: 'symmetra', tls: { certFile: '/etc/symmetra/node.crt' } },
      links: { qkd: { 'node-2': { peerSaeId: 'sae-2', required: true } } },
      metrics: { port: 9464 },
    });
  });
});
