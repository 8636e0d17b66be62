import { suites, toHex } from '@symmetra/crypto';
import { checkDelivery, nodeKemKey, nodeKeyHash, receiveResponse, respond } from '@symmetra/protocol';
import type { CheckedDelivery, PairRequested, ResponderFloors } from '@symmetra/protocol';
import { NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Attacker } from './collusion-attacker.js';
import { seize } from './collusion-seizure.js';

/*
 * The row "k or more nodes, seized later" once more, with real nodes: their stores are opened while the shares wait for
 * Bob, and the messages between the devices are read on the way.
 */

let network: NodeNetwork;

beforeAll(async () => {
  network = await NodeNetwork.start();
});

afterAll(async () => {
  await network.stop();
});

/** What happens after the seizure: Bob comes back, and the devices agree on a key. */
interface Seized {
  readonly attacker: Attacker;
  readonly state: PairRequested;
  /** The key of both devices, hexadecimal. */
  readonly key: string;
}

function attackerOn({ context, descriptor }: TestDevice): Attacker {
  const nodes = descriptor.nodes.map((node) => ({
    id: node.id,
    publicKey: nodeKemKey(node, 1),
    keyHash: nodeKeyHash(node),
  }));
  return new Attacker(context, nodes);
}

/** What Bob insists on. */
function floorsOf({ deviceId, nodeIds, descriptor }: TestDevice): ResponderFloors {
  return {
    deviceId,
    nodes: nodeIds,
    minimumNodes: nodeIds.length,
    minimumThreshold: descriptor.threshold,
    minimumDescriptorVersion: descriptor.version,
    allowedSuites: [1],
    requireDirectKem: false,
    firstContactAll: false,
  };
}

/** PAIR-4, PAIR-5: what the nodes deliver when Bob attaches. */
async function deliveriesTo(bob: TestDevice): Promise<readonly CheckedDelivery[]> {
  await bob.connect('node-1');
  const events = await bob.received(({ delivery }) => Boolean(delivery), bob.nodeIds.length);
  return events
    .map(({ node, delivery }) => {
      if (!delivery) throw new Error('the event is no delivery');
      const { header, share, ephemeralKey, granted } = delivery;
      const limits = { lifetimeSeconds: granted?.lifetimeSeconds ?? 0, uses: granted?.uses ?? 0 };
      return checkDelivery(bob.context, floorsOf(bob), node, {
        header,
        share,
        ephemeralKey,
        granted: limits,
      });
    })
    .toSorted((a, b) => a.place - b.place);
}

async function negotiateUnder(seized: readonly string[], direct: boolean): Promise<Seized> {
  const token = await network.administrator.createToken({ uses: 2 });
  const [alice, bob] = [await TestDevice.enrol(token), await TestDevice.enrol(token)];
  try {
    const { state, requests } = alice.startNegotiation(bob.deviceId, { direct });
    for (const request of requests) await alice.ask(request);
    const attacker = attackerOn(alice);
    for (const id of seized) await seize(attacker, id, network.store(id));
    const deliveries = await deliveriesTo(bob);
    const random = { nonce: fresh(32), coins: fresh(suites.get(1).kem.coinsLength) };
    const { output } = respond(bob.context, floorsOf(bob), deliveries, [], random);
    attacker.hear([{ kind: 'pair', message: output }]);
    const { key } = receiveResponse(alice.context, state, {}, output).state;
    return { attacker, state, key: toHex(key.applicationKey.bytes) };
  } finally {
    alice.close();
    bob.close();
  }
}

const computes = ({ attacker, key }: Seized): boolean => attacker.compute().has(key);

describe('the stores of real nodes, opened while the shares rest', () => {
  test('of fewer than k nodes give nothing, until the share of one more is added', async () => {
    const seized = await negotiateUnder(['node-2'], false);
    expect(computes(seized)).toBe(false);
    const { header, shares } = seized.state;
    const share = shares[0]?.bytes.slice() ?? fresh(32);
    seized.attacker.learnShare('node-1', { header, share, ephemeralKey: new Uint8Array(0) });
    expect(computes(seized)).toBe(true);
  });

  test('of k nodes give the key when it goes without the direct KEM', async () => {
    expect(computes(await negotiateUnder(['node-1', 'node-3'], false))).toBe(true);
  });

  test('of all nodes give nothing when it goes with the direct KEM, until that KEM is broken', async () => {
    const seized = await negotiateUnder(['node-1', 'node-2', 'node-3'], true);
    expect(computes(seized)).toBe(false);
    const { direct } = seized.state;
    const published = toHex(direct?.publicKey ?? fresh(32));
    seized.attacker.breakKem((publicKey) =>
      toHex(publicKey) === published ? direct?.secretKey.bytes : undefined,
    );
    expect(computes(seized)).toBe(true);
  });
});
