import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError, signatureKeygen, suites } from '@symmetra/crypto';
import { changeNetwork, makeNetwork, networkFilesIn } from '@symmetra/node';
import type { NetworkChange, NodeDescription } from '@symmetra/node';
import { Prng } from '@symmetra/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

/*
 * CTL-1: what whoever holds the root may do with the nodes of a network.
 */
const HOUR_MS = 3_600_000;
const prng = new Prng('keys of nodes');
const random = (length: number): Uint8Array => prng.bytes(length);

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'symmetra-node-keys-'));
  const nodes = ['node-1', 'node-2', 'node-3'].map((id) => described(id));
  await makeNetwork({ dir, nodes, threshold: 2, nats: { listen: '127.0.0.1:4222', storeDir: dir }, random });
});

afterEach(async () => rm(dir, { recursive: true, force: true }));

/** What `symmetra node init` tells of a node. */
function described(id: string): NodeDescription {
  const kemKeys = suites.ids().map((suiteId) => {
    const { kem } = suites.get(suiteId);
    return { suiteId, publicKey: kem.keygen(random(kem.seedLength)).publicKey };
  });
  const signingKey = signatureKeygen(random(32)).publicKey;
  return {
    node: { id, addresses: ['127.0.0.1:7401'], kemKeys, signingKey, operator: '' },
    nkey: `U${'A'.repeat(55)}`,
  };
}

/** @returns whether devices may be stranded, or the code of the refusal */
async function change(next: NetworkChange, hours: number): Promise<boolean | string> {
  try {
    return (await changeNetwork(networkFilesIn(dir).network, next, hours * HOUR_MS)).strandsDevices;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}

test('CTL-1: a node that was left out comes back with other keys alone, whatever it is called', async () => {
  const four = described('node-4');
  expect(await change({ kind: 'add', node: four }, 100)).toBe(false);
  const moved = { ...four, node: { ...four.node, addresses: ['127.0.0.1:7501'] } };
  expect(await change({ kind: 'replace', node: moved }, 100)).toBe(false);
  expect(await change({ kind: 'remove', id: 'node-4' }, 101)).toBe(false);
  expect(await change({ kind: 'add', node: four }, 200)).toBe('NODE_KEYS_USED');
  const renamed = { ...four, node: { ...four.node, id: 'node-5' } };
  expect(await change({ kind: 'add', node: renamed }, 200)).toBe('NODE_KEYS_USED');
  expect(await change({ kind: 'add', node: described('node-4') }, 200)).toBe(false);
  const other = described('node-4');
  expect(await change({ kind: 'replace', node: other }, 300)).toBe(false);
  expect(await change({ kind: 'replace', node: four }, 400)).toBe('NODE_KEYS_USED');
});

test('CTL-1: a change that was not signed is made again', async () => {
  const four = described('node-4');
  const files = networkFilesIn(dir);
  const wrongRoot = changeNetwork(files.network, { kind: 'add', node: four }, 99 * HOUR_MS, files.adminKey);
  await expect(wrongRoot).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
  expect(await change({ kind: 'add', node: four }, 100)).toBe(false);
});

test('ENR-9: whoever replaces more than n - k nodes within a day is warned', async () => {
  expect(await change({ kind: 'replace', node: described('node-1') }, 100)).toBe(false);
  expect(await change({ kind: 'replace', node: described('node-2') }, 123)).toBe(true);
  expect(await change({ kind: 'replace', node: described('node-3') }, 150)).toBe(false);
  expect(await change({ kind: 'remove', id: 'node-1' }, 151)).toBe(true);
});
