import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enrol } from '@symmetra/sdk';
import type { Device } from '@symmetra/sdk';
import { Cluster, clusterMissing, freePorts } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply } from './cli-inside.js';
import { programArgs, refusal as programRefusal, symmetra } from './cli-program.js';

const missing = clusterMissing();
const PATIENCE_MS = 60_000;

describe.skipIf(missing !== undefined)('nodes as processes over NATS', () => {
  let cluster: Cluster;
  let alice: Device;
  let bob: Device;

  beforeAll(async () => {
    cluster = await Cluster.start({ program: programArgs });
    const enrolled = async (name: string): Promise<Device> => {
      const { token } = (await reply(['token', 'create', '--data', cluster.adminDir])) as { token: string };
      const device = await enrol({ token, state: join(cluster.dir, name), name });
      await device.connect();
      return device;
    };
    [alice, bob] = [await enrolled('alice'), await enrolled('bob')];
    await bob.listen({ host: '127.0.0.1', port: 0 });
  });

  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await cluster.stop();
  });

  /** A key that takes all of these nodes, and no other: devices find out by themselves what has become of the network. */
  async function keyThrough(nodes: readonly string[], threshold: 'all' | 'k' = 'all'): Promise<void> {
    await expect
      .poll(
        async () => {
          const key = await alice
            .negotiate(bob.id, { purpose: 'test', threshold, wait: 10_000 })
            .catch(() => undefined);
          return key?.state === 'pending' ? [] : key?.nodes.toSorted();
        },
        { timeout: PATIENCE_MS, interval: 500 },
      )
      .toEqual(nodes);
  }

  it('agree on keys, and tell their metrics without naming a device', async () => {
    await keyThrough(['node-1', 'node-2', 'node-3']);
    const [[port = 0] = []] = cluster.ports.metrics;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(/^symmetra_bus_connected 1$/m);
    expect(text).toMatch(/^symmetra_node_fresh 1$/m);
    expect(text).toMatch(/^symmetra_control_log_number [1-9]/m);
    expect(text).toMatch(/^symmetra_store_operations_total\{operation="commit"\} [1-9]/m);
    expect(text).not.toContain(alice.id);
    expect(text).not.toContain(bob.id);
  });

  it('check-config says what is in force; health answers by exit code', async () => {
    const config = cluster.config('node-1');
    expect(await reply(['node', 'check-config', '--config', config])).toMatchObject({
      node: 'node-1',
      bus: { servers: [`nats://127.0.0.1:${cluster.ports.nats}`], logReplicas: 1 },
    });
    const address = `127.0.0.1:${cluster.node('node-1').port}`;
    expect(await reply(['node', 'health', '--address', address])).toEqual({ address, status: 'SERVING' });
  });

  it('SIGTERM ends a node in order, and the others go on', async () => {
    const node = cluster.node('node-2');
    expect(await node.stop()).toBe(0);
    expect(node.log).toContain('"message":"The node has stopped."');
    await keyThrough(['node-1', 'node-3'], 'k');
    expect(await refusal(['node', 'health', '--address', `127.0.0.1:${node.port}`])).toMatchObject({
      code: 'NODE_UNREACHABLE',
    });
    await node.start();
    await keyThrough(['node-1', 'node-2', 'node-3']);
  });

  it('CTL-10: a node is restored from a backup as a new one, and devices enrol with it by themselves', async () => {
    const node = cluster.node('node-3');
    const config = cluster.config('node-3');
    const data = join(cluster.dir, 'node-3', 'data');
    const [backup, passphrase] = [join(cluster.dir, 'backup'), join(cluster.dir, 'passphrase')];
    await writeFile(passphrase, 'correct horse\n', { mode: 0o600 });
    await writeFile(join(cluster.dir, 'other'), 'battery staple\n', { mode: 0o600 });
    const sealed = ['--config', config, '--passphrase-file', passphrase];
    expect(await refusal(['node', 'backup', '--out', backup, ...sealed])).toMatchObject({
      code: 'STORE_BUSY',
    });
    await node.stop();
    expect(await reply(['node', 'backup', '--out', backup, ...sealed])).toMatchObject({ node: 'node-3' });
    expect((await readFile(backup)).includes(Buffer.from('log/0'))).toBe(false);
    expect(await refusal(['node', 'restore', '--from', backup, ...sealed])).toMatchObject({
      code: 'NODE_EXISTS',
    });

    await rm(data, { recursive: true });
    const other = ['--config', config, '--passphrase-file', join(cluster.dir, 'other')];
    expect(await refusal(['node', 'restore', '--from', backup, ...other])).toMatchObject({
      code: 'BACKUP_SEALED',
    });
    const [whole, changedFile, cut] = [
      await readFile(backup),
      join(cluster.dir, 'changed'),
      join(cluster.dir, 'cut'),
    ];
    await writeFile(cut, whole.subarray(0, -40));
    whole.writeUInt8(whole.readUInt8(1000) ^ 1, 1000);
    await writeFile(changedFile, whole);
    expect(await refusal(['node', 'restore', '--from', cut, ...sealed])).toMatchObject({
      code: 'BACKUP_DAMAGED',
    });
    expect(await refusal(['node', 'restore', '--from', changedFile, ...sealed])).toMatchObject({
      code: 'BACKUP_SEALED',
    });
    const { descriptionFile } = await reply(['node', 'restore', '--from', backup, ...sealed]);
    expect(await programRefusal(['node', 'run', '--config', config])).toMatchObject({ code: 'NODE_DIFFERS' });
    await changed('replace-node', String(descriptionFile));
    await node.start();
    await keyThrough(['node-1', 'node-2', 'node-3']);
  });

  it('a node is added, and one removed', async () => {
    const folder = join(cluster.dir, 'node-4');
    const config = join(folder, 'node.yaml');
    await mkdir(folder);
    const [port] = await freePorts(1);
    const yaml = await readFile(cluster.config('node-1'), 'utf8');
    await writeFile(config, yaml.replace('node: node-1', 'node: node-4').replace(/^metrics.*$/m, ''));
    const address = `127.0.0.1:${port}`;
    const env = { SYMMETRA_NODE_LISTEN_PORT: String(port) };
    const init = await symmetra(['node', 'init', '--config', config, '--address', address, '--json'], {
      env,
    });
    expect(init).toMatchObject({ code: 0 });
    await changed('add-node', join(folder, 'data', 'node.json'));
    const added = cluster.add('node-4', Number(port));
    await added.start();
    await keyThrough(['node-1', 'node-2', 'node-3', 'node-4']);

    await cluster.node('node-2').stop();
    await changed('remove-node', 'node-2');
    await keyThrough(['node-1', 'node-3', 'node-4']);
    expect(await reply(['admin', 'device', 'list', '--data', cluster.adminDir])).toMatchObject({});
  });

  /**
   * Has the root change the network, NATS know the nodes, and the nodes know the descriptor. A warning that most of them are
   * new is in place (CTL-1).
   */
  async function changed(command: string, node: string): Promise<void> {
    const network = join(cluster.adminDir, 'network.json');
    const result = await symmetra(['network', command, '--network', network, '--node', node, '--json']);
    expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/^$|NODES_TOO_NEW/) });
    const before = cluster.nats.log.length;
    process.kill(cluster.nats.pid, 'SIGHUP');
    await expect.poll(() => cluster.nats.log.slice(before)).toContain('Reloaded server configuration');
    await reply(['network', 'push', '--network', network]);
  }
});
