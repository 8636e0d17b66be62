import { Secret, SymmetraError, utf8 } from '@symmetra/crypto';
import { LinkWorld } from '@symmetra/testing';
import type { CarriedDatagram } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { NOTHING, SECOND, TIMEOUT, codeOf, echo, serveEcho } from './link-talk.js';

const SEALED = 5;

describe('a bus over links', () => {
  test('LINK-6: what one turn of the event loop has for a process goes in one datagram', async () => {
    const world = new LinkWorld('batches');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    await echo(alice, 'bob');
    await world.settle();
    const carried: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      carried.push(datagram);
      return [datagram];
    };
    await Promise.all(Array.from({ length: 100 }, async () => echo(alice, 'bob')));
    expect(carried).toHaveLength(2);
    await Promise.all([alice.close(), bob.close()]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('LINK-5: whoever carries the datagrams sees no subject, no payload, no reply and no key', async () => {
    const world = new LinkWorld('capture');
    const carried: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      carried.push(datagram);
      return [datagram];
    };
    const psk = Secret.of('LinkPsk', utf8('PSK-PSK-PSK-PSK-PSK-PSK-PSK-PSK-'));
    const settings = { psk: () => psk, renewMs: 1000 };
    const buses = ['alice', 'bob', 'carol'].map((id) => world.join(id, settings));
    const device = 'device-id-abcdefghijklmnopqrstuvwxyz234567';
    for (const bus of buses) {
      bus.serve('shares.deliver', async (_from, payload) => utf8(`answer ${payload.length} SECRET-REPLY`));
      bus.serve('presence.find', async () => {
        throw new SymmetraError('DEVICE_UNKNOWN', 'SECRET-MESSAGE', { device });
      });
    }
    for (let round = 0; round < 3; round++) {
      for (const from of buses) {
        for (const to of buses) {
          await from.request(to.self, 'shares.deliver', utf8(`SECRET-PAYLOAD ${device}`), TIMEOUT);
          expect(await codeOf(from.request(to.self, 'presence.find', utf8(device), TIMEOUT))).toBe(
            'DEVICE_UNKNOWN',
          );
        }
      }
      for (let step = 0; step < 6; step++) await world.pass(250);
    }
    const planted = [
      device,
      'SECRET',
      'shares',
      'presence',
      'deliver',
      'DEVICE_UNKNOWN',
      'PSK-PSK',
      'answer',
    ];
    const seen = Buffer.concat(carried.map(({ bytes }) => bytes));
    expect(carried.filter(({ bytes }) => bytes[0] === SEALED).length).toBeGreaterThan(20);
    expect(carried.filter(({ bytes }) => bytes[0] !== SEALED).length).toBeGreaterThan(12);
    for (const text of planted) expect(seen.indexOf(text)).toBe(-1);
    for (const id of ['alice', 'bob', 'carol']) {
      const secret = world.identity(id).kemKeys.get(world.suiteId)?.secretKey.bytes;
      expect(seen.indexOf(secret as Buffer)).toBe(-1);
    }
    await Promise.all(buses.map(async (bus) => bus.close()));
  });

  test('LINK-7: no request fails over fifty renewals under load', async () => {
    const world = new LinkWorld('renewals');
    let renewals = 0;
    const settings = {
      renewMs: 10 * SECOND,
      onLink: ({ renewed }: { renewed: boolean }) => (renewals += renewed ? 1 : 0),
    };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(alice);
    serveEcho(bob);
    const failures: (string | undefined)[] = [];
    let made = 0;
    for (let tick = 0; tick < 1100; tick++) {
      const requests = [echo(alice, 'bob'), echo(bob, 'alice')];
      made += requests.length;
      world.clock.advance(500);
      failures.push(...(await Promise.all(requests.map(codeOf))).filter((code) => code !== undefined));
    }
    expect(renewals).toBeGreaterThan(100);
    expect(failures).toEqual([]);
    expect(made).toBe(2200);
    // The clock jumps, so that handshake messages are sent again that were not lost.
    expect(world.refusals.filter((refusal) => !refusal.endsWith(' LINK_UNKNOWN'))).toEqual([]);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-7: when both open at once there are two links, and nothing is lost', async () => {
    const world = new LinkWorld('at once');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(alice);
    serveEcho(bob);
    const replies = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (i % 2 === 0 ? echo(alice, 'bob') : echo(bob, 'alice'))),
    );
    expect(new Set(replies)).toEqual(new Set(['alice: hello', 'bob: hello']));
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-6: any process of a node answers; the named one, or INSTANCE_GONE', async () => {
    const world = new LinkWorld('replicas');
    const alice = world.join('alice');
    const [first, second] = [world.join('bob'), world.join('bob')];
    for (const bob of [first, second]) bob.serve('who', async () => utf8(bob.instance));
    const who = async (instance?: string): Promise<string> =>
      Buffer.from(
        await alice.request(
          'bob',
          'who',
          NOTHING,
          instance === undefined ? TIMEOUT : { ...TIMEOUT, instance },
        ),
      ).toString();
    expect(await who()).toBe(first.instance);
    expect(await who(second.instance)).toBe(second.instance);
    expect(await codeOf(alice.request('bob', 'who', NOTHING, { ...TIMEOUT, instance: 'ffffffff' }))).toBe(
      'INSTANCE_GONE',
    );
    await first.close();
    await world.settle();
    expect(await who()).toBe(second.instance);
    expect(await codeOf(who(first.instance))).toBe('INSTANCE_GONE');
    const told = await second.request('bob', 'who', NOTHING, TIMEOUT);
    expect(Buffer.from(told).toString()).toBe(second.instance);
    await Promise.all([alice.close(), second.close()]);
  });

  test('LINK-6: requests to any process and to a named one, made in turn before there is a link, arrive in order', async () => {
    const world = new LinkWorld('in turn');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    const order: string[] = [];
    bob.serve('count', async (_from, payload) => {
      order.push(Buffer.from(payload).toString());
      return NOTHING;
    });
    const numbers = Array.from({ length: 10 }, (_, i) => String(i));
    await Promise.all(
      numbers.map(async (number, i) =>
        alice.request(
          'bob',
          'count',
          utf8(number),
          i % 2 === 0 ? TIMEOUT : { ...TIMEOUT, instance: bob.instance },
        ),
      ),
    );
    expect(order).toEqual(numbers);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-6: a request that waits for any process is not lost when a later one to a named process overtakes it', async () => {
    const world = new LinkWorld('overtaken');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    const taken: string[] = [];
    bob.serve('count', async (_from, payload) => {
      taken.push(Buffer.from(payload).toString());
      return NOTHING;
    });
    const count = async (text: string, instance?: string): Promise<string | undefined> =>
      codeOf(
        alice.request(
          'bob',
          'count',
          utf8(text),
          instance === undefined ? TIMEOUT : { ...TIMEOUT, instance },
        ),
      );
    expect(await count('first')).toBeUndefined();
    world.wires.absent({ node: 'alice', instance: alice.instance }, { node: 'bob', instance: bob.instance });
    const codes = [count('any'), count('named', bob.instance)];
    await world.pass(TIMEOUT.timeoutMs);
    expect(await Promise.all(codes)).toEqual([undefined, undefined]);
    expect(taken.toSorted()).toEqual(['any', 'first', 'named']);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-6: two replicas of one node reach one another', async () => {
    const world = new LinkWorld('self links');
    const [one, two] = [world.join('bob'), world.join('bob')];
    serveEcho(two);
    expect(await echo(one, 'bob', two.instance)).toBe('bob: hello');
    await Promise.all([one.close(), two.close()]);
  });

  test('LINK-6: a process that was killed: what waits for it fails at once, another one takes over', async () => {
    const world = new LinkWorld('killed');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    world.wires.kill({ node: 'bob', instance: bob.instance });
    expect(await codeOf(echo(alice, 'bob'))).toBe('NODE_UNREACHABLE');
    expect(await codeOf(echo(alice, 'bob', bob.instance))).toBe('INSTANCE_GONE');
    const again = world.join('bob');
    serveEcho(again);
    await world.pass(250);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), again.close(), bob.close()]);
  });

  test('LINK-6: a word that nobody listens fails what waits, and ends no link', async () => {
    const world = new LinkWorld('absent');
    let links = 0;
    const [alice, bob] = [world.join('alice', { onLink: () => (links += 1) }), world.join('bob')];
    serveEcho(bob);
    await echo(alice, 'bob');
    const waiting = codeOf(echo(alice, 'bob', bob.instance));
    world.wires.absent({ node: 'alice', instance: alice.instance }, { node: 'bob', instance: bob.instance });
    expect(await waiting).toBe('INSTANCE_GONE');
    expect(await echo(alice, 'bob', bob.instance)).toBe('alice: hello');
    expect(links).toBe(1);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-8: too much waits: BUS_BUSY', async () => {
    const world = new LinkWorld('busy');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    world.wires.interfere = () => [];
    const payload = new Uint8Array(700 * 1024);
    const outcomes = Array.from({ length: 30 }, async () =>
      codeOf(alice.request('bob', 'echo', payload, TIMEOUT)),
    );
    for (let step = 0; step < 22; step++) await world.pass(250);
    const codes = await Promise.all(outcomes);
    expect(codes.filter((code) => code === 'BUS_BUSY')).toHaveLength(7);
    expect(new Set(codes)).toEqual(
      new Set(['BUS_BUSY', 'NODE_UNREACHABLE', 'BUS_TIMEOUT'].filter((code) => codes.includes(code))),
    );
    await Promise.all([alice.close(), bob.close()]);
  });
});
