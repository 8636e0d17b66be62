import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError, signatureKeygen } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy/device';
import { readNetworkFile, startNetwork } from '@symmetra/node';
import { signDescriptor } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor } from '@symmetra/protocol';
import { NodeClient } from '@symmetra/rpc';
import { createLogger, systemClock } from '@symmetra/runtime';
import { NodeNetwork, fresh } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './sdk-fleet.js';

/*
 * CTL-2: descriptors that are brought to nodes while they run.
 */
let network: NodeNetwork;

beforeAll(async () => {
  network = await NodeNetwork.start();
});

afterAll(async () => network.stop());

/** Brings a descriptor to an address. @returns the version that it says, or the code of its refusal */
async function put(address: string, signed: SignedDescriptor): Promise<number | string> {
  const client = new NodeClient(address);
  try {
    return (await client.putDescriptor(signed)).version;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  } finally {
    client.close();
  }
}

const addressOf = (node: string): string => `127.0.0.1:${network.node(node).port}`;
const next = (changes: Partial<Descriptor> = {}): Descriptor => ({
  ...network.descriptor,
  version: network.descriptor.version + 1,
  ...changes,
});

describe('a descriptor that somebody brings', () => {
  test('CTL-2: is refused unless the root of this network signed it, and it is newer', async () => {
    const at = addressOf('node-1');
    const other = signatureKeygen(fresh(32));
    const newer = network.sign(next());
    expect(await put(at, signDescriptor(next(), other.secretKey, other.publicKey))).toBe('ROOT_MISMATCH');
    expect(await put(at, { ...newer, signature: new Uint8Array(newer.signature.length) })).toBe(
      'BAD_SIGNATURE',
    );
    expect(await put(at, { ...newer, descriptor: network.sign(next({ threshold: 3 })).descriptor })).toBe(
      'BAD_SIGNATURE',
    );
    expect(await put(at, network.sign(next({ networkId: fresh(16) })))).toBe('WRONG_NETWORK');
    const { version } = network.descriptor;
    expect(await put(at, network.sign(next({ version: version - 1 })))).toBe('DESCRIPTOR_OLD');
    expect(await put(at, network.sign(next({ version, threshold: 3 })))).toBe('DESCRIPTOR_OLD');
    expect(await put(at, network.sign(network.descriptor))).toBe(version);
    expect(network.node('node-1').descriptorVersion).toBe(version);
  });

  test('CTL-2: is stored and in force at once, over a restart too; the other nodes hear of it', async () => {
    const newer = next();
    expect(await put(addressOf('node-1'), network.sign(newer))).toBe(newer.version);
    const isAt = (node: string): boolean => network.runningVersion(node) === newer.version;
    await until(() => network.nodeIds.every(isAt), 'the descriptor at all nodes');
    await network.settled();
    await network.stopNode('node-2');
    await network.reopenStore('node-2');
    await network.startNode('node-2');
    expect(network.node('node-2').descriptorVersion).toBe(newer.version);
    expect(await put(addressOf('node-2'), network.sign(network.descriptor))).toBe('DESCRIPTOR_OLD');
  });

  test('CTL-1: may be as long as one of 16 nodes with all their addresses and 64 administrators', async () => {
    const text = (length: number): string => 'x'.repeat(length);
    const [first] = network.descriptor.nodes;
    if (first === undefined) throw new Error('the network has nodes');
    const many = Array.from({ length: 16 }, (_, i): Descriptor['nodes'][number] => {
      const { id, ...one } = network.descriptor.nodes[i] ?? { ...first, id: `${text(61)}-${i}` };
      const addresses = Array.from({ length: 16 }, (_at, j) => one.addresses[j] ?? text(255));
      return { ...one, id, addresses, operator: text(64) };
    });
    const administrators = Array.from({ length: 63 }, () => signatureKeygen(fresh(32)).publicKey);
    const version = network.descriptor.version;
    const largest = next({
      version,
      nodes: many,
      administrators: [...network.descriptor.administrators, ...administrators],
    });
    expect(network.sign(largest).descriptor.length).toBeGreaterThan(250_000);
    expect(await put(addressOf('node-1'), network.sign(largest))).toBe('DESCRIPTOR_OLD');
  });

  test('CTL-2: ends the service of a node that it does not name any more', async () => {
    const nodes = network.descriptor.nodes.filter(({ id }) => id !== 'node-3');
    const version = network.node('node-3').descriptorVersion + 1;
    expect(await put(addressOf('node-3'), network.sign(next({ nodes, version })))).toBe(version);
    await until(() => network.runningVersion('node-3') === undefined, 'the end of node-3');
    await expect(network.settled()).rejects.toMatchObject({ code: 'NODE_UNKNOWN' });
  });
});

test('CTL-2: an embedded network keeps to its file', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'symmetra-embedded-'));
  const randomness = osRandomness();
  const embedded = await startNetwork({
    dataDir,
    nodes: 2,
    threshold: 2,
    port: 0,
    logger: createLogger({ level: 'silent', clock: systemClock }),
    clock: systemClock,
    randomness: () => randomness,
  });
  try {
    const { descriptor, signature, rootPublicKey } = await readNetworkFile(embedded.descriptorFile);
    const address = embedded.nodes[0]?.address ?? '';
    expect(await put(address, { descriptor, signature, rootPublicKey })).toBe('METHOD_NOT_ALLOWED');
  } finally {
    await embedded.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
