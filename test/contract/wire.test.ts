import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsWire, connectNats } from '@symmetra/bus';
import type { NatsConnection, NatsStatus, Wire } from '@symmetra/bus';
import { CALM, ManualClock, NatsServer, Prng, SimulatedWires, natsServerMissing } from '@symmetra/testing';
import type { Faults } from '@symmetra/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWire } from './wire-suite.js';

const [ONE, TWO] = [
  { node: 'n1', instance: '00000001' },
  { node: 'n2', instance: '00000002' },
];

describeWire('simulated', async () => {
  const clock = new ManualClock();
  const wires = new SimulatedWires({ clock, prng: new Prng('fair') });
  return { join: async (address) => wires.join(address), settle: async () => clock.advance(100) };
});

describe('the simulated wires', () => {
  interface World {
    readonly clock: ManualClock;
    readonly wires: SimulatedWires;
    readonly first: Wire;
    readonly events: string[];
  }

  function world(seed: string, faults: Partial<Faults> = {}): World {
    const clock = new ManualClock();
    const events: string[] = [];
    const wires = new SimulatedWires({
      clock,
      prng: new Prng(seed),
      faults: { ...CALM, ...faults },
      onFault: (kind) => events.push(kind),
    });
    const [first, second] = [wires.join(ONE), wires.join(TWO)];
    second.listen(
      (datagram) => events.push(`got ${Buffer.from(datagram).toString('hex')}`),
      () => undefined,
    );
    first.listen(
      () => undefined,
      ({ node }) => events.push(`absent ${node}`),
    );
    return { clock, wires, first, events };
  }

  function run(seed: string): readonly string[] {
    const storm = { loss: 0.2, repetition: 0.2, corruption: 0.2, delay: 0.5, longestDelay: 50 };
    const { clock, first, events } = world(seed, storm);
    for (let i = 0; i < 200; i++) {
      first.send(TWO, Uint8Array.of(i, i, i));
      clock.advance(1);
    }
    clock.advance(100);
    return events;
  }

  it('follow from the seed', () => {
    expect(run('a')).toEqual(run('a'));
    expect(run('a')).not.toEqual(run('b'));
  });

  it('lose, repeat, delay, reorder and damage', () => {
    const events = run('a');
    const got = events.filter((event) => /^got ([0-9a-f]{2})\1\1$/.test(event));
    expect(new Set(got).size).toBeLessThan(got.length);
    expect(got).not.toEqual(got.toSorted());
    for (const kind of ['lost', 'repeated', 'delayed']) expect(events).toContain(kind);
    expect(events.some((event) => ['flipped', 'truncated', 'extended', 'spliced'].includes(event))).toBe(
      true,
    );
  });

  it('cut nodes off from one another, silently, until the partition ends', () => {
    const { clock, wires, first, events } = world('a');
    wires.partition(['n1'], ['n2']);
    first.send(TWO, Uint8Array.of(1));
    clock.advance(10);
    wires.heal();
    first.send(TWO, Uint8Array.of(2));
    wires.partition(['n1'], ['n2']);
    clock.advance(10);
    wires.heal();
    first.send(TWO, Uint8Array.of(3));
    clock.advance(10);
    expect(events).toEqual(['got 03']);
  });

  it('have nothing of a dead process, whose address is free again', () => {
    const { clock, wires, first, events } = world('a');
    expect(() => wires.join(TWO)).toThrow(expect.objectContaining({ code: 'NODE_ID_TAKEN' }));
    wires.kill(TWO);
    first.send(TWO, Uint8Array.of(1));
    clock.advance(10);
    expect(events).toEqual(['absent n2']);
    wires.join(TWO);
  });
});

describe.skipIf(natsServerMissing())('over NATS', () => {
  let server: NatsServer;
  let keeper: NatsConnection;
  const connections: NatsConnection[] = [];
  const statuses: NatsStatus[] = [];

  beforeAll(async () => {
    server = await NatsServer.start();
    keeper = await connectNats({ servers: [server.url], node: 'keeper' });
  });

  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
    statuses.length = 0;
  });

  afterAll(async () => {
    await keeper.close();
    await server.remove();
  });

  async function join(networkIdHex: string, address: { node: string; instance: string }): Promise<NatsWire> {
    const onStatus = (status: NatsStatus): void => void statuses.push(status);
    const connection = await connectNats({ servers: [server.url], node: address.node, onStatus });
    connections.push(connection);
    return new NatsWire(connection, { networkIdHex, ...address });
  }

  /** Every connection has said all that it had to say, and has been told what is for it. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      for (const { core } of [keeper, ...connections]) await core.flush();
    }
    await delay(5);
  }

  describeWire('NATS', async () => {
    const networkIdHex = randomBytes(16).toString('hex');
    return { join: async (address) => join(networkIdHex, address), settle };
  });

  it('refuses ids of nodes that are no part of a subject', async () => {
    for (const node of ['', 'Node', 'a.b', 'a*', '>', 'n'.repeat(33)]) {
      const connected = connectNats({ servers: [server.url], node });
      await expect(connected).rejects.toMatchObject({ code: 'NODE_ID_UNUSABLE' });
    }
    const networkIdHex = randomBytes(16).toString('hex');
    expect(() => new NatsWire(keeper, { networkIdHex, node: 'A', instance: '00000001' })).toThrow(
      expect.objectContaining({ code: 'NODE_ID_UNUSABLE' }),
    );
    const wire = await join(networkIdHex, ONE);
    expect(() => wire.send({ node: 'a.>' }, Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: 'NODE_ID_UNUSABLE' }),
    );
  });

  it('takes nothing at the subjects of absence but what the server says', async () => {
    const networkIdHex = randomBytes(16).toString('hex');
    const wire = await join(networkIdHex, ONE);
    const told: unknown[] = [];
    wire.listen(
      (datagram) => told.push(datagram),
      (to) => told.push(to),
    );
    await settle();
    keeper.core.publish(`symmetra.${networkIdHex}.absent.n1.00000001.n2.any`, Uint8Array.of(1));
    keeper.core.publish(`symmetra.${networkIdHex}.absent.n1.00000001.n2.zzz`);
    await settle();
    expect(told).toEqual([]);
  });

  it('outlives a listener that throws, and tells of it', async () => {
    const networkIdHex = randomBytes(16).toString('hex');
    const wire = await join(networkIdHex, ONE);
    const defect = new Error('defect');
    let received = 0;
    wire.listen(
      () => {
        received += 1;
        throw defect;
      },
      () => undefined,
    );
    for (let i = 0; i < 3; i++) wire.send(ONE, Uint8Array.of(i));
    await settle();
    expect(received).toBe(3);
    expect(statuses).toContainEqual({ kind: 'failed', error: defect });
  });
});
