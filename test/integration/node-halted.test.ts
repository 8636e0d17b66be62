import { afterEach, describe, expect, test } from 'vitest';
import { SymmetraError } from '@symmetra/crypto';
import { ManualClock, NodeNetwork, TestDevice, fresh } from '@symmetra/testing';

let clock: ManualClock;
let network: NodeNetwork;

afterEach(async () => {
  await network.stop();
});

async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1000);
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}

describe('CTL-3: a node of two processes that has two events of one number', () => {
  test('deals in neither of them', async () => {
    clock = new ManualClock();
    network = await NodeNetwork.start({}, clock, undefined, ['node-2']);
    await network.startReplica('node-2');
    await pass(3);
    const token = await network.administrator.createToken({ uses: 2 });
    const alice = await TestDevice.enrol(token);
    const bob = await TestDevice.enrol(token);
    await alice.openSession('node-2');
    expect(await alice.client('node-2').health()).toBe('SERVING');
    await network.store('node-2').commit([{ key: 'fork/000000000001', value: fresh(10) }]);
    await pass(2);
    expect(await alice.client('node-2').health()).toBe('NOT_SERVING');
    expect(network.node('node-2').control()).toMatchObject({ isHalted: true, isFresh: false });
    const halted = network.log.filter(({ event, node }) => event === 'log-fork' && node === 'node-2');
    expect(halted).toHaveLength(2);
    const policyRevision = network.node('node-1').logNumber();
    const { requests } = alice.startNegotiation(bob.deviceId, { policyRevision });
    const request = requests.find(({ nodeId }) => nodeId === 'node-2');
    if (request === undefined) throw new Error('there is no request for the node');
    await expect(alice.ask(request)).rejects.toMatchObject({ code: 'NODE_HALTED' });
    alice.close();
    bob.close();
  });
});

describe('a node whose start fails', () => {
  test('leaves nothing behind: it starts again on the same port', async () => {
    clock = new ManualClock();
    network = await NodeNetwork.start({}, clock);
    await network.stopNode('node-3');
    const store = network.store('node-3');
    const { get } = store;
    store.get = async (key) => {
      if (key === 'log-place') throw new SymmetraError('STORE_UNAVAILABLE', 'not now');
      return get.call(store, key);
    };
    await expect(network.startNode('node-3')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.get = get;
    await network.startNode('node-3');
    expect(network.node('node-3').logNumber()).toBe(1);
  });
});
