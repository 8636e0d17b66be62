import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  checkDelivery,
  decodePairMessage,
  quorum,
  receiveConfirm,
  receivePairAcknowledge,
  receiveResponse,
  respond,
} from '@symmetra/protocol';
import type { PairResponded, ResponderFloors } from '@symmetra/protocol';
import { suites } from '@symmetra/crypto';
import { NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import type { ReceivedEvent } from '@symmetra/testing';

const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const ACKNOWLEDGE = '/symmetra.pairwise.v1.PairwiseService/Acknowledge';

function floorsOf(device: TestDevice): ResponderFloors {
  return {
    deviceId: device.deviceId,
    nodes: device.nodeIds,
    minimumNodes: 3,
    minimumThreshold: 2,
    minimumDescriptorVersion: 1,
    allowedSuites: [1, 2, 3],
    requireDirectKem: false,
    firstContactAll: false,
  };
}

/** The responder's answer to the deliveries of a key. */
function answer(device: TestDevice, events: readonly ReceivedEvent[], suiteId: number): PairResponded {
  const checked = events.map(({ node, delivery }) => {
    if (!delivery?.granted) throw new Error('the event is no delivery');
    return checkDelivery(device.context, floorsOf(device), node, { ...delivery, granted: delivery.granted });
  });
  const deliveries = quorum(checked);
  if (deliveries === undefined) throw new Error('the deliveries do not agree');
  const coins = fresh(suites.get(suiteId).kem.coinsLength);
  const { state } = respond(device.context, floorsOf(device), deliveries, [], { nonce: fresh(32), coins });
  if (state.kind !== 'responded') throw new Error(state.code);
  return state;
}

describe.each([1, 2, 3])('under suite %i', (suiteId) => {
  let network: NodeNetwork;
  let alice: TestDevice;
  let bob: TestDevice;

  beforeAll(async () => {
    network = await NodeNetwork.start();
    alice = await TestDevice.enrol(await network.administrator.createToken(), suiteId);
    bob = await TestDevice.enrol(await network.administrator.createToken(), suiteId);
  });

  afterAll(async () => {
    alice.close();
    bob.close();
    await network.stop();
  });

  test('two devices enrol, ratchet, attach to different homes and agree on a key', async () => {
    await alice.connect('node-1');
    await bob.connect('node-2');
    const { state, requests, keyId } = alice.startNegotiation(bob.deviceId, { direct: true });
    const receipts = await Promise.all(requests.map(async (request) => alice.ask(request)));
    for (const receipt of receipts) {
      expect(receipt.granted).toMatchObject({ lifetimeSeconds: 3600, uses: 0 });
      expect(receipt.responder).toMatchObject({ online: true, addresses: ['127.0.0.1:1'] });
    }

    const deliveries = await bob.received((event) => event.event === 'delivery', 3);
    expect(deliveries.map(({ node }) => node).toSorted()).toEqual(network.nodeIds);
    expect(deliveries[0]?.delivery?.initiator).toMatchObject({ online: true });
    const responded = answer(bob, deliveries, suiteId);
    for (const nodeId of bob.nodeIds) await bob.call(nodeId, ACKNOWLEDGE, { keyIds: [Buffer.from(keyId)] });
    for (const nodeId of bob.nodeIds) {
      expect(await network.store(nodeId).scan('share/')).toEqual([]);
    }

    const relay = async (from: TestDevice, home: string, to: TestDevice, message: Uint8Array) =>
      from.call(home, RELAY, { peer: to.deviceId, message });
    expect(await relay(bob, 'node-2', alice, responded.response)).toEqual({ handedOver: true });
    const [response] = await alice.received((event) => event.event === 'message');
    expect(Buffer.from(response?.message?.peer ?? [])).toEqual(Buffer.from(bob.deviceId));
    const confirmed = receiveResponse(alice.context, state, {}, response?.message?.message ?? fresh(0));
    await relay(alice, 'node-1', bob, confirmed.output);
    const [confirm] = await bob.received((event) => event.event === 'message');
    const held = receiveConfirm(responded, [], confirm?.message?.message ?? fresh(0));
    await relay(bob, 'node-2', alice, held.output);
    const [, acknowledge] = await alice.received((event) => event.event === 'message', 2);
    const message = acknowledge?.message?.message ?? fresh(0);
    expect(decodePairMessage(message).kind).toBe('acknowledge');
    const finished = receivePairAcknowledge(confirmed.state, confirmed.continuity, message);
    expect(finished.state.key.fingerprint).toEqual(held.state.key.fingerprint);
    expect(finished.state.key.applicationKey.bytes).toEqual(held.state.key.applicationKey.bytes);
  });
});
