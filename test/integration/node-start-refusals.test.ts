import { chmod, copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createNkey } from '@symmetra/bus';
import { Cluster, RedisServer, clusterMissing, freePorts } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programArgs, symmetra } from './cli-program.js';

const missing = clusterMissing(true);
const PATIENCE = { timeout: 30_000, interval: 100 };

/** How a node process ends that may not start: one line with a code, and exit code 1, before it serves. */
async function refusal(config: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await symmetra(['node', 'run', '--config', config, '--json'], { env });
  expect(stdout).toBe('');
  const line = stderr.split('\n').find((one) => one.startsWith('{"error"')) ?? '{}';
  const { error } = JSON.parse(line) as { error: { code: string; message: string } };
  expect(code).toBe(1);
  return `${error.code}: ${error.message}`;
}

describe.skipIf(missing !== undefined)('a node that may not start says why, before it serves', () => {
  let cluster: Cluster;
  /** A node that does not run: a copy of node-3. */
  let spare: string;
  let config: string;

  beforeAll(async () => {
    cluster = await Cluster.start({ program: programArgs });
    await cluster.node('node-3').stop();
    spare = join(cluster.dir, 'spare');
    await cp(join(cluster.dir, 'node-3'), spare, { recursive: true });
    config = join(spare, 'node.yaml');
  });

  afterAll(async () => cluster.stop());

  /** The configuration of the spare node, changed. */
  async function changed(change: (yaml: string) => string): Promise<string> {
    const file = join(spare, 'changed.yaml');
    await writeFile(file, change(await readFile(config, 'utf8')));
    return file;
  }

  it('a typo in the configuration', async () => {
    const file = await changed((yaml) => yaml.replace('store:', 'stroe:'));
    expect(await refusal(file)).toBe(
      'BAD_CONFIG: the configuration is wrong at "stroe": no such setting; did you mean "store"?',
    );
  });

  it('a typo in the environment', async () => {
    expect(await refusal(config, { SYMMETRA_NODE_LISTEN_PROT: '1' })).toBe(
      'BAD_CONFIG: the variable SYMMETRA_NODE_LISTEN_PROT stands for no setting; did you mean SYMMETRA_NODE_LISTEN_PORT?',
    );
  });

  it('a missing file', async () => {
    const file = await changed((yaml) => `${yaml}masterKeyFile: ./none.key\n`);
    expect(await refusal(file)).toMatch(/^KEY_FILE_MISSING: masterKeyFile: there is no .*none\.key/);
  });

  it('a secret that others can read', async () => {
    await copyFile(join(spare, 'data', 'master.key'), join(spare, 'open.key'));
    await chmod(join(spare, 'open.key'), 0o644);
    const file = await changed((yaml) => `${yaml}masterKeyFile: ./open.key\n`);
    expect(await refusal(file)).toMatch(
      /^KEY_FILE_MODE: masterKeyFile: .*open\.key is open to others \(0644\)/,
    );
  });

  it('a store that was never made', async () => {
    await mkdir(join(spare, 'empty'), { mode: 0o700 });
    for (const name of ['master.key', 'nkey.seed']) {
      await copyFile(join(spare, 'data', name), join(spare, 'empty', name));
    }
    const file = await changed((yaml) => yaml.replace('./data', './empty'));
    expect(await refusal(file)).toMatch(/^NODE_NOT_MADE: .*symmetra node init/);
  });

  it('the store of another node', async () => {
    const file = await changed((yaml) => yaml.replace('node: node-3', 'node: node-2'));
    expect(await refusal(file)).toBe('NODE_DIFFERS: the store belongs to another node, node-3');
  });

  it('the descriptor of another network', async () => {
    const other = join(cluster.dir, 'other');
    const made = await symmetra([
      'network',
      'init',
      '--out',
      other,
      ...cluster.nodeIds.flatMap((id) => ['--node', join(cluster.dir, id, 'data', 'node.json')]),
    ]);
    expect(made).toMatchObject({ code: 0 });
    const file = await changed((yaml) => yaml.replace('../network/network.json', '../other/network.json'));
    expect(await refusal(file)).toMatch(/^NETWORK_DIFFERS: the store is that of a node of another network/);
  });

  it('a store of a newer version', async () => {
    const data = join(spare, 'newer');
    await cp(join(spare, 'data'), data, { recursive: true });
    await writeFile(join(data, 'store', 'FORMAT'), 'symmetra-store 99\n');
    const file = await changed((yaml) => yaml.replace('./data', './newer'));
    expect(await refusal(file)).toMatch(/^STORE_VERSION: /);
  });

  it('wrong NATS credentials', async () => {
    const seed = join(spare, 'wrong.seed');
    await writeFile(seed, createNkey().seed, { mode: 0o600 });
    const file = await changed((yaml) => yaml.replace('bus: {', 'bus: { nkeySeedFile: ./wrong.seed,'));
    expect(await refusal(file)).toMatch(/^BUS_REFUSED: /);
  });

  it('no NATS at all', async () => {
    const file = await changed((yaml) => yaml.replace(/nats:\/\/[^"]+/, 'nats://127.0.0.1:1'));
    expect(await refusal(file)).toMatch(/^BUS_UNREACHABLE: /);
  });

  it('a Redis that evicts', async () => {
    const redis = await RedisServer.start({ 'maxmemory-policy': 'allkeys-lru', maxmemory: '64mb' });
    const file = await changed((yaml) =>
      yaml.replace(/^store: .*$/m, `store: { kind: redis, url: "${redis.url}/0" }`),
    );
    expect(await refusal(file)).toMatch(/^STORE_EVICTS: /);
    await redis.end();
  });

  it('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    expect(await refusal(config, { SYMMETRA_NODE_LISTEN_PORT: String(port) })).toMatch(/^PORT_IN_USE: /);
    server.close();
  });

  it('two nodes with one identity', async () => {
    const copy = join(cluster.dir, 'copy');
    await cp(join(cluster.dir, 'node-3'), copy, { recursive: true });
    await rm(join(copy, 'data', 'store', 'owner'), { force: true });
    await cluster.node('node-3').start();
    expect(await refusal(join(copy, 'node.yaml'))).toMatch(
      /^NODE_RUNNING: another process runs as this node/,
    );
    expect(await refusal(cluster.config('node-3'))).toMatch(/^STORE_BUSY: /);
  });

  it('two nodes with one identity that start at once; after a kill the one that is left starts again', async () => {
    const node = cluster.node('node-3');
    await node.stop();
    const [port = 0] = await freePorts(1);
    const copy = cluster.add('copy', port);
    await Promise.all([node.launch(), copy.launch()]);
    await expect.poll(() => [node, copy].filter(({ isRunning }) => isRunning), PATIENCE).toHaveLength(1);
    const [winner, loser] = node.isRunning ? [node, copy] : [copy, node];
    expect(loser.log).toMatch(/"code":"NODE_RUNNING"/);
    await winner.untilReady();
    await winner.kill();
    await winner.start();
    expect(await refusal(cluster.config(winner === node ? 'copy' : 'node-3'))).toMatch(/^NODE_RUNNING: /);
  });
});
