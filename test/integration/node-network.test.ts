import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy';
import { readNetworkFile, readSigningKey, startNetwork } from '@symmetra/node';
import type { NetworkOptions, RunningNetwork } from '@symmetra/node';
import { createLogger, systemClock } from '@symmetra/runtime';
import { TestAdministrator, TestDevice, freePorts, fresh } from '@symmetra/testing';

let dataDir: string;
const running = new Set<RunningNetwork>();

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'symmetra-network-'));
});

afterEach(async () => {
  for (const network of running) await network.stop();
  running.clear();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async (options: Partial<NetworkOptions> = {}): Promise<RunningNetwork> => {
  const logger = createLogger({ level: 'silent', clock: systemClock });
  const network = await startNetwork({
    dataDir,
    nodes: 3,
    threshold: 2,
    port: 0,
    randomness: osRandomness,
    logger,
    clock: systemClock,
    ...options,
  });
  running.add(network);
  return network;
};

const stop = async (network: RunningNetwork): Promise<void> => {
  running.delete(network);
  await network.stop();
};

const administratorOf = async ({
  descriptorFile,
  adminKeyFile,
}: RunningNetwork): Promise<TestAdministrator> => {
  const { parsed, rootPublicKey } = await readNetworkFile(descriptorFile);
  return new TestAdministrator(parsed, rootPublicKey, await readSigningKey(adminKeyFile), () => Date.now());
};

/** Holds a port until it is told to let go. */
async function occupy(port: number): Promise<{ release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const release = async (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
    });
  return { release };
}

describe('the embedded network', () => {
  test('makes its files private, and begins with the default policy at every node', async () => {
    const network = await start();
    expect(network.nodes.map(({ id }) => id)).toEqual(['node-1', 'node-2', 'node-3']);
    for (const file of ['admin.key', 'root.key', 'nodes/node-1/master.key', 'nodes/node-3/master.key']) {
      const { mode, size } = await stat(join(dataDir, file));
      expect([file, mode & 0o777, size]).toEqual([file, 0o600, 32]);
    }
    const keys = await Promise.all(
      [1, 2, 3].map(async (i) => readFile(join(dataDir, `nodes/node-${i}/master.key`), 'hex')),
    );
    expect(new Set(keys).size).toBe(3);
    const { parsed } = await readNetworkFile(network.descriptorFile);
    expect(toHex(parsed.networkId)).toBe(network.networkId);
    expect(parsed).toMatchObject({ version: 1, threshold: 2, suites: [1, 2, 3], administratorThreshold: 1 });
    const administrator = await administratorOf(network);
    for (const { id } of network.nodes) expect(await administrator.head(id)).toMatchObject({ number: 1 });
  });

  test('goes on after a restart: devices, waiting shares, and every repeated message', async () => {
    const first = await start();
    const administrator = await administratorOf(first);
    const token = await administrator.createToken({ uses: 3 });
    const alice = await TestDevice.enrol(token);
    const bob = await TestDevice.enrol(token);
    const carol = await TestDevice.meet(token);
    const { requests } = alice.startNegotiation(bob.deviceId, { direct: true });
    const receipts = [];
    for (const request of requests) receipts.push(await alice.ask(request));
    const offer = carol.makeOffer('node-1');
    const answer = await carol.client('node-1').offer({ node: '', offer });
    const r1 = alice.startStep('node-1');
    const { r2 } = await alice.client('node-1').step({ node: '', r1 });
    const r3 = alice.receiveR2('node-1', r2 ?? fresh(0));
    const r4 = await alice.client('node-1').commit({ node: '', r3 });
    const s1 = bob.startStep('node-2');
    const s2 = await bob.client('node-2').step({ node: '', r1: s1 });
    await stop(first);

    const second = await start();
    expect(second.nodes).toEqual(first.nodes);
    expect(second.networkId).toBe(first.networkId);
    expect(await carol.client('node-1').offer({ node: '', offer })).toEqual(answer);
    expect(await alice.client('node-1').commit({ node: '', r3 })).toEqual(r4);
    expect(await bob.client('node-2').step({ node: '', r1: s1 })).toEqual(s2);
    alice.receiveR4('node-1', r4.r4);
    alice.sessions.clear();
    for (const [i, request] of requests.entries()) expect(await alice.ask(request)).toEqual(receipts[i]);
    bob.sessions.clear();
    bob.receiveR2('node-2', s2.r2 ?? fresh(0));
    await bob.connect('node-2');
    const deliveries = await bob.received((event) => event.event === 'delivery', 3);
    expect(Buffer.from(deliveries[0]?.delivery?.header ?? [])).toEqual(
      Buffer.from(requests[0]?.header ?? []),
    );
    await expect((await administratorOf(second)).head()).resolves.toMatchObject({ number: 2 });
    for (const device of [alice, bob, carol]) device.close();
  });

  test('another number of nodes or another threshold is NETWORK_DIFFERS', async () => {
    await stop(await start());
    await expect(start({ nodes: 4 })).rejects.toMatchObject({ code: 'NETWORK_DIFFERS' });
    await expect(start({ threshold: 3 })).rejects.toMatchObject({ code: 'NETWORK_DIFFERS' });
    await start();
  });

  test('a second process on the same directory is STORE_BUSY', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'STORE_BUSY' });
  });

  test('a port in use is PORT_IN_USE, and nothing stays open', async () => {
    const [port = 0] = await freePorts(1);
    const { release } = await occupy(port);
    await expect(start({ port: port - 2 })).rejects.toMatchObject({ code: 'PORT_IN_USE', details: { port } });
    await release();
    await stop(await start({ port: port - 2 }));
  });

  test('when its ports are taken it moves, under a newer descriptor of the same root', async () => {
    const first = await start();
    const before = await readNetworkFile(first.descriptorFile);
    await stop(first);
    const taken = Number(first.nodes[1]?.address.split(':')[1]);
    const { release } = await occupy(taken);
    const second = await start();
    await release();
    const after = await readNetworkFile(second.descriptorFile);
    expect(after.parsed.version).toBe(2);
    expect(after.rootPublicKey).toEqual(before.rootPublicKey);
    expect(after.parsed.nodes.map(({ signingKey }) => signingKey)).toEqual(
      before.parsed.nodes.map(({ signingKey }) => signingKey),
    );
    const device = await TestDevice.enrol(await (await administratorOf(second)).createToken());
    device.close();
  });

  test('keys that lie elsewhere are not needed to go on', async () => {
    const first = await start();
    await stop(first);
    for (const file of ['admin.key', 'root.key']) await rm(join(dataDir, file));
    expect((await start()).nodes).toEqual(first.nodes);
  });

  test('a network file that is damaged or changed is refused', async () => {
    const network = await start();
    const text = await readFile(network.descriptorFile, 'utf8');
    await stop(network);
    const write = async (content: string) => writeFile(network.descriptorFile, content);
    await write(text.replace('"threshold": 2', '"threshold": 3'));
    await expect(readNetworkFile(network.descriptorFile)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    await write(text.replace('"nodes"', '"knots"'));
    await expect(readNetworkFile(network.descriptorFile)).rejects.toMatchObject({
      code: 'NETWORK_FILE_DAMAGED',
    });
    await write('{');
    await expect(start()).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    const nowhere = readNetworkFile(join(dataDir, 'elsewhere.json'));
    await expect(nowhere).rejects.toMatchObject({ code: 'NO_NETWORK' });
  });
});
