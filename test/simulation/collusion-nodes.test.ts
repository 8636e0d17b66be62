import { suites, toHex } from '@symmetra/crypto';
import { checkDelivery, nodeKemKey, nodeKeyHash, receiveResponse, respond } from '@symmetra/protocol';
import type { CheckedDelivery, PairRequested, ResponderFloors } from '@symmetra/protocol';
import { NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Attacker } from './collusion-attacker.js';
import { seize } from './collusion-seizure.js';
import { bytesIn, tapBus } from './collusion-taps.js';

/*
 * The row "k or more nodes, seized later" once more, with real nodes: their stores are opened while the shares wait for
 * Bob, every message between nodes and every log line is sifted for shares, and the messages between the devices are
 * read on the way. Node 1 is the home of both: it carries what they seal for the others.
 */

let network: NodeNetwork;
let bus: readonly Uint8Array[];

beforeAll(async () => {
  bus = tapBus();
  network = await NodeNetwork.start();
});

afterAll(async () => {
  await network.stop();
  vi.restoreAllMocks();
});

/** What happens after the seizure: Bob comes back, and the devices agree on a key. */
interface Seized {
  readonly attacker: Attacker;
  readonly state: PairRequested;
  /** How many messages went between the nodes. */
  readonly carried: number;
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
    await alice.connect('node-1');
    const before = bus.length;
    for (const request of requests) await alice.ask(request);
    const attacker = attackerOn(alice);
    for (const id of seized) await seize(attacker, id, network.store(id));
    const deliveries = await deliveriesTo(bob);
    const random = { nonce: fresh(32), coins: fresh(suites.get(1).kem.coinsLength) };
    const { output } = respond(bob.context, floorsOf(bob), deliveries, [], random);
    attacker.hear([{ kind: 'pair', message: output }]);
    const carried = bus.slice(before);
    for (const bytes of [...carried, ...network.log.flatMap(bytesIn)]) attacker.sift(bytes);
    const { key } = receiveResponse(alice.context, state, {}, output).state;
    return { attacker, state, carried: carried.length, key: toHex(key.applicationKey.bytes) };
  } finally {
    alice.close();
    bob.close();
  }
}

const computes = ({ attacker, key }: Seized): boolean => attacker.compute().has(key);

describe('the stores of real nodes, opened while the shares rest', () => {
  test('of fewer than k nodes give nothing, until the share of one more stands in a log', async () => {
    const seized = await negotiateUnder(['node-1'], false);
    expect(seized.carried).toBeGreaterThan(0);
    expect(computes(seized)).toBe(false);
    const share = toHex(seized.state.shares[1]?.bytes ?? fresh(32));
    for (const bytes of bytesIn({ note: share })) seized.attacker.sift(bytes);
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
