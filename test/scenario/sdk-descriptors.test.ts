import { expect, test } from 'vitest';
import { sha256, signatureKeygen } from '@symmetra/crypto';
import { signDescriptor } from '@symmetra/protocol';
import type { Descriptor } from '@symmetra/protocol';
import { Descriptors } from '../../packages/sdk/src/network/descriptors.js';

const ROOT = signatureKeygen(new Uint8Array(32).fill(1));
const NETWORK_ID = new Uint8Array(16).fill(2);
const ADMINISTRATOR = signatureKeygen(new Uint8Array(32).fill(3)).publicKey;

function descriptorOf(version: number): Descriptor {
  const nodes = ['a', 'b', 'c'].map((id, i) => ({
    id,
    kemKeys: [{ suiteId: 1, publicKey: new Uint8Array(1184).fill(i + 1) }],
    signingKey: signatureKeygen(new Uint8Array(32).fill(i + 10)).publicKey,
    addresses: [`${id}:1`],
    operator: 'test',
  }));
  return {
    networkId: NETWORK_ID,
    version,
    nodes,
    suites: [1],
    threshold: 2,
    administrators: [ADMINISTRATOR],
    administratorThreshold: 1,
  };
}

test('CTL-1: a node that hands out an old descriptor, or a forged one, hides no newer one that another node has', async () => {
  const [old, newer] = [1, 2].map((version) =>
    signDescriptor(descriptorOf(version), ROOT.secretKey, ROOT.publicKey),
  );
  const replies: Record<string, unknown> = {
    'a:1': old,
    'b:1': { ...newer, signature: new Uint8Array(3309) },
    'c:1': newer,
  };
  const state = { read: async () => old, commit: async () => undefined };
  const routes = {
    use: () => undefined,
    client: (address: string) => ({ getDescriptor: async () => replies[address] }),
  };
  const anchor = { networkId: NETWORK_ID, rootKeyHash: sha256(ROOT.publicKey) };
  const parts = [state, routes, anchor] as unknown as Parameters<typeof Descriptors.load>;
  const descriptors = await Descriptors.load(...parts);
  expect((await descriptors.refresh([])).version).toBe(1);
  expect((await descriptors.refresh([], 2)).version).toBe(2);
  expect(descriptors.current.version).toBe(2);
});
