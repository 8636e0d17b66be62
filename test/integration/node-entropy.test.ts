import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SymmetraError } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy';
import type { GeneratorStatus } from '@symmetra/entropy';
import { entropyMetrics, openGenerator } from '@symmetra/node';
import { systemClock } from '@symmetra/runtime';
import { parseEntropyConfig } from '@symmetra/runtime/configuration';
import { GroupDevice, NodeNetwork, TestDevice, TestGroup } from '@symmetra/testing';

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
    const dealer = new GroupDevice(alice);
    const deal = new TestGroup([alice]).deal(alice, { added: [alice, bob] });
    await whileDry(async () => {
      await expect(TestDevice.enrol(token)).rejects.toMatchObject(REFUSED);
      await expect(step()).rejects.toMatchObject(REFUSED);
      await expect(alice.openSession('node-2')).rejects.toMatchObject(REFUSED);
      await expect(alice.ask(negotiation())).rejects.toMatchObject(REFUSED);
      await expect(dealer.send('node-1', deal)).rejects.toMatchObject(REFUSED);
    });
    const carol = await TestDevice.enrol(token);
    carol.close();
    expect((await step()).r2).toBeInstanceOf(Uint8Array);
    await alice.openSession('node-2');
    await alice.ask(negotiation());
    await dealer.send('node-1', deal);
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

describe('the metrics of entropy', () => {
  const description = {
    name: 'lamp',
    kind: 'detector',
    physical: true,
    quantum: true,
    simulated: true,
    raw: true,
    bitsPerSample: 1,
    minEntropyPerSample: 0.8,
  } as const;

  /** What a scrape reads: the values of each metric, without their labels. */
  function scraped(state: GeneratorStatus['state'], source: 'qualified' | 'quarantined') {
    const status: GeneratorStatus = {
      state,
      sources: [
        {
          description,
          state: source,
          availableBits: 10_220,
          occupiedBits: 0,
          samples: 70_000,
          windows: 1,
          discardedWindows: 2,
          alarms: 3,
        },
      ],
      availableSeeds: 20,
      ledger: { creditedBits: 5110, simulatedBits: 1022, fullBits: 384, drbgBits: 1024, refusals: 4 },
    };
    const metrics = entropyMetrics(() => status);
    return Object.fromEntries(metrics.map(({ name, read }) => [name, read().map(({ value }) => value)]));
  }

  test('say what the generator says', () => {
    expect(scraped('ready', 'qualified')).toMatchObject({
      symmetra_entropy_ready: [1],
      symmetra_entropy_seeds: [20],
      symmetra_entropy_refusals_total: [4],
      symmetra_entropy_credited_bits_total: [4088, 1022],
      symmetra_entropy_output_bits_total: [384, 1024],
      symmetra_entropy_source_qualified: [1],
      symmetra_entropy_source_alarms_total: [3],
      symmetra_entropy_source_samples_total: [70_000],
    });
  });

  test.each(['starting', 'exhausted'] as const)('show that nothing is ready while it is %s', (state) => {
    expect(scraped(state, 'quarantined')).toMatchObject({
      symmetra_entropy_ready: [0],
      symmetra_entropy_source_qualified: [0],
    });
  });
});

test('each source of a configuration has a gate behind it', async () => {
  const entry = {
    kind: 'file',
    path: '/dev/urandom',
    physical: true,
    quantum: false,
    bitsPerSample: 8,
    minEntropyPerSample: 6,
  };
  const config = parseEntropyConfig({
    sources: [
      { ...entry, name: 'raw', raw: true },
      { ...entry, name: 'conditioned', raw: false },
    ],
  });
  const generator = openGenerator({ config, clock: systemClock });
  try {
    const states = () => generator.status().sources.map(({ state }) => state);
    await expect.poll(states, { timeout: 60_000 }).toEqual(['qualified', 'qualified']);
    for (const { gate } of generator.status().sources) {
      expect(gate).toMatchObject({ buffers: expect.any(Number), shut: false });
      expect(gate?.buffers).toBeGreaterThan(0);
    }
  } finally {
    await generator.close();
  }
});
