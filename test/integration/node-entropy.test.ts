import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SymmetraError } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy';
import { NodeNetwork, TestDevice } from '@symmetra/testing';

const REFUSED = { code: 'ENTROPY_EXHAUSTED' };
const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';

let network: NodeNetwork;
let alice: TestDevice;
let bob: TestDevice;
let dry = false;

beforeAll(async () => {
  const { bytes } = osRandomness();
  network = await NodeNetwork.start({}, undefined, {
    bytes,
    requireEntropy: () => {
      if (dry) throw new SymmetraError('ENTROPY_EXHAUSTED', 'no good source of entropy is left');
    },
  });
  const token = await network.administrator.createToken({ uses: 2 });
  [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
  await alice.connect('node-1');
});

afterAll(async () => {
  alice.close();
  bob.close();
  await network.stop();
});

/** Runs `work` while the nodes have no source of entropy. */
async function whileDry(work: () => Promise<void>): Promise<void> {
  dry = true;
  try {
    await work();
  } finally {
    dry = false;
  }
}

const negotiation = () => {
  const [request] = alice.startNegotiation(bob.deviceId).requests;
  if (request === undefined) throw new Error('there are no nodes');
  return request;
};

describe('a node without entropy', () => {
  test('refuses new keys of every kind, and makes them again afterwards', async () => {
    const token = await network.administrator.createToken();
    const r1 = bob.startStep('node-1');
    const step = async () => bob.client('node-1').step({ node: 'node-1', r1 });
    await whileDry(async () => {
      await expect(TestDevice.enrol(token)).rejects.toMatchObject(REFUSED);
      await expect(step()).rejects.toMatchObject(REFUSED);
      await expect(alice.openSession('node-2')).rejects.toMatchObject(REFUSED);
      await expect(alice.ask(negotiation())).rejects.toMatchObject(REFUSED);
    });
    const carol = await TestDevice.enrol(token);
    carol.close();
    expect((await step()).r2).toBeInstanceOf(Uint8Array);
    await alice.openSession('node-2');
    await alice.ask(negotiation());
  });

  test('still takes a revocation, and enforces it', async () => {
    await whileDry(async () => {
      await network.administrator.submit({ kind: 'device-revoke', deviceId: bob.deviceId, reason: 'stolen' });
    });
    const { nodeId, header, share } = negotiation();
    await expect(alice.call(nodeId, NEGOTIATE, { header, share })).rejects.toMatchObject({
      code: 'PEER_REVOKED',
    });
  });
});
