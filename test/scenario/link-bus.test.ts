import type { Bus, QkdSource } from '@symmetra/bus';
import { Secret, SymmetraError, utf8 } from '@symmetra/crypto';
import { LinkWorld } from '@symmetra/testing';
import type { CarriedDatagram } from '@symmetra/testing';
import { describe, expect, it, test } from 'vitest';

const SECOND = 1000;
const TIMEOUT = { timeoutMs: 5 * SECOND };
const SEALED = 5;
const NOTHING = new Uint8Array(0);

async function codeOf(request: Promise<unknown>): Promise<string | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}

/** What a request comes to while time passes. */
async function after(world: LinkWorld, ms: number, request: Promise<unknown>): Promise<string | undefined> {
  const outcome = codeOf(request);
  for (let passed = 0; passed < ms; passed += 250) await world.pass(250);
  return outcome;
}

function serveEcho(bus: Bus): void {
  bus.serve('echo', async (from, payload) => utf8(`${from}: ${Buffer.from(payload).toString()}`));
}

const echo = async (bus: Bus, to: string, instance?: string): Promise<string> =>
  Buffer.from(
    await bus.request(to, 'echo', utf8('hello'), instance === undefined ? TIMEOUT : { ...TIMEOUT, instance }),
  ).toString();

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

describe('Mallory carries the datagrams', () => {
  async function pair(
    name: string,
  ): Promise<{ world: LinkWorld; alice: Bus; bob: Bus; carried: CarriedDatagram[] }> {
    const world = new LinkWorld(name);
    const carried: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      carried.push(datagram);
      return [datagram];
    };
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(alice);
    serveEcho(bob);
    return { world, alice, bob, carried };
  }

  test('LINK-5, LINK-6: what is repeated is taken once, whatever it is', async () => {
    const { world, alice, bob, carried } = await pair('repeats');
    let calls = 0;
    bob.serve('count', async () => {
      calls += 1;
      return NOTHING;
    });
    await alice.request('bob', 'count', NOTHING, TIMEOUT);
    await world.settle();
    const before = [...carried];
    for (const datagram of before) world.wires.carry(datagram);
    await world.settle();
    expect(calls).toBe(1);
    expect(world.refusals).toContain('bob MESSAGE_REPLAYED');
    expect(world.refusals).toContain('alice MESSAGE_REPLAYED');
    expect(world.refusals).toContain('alice LINK_UNKNOWN');
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-2, LINK-5: what is sent back to its sender, or to somebody else, is refused', async () => {
    const { world, alice, bob, carried } = await pair('swapped');
    const carol = world.join('carol');
    await echo(alice, 'bob');
    await world.settle();
    world.refusals.length = 0;
    for (const { from, to, bytes } of carried) {
      world.wires.carry({ from: { node: 'carol', instance: carol.instance }, to: from, bytes });
      world.wires.carry({ from, to: { node: 'carol' }, bytes });
      expect(to.node).not.toBe('carol');
    }
    await world.settle();
    const expected = ['alice WRONG_NODE', 'bob LINK_UNKNOWN', 'carol WRONG_NODE', 'carol LINK_UNKNOWN'];
    for (const refusal of expected) expect(world.refusals).toContain(refusal);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close(), carol.close()]);
  });

  test('LINK-5: a datagram that was damaged in any byte is dropped; junk is reported', async () => {
    const { world, alice, bob, carried } = await pair('damage');
    await echo(alice, 'bob');
    await world.settle();
    const last = carried.at(-1) as CarriedDatagram;
    for (let at = 0; at < last.bytes.length; at += 5) {
      const bytes = last.bytes.slice();
      bytes[at] = (bytes[at] as number) ^ 0x10;
      world.wires.carry({ ...last, bytes });
    }
    for (const bytes of [NOTHING, Uint8Array.of(9), Uint8Array.of(SEALED), Uint8Array.of(1, 0)]) {
      world.wires.carry({ ...last, bytes });
    }
    await world.settle();
    expect(world.refusals.filter((refusal) => refusal.endsWith('BAD_ENCODING')).length).toBeGreaterThan(3);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-6: requests that are overtaken are dropped, replies are not', async () => {
    const { world, alice, bob } = await pair('reordered');
    await echo(alice, 'bob');
    await world.settle();
    const held: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      held.push(datagram);
      return [];
    };
    const first = codeOf(echo(alice, 'bob'));
    await world.settle();
    const second = codeOf(echo(alice, 'bob'));
    await world.settle();
    world.wires.interfere = (datagram) => [datagram];
    expect(held).toHaveLength(2);
    for (const datagram of held.toReversed()) world.wires.carry(datagram);
    await world.settle();
    expect(await second).toBeUndefined();
    for (let step = 0; step < 21; step++) await world.pass(250);
    expect(await first).toBe('BUS_TIMEOUT');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-8: messages of the handshake that are lost are sent again', async () => {
    for (let lost = 0; lost < 4; lost++) {
      const world = new LinkWorld(`lost ${lost}`);
      let seen = 0;
      world.wires.interfere = (datagram) => {
        seen += 1;
        return seen === lost + 1 ? [] : [datagram];
      };
      const [alice, bob] = [world.join('alice'), world.join('bob')];
      serveEcho(bob);
      expect(await after(world, 2 * SECOND, echo(alice, 'bob'))).toBeUndefined();
      await Promise.all([alice.close(), bob.close()]);
    }
  });

  test('LINK-8: a node that does not answer: the requests fail, and soon others may be made', async () => {
    const world = new LinkWorld('silent');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    world.wires.interfere = () => [];
    const long = { timeoutMs: 60 * SECOND };
    expect(await after(world, 6 * SECOND, alice.request('bob', 'echo', NOTHING, long))).toBe(
      'NODE_UNREACHABLE',
    );
    expect(world.refusals).toEqual(['alice LINK_SILENT']);
    world.wires.interfere = (datagram) => [datagram];
    await world.pass(SECOND);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('LINK-8: a flood of open messages is bounded, and an end that has a link renews it all the same', async () => {
    const { world, alice, bob, carried } = await pair('flood');
    await echo(alice, 'bob');
    await world.settle();
    let answers = 0;
    world.wires.interfere = (datagram) => {
      if (datagram.bytes[0] === 2) answers += 1;
      return [datagram];
    };
    const open = carried.find(({ bytes }) => bytes[0] === 1) as CarriedDatagram;
    const nonceAt = open.bytes.length - 2 - 2 * 34 - 2 - 1 - 32;
    const flood = async (rounds: number): Promise<void> => {
      for (let i = 0; i < rounds; i++) {
        const bytes = open.bytes.slice();
        bytes.set(world.random(32), nonceAt);
        world.wires.carry({ ...open, bytes });
      }
      await world.settle();
    };
    await flood(200);
    expect(answers).toBeLessThanOrEqual(8);
    expect(world.refusals.filter((refusal) => refusal === 'bob LINK_FLOOD').length).toBeGreaterThan(190);
    for (let i = 0; i < 20; i++) {
      await flood(20);
      await world.pass(200 * SECOND);
    }
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });
});

describe('LINK-2 to LINK-4: what is configured is mixed in', () => {
  function source(required: boolean, keys: Map<string, Uint8Array>, up: () => boolean): QkdSource {
    const unavailable = (): SymmetraError => new SymmetraError('QKD_UNAVAILABLE', 'no key');
    return {
      required,
      async newKey() {
        if (!up()) throw unavailable();
        const keyId = `key-${keys.size}`;
        keys.set(keyId, new Uint8Array(32).fill(keys.size + 1));
        return { keyId, key: (keys.get(keyId) as Uint8Array).slice() };
      },
      async keyOf(keyId) {
        const key = keys.get(keyId);
        if (!up() || key === undefined) throw unavailable();
        return key.slice();
      },
    };
  }

  it('a QKD key that is required: with it there is a link, without it there is none', async () => {
    const world = new LinkWorld('qkd');
    const keys = new Map<string, Uint8Array>();
    let up = true;
    const settings = { qkd: () => source(true, keys, () => up) };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(bob);
    expect(await after(world, 250, echo(alice, 'bob'))).toBeUndefined();
    expect(keys.size).toBe(1);
    await alice.close();
    up = false;
    const again = world.join('alice', settings);
    expect(await after(world, 250, echo(again, 'bob'))).toBe('NODE_UNREACHABLE');
    expect(world.refusals).toContain('alice QKD_UNAVAILABLE');
    await Promise.all([again.close(), bob.close()]);
  });

  it('LINK_QKD_REQUIRED, LINK_QKD_UNKNOWN: ends that are configured differently have no link', async () => {
    const world = new LinkWorld('qkd differs');
    const keys = new Map<string, Uint8Array>();
    const sourced = { qkd: () => source(true, keys, () => true) };
    const buses = [world.join('alice'), world.join('bob', sourced), world.join('carol')] as [Bus, Bus, Bus];
    serveEcho(buses[1]);
    expect(await after(world, 6 * SECOND, echo(buses[0], 'bob'))).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    expect(await after(world, 6 * SECOND, echo(buses[1], 'carol'))).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    expect(world.refusals).toContain('bob LINK_QKD_REQUIRED');
    expect(world.refusals).toContain('carol LINK_QKD_UNKNOWN');
    await Promise.all(buses.map(async (bus) => bus.close()));
  });

  it('a QKD key that is not required: there is a link without it when either source is silent', async () => {
    for (const silent of ['alice', 'bob']) {
      const world = new LinkWorld(`qkd optional ${silent}`);
      const keys = new Map<string, Uint8Array>();
      const settings = (id: string): object => ({ qkd: () => source(false, keys, () => id !== silent) });
      const [alice, bob] = [world.join('alice', settings('alice')), world.join('bob', settings('bob'))];
      serveEcho(bob);
      const first = await after(world, 7 * SECOND, echo(alice, 'bob'));
      if (silent === 'alice') expect(first).toBeUndefined();
      expect(await after(world, SECOND, echo(alice, 'bob'))).toBeUndefined();
      expect(world.refusals).toContain(`${silent} QKD_UNAVAILABLE`);
      await Promise.all([alice.close(), bob.close()]);
    }
  });

  it('a PSK at one end only, or another one: no link', async () => {
    const psk = (text: string) => ({ psk: () => Secret.of('LinkPsk', utf8(text.repeat(32))) });
    const world = new LinkWorld('psk');
    const [alice, bob, carol] = [
      world.join('alice', psk('a')),
      world.join('bob', psk('b')),
      world.join('carol'),
    ];
    const [, toBob, toCarol] = [alice, echo(alice, 'bob'), echo(alice, 'carol')];
    const outcomes = Promise.all([codeOf(toBob), codeOf(toCarol)]);
    for (let step = 0; step < 24; step++) await world.pass(250);
    for (const code of await outcomes) expect(code).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    expect(world.refusals).toContain('alice AUTHENTICATION_FAILED');
    expect(world.refusals).toContain('carol LINK_PSK_DIFFERS');
    await Promise.all([alice.close(), bob.close(), carol.close()]);
  });

  it('LINK-7: a node with other keys, or none, in a newer descriptor has no link any more', async () => {
    const world = new LinkWorld('descriptor');
    const [alice, bob, carol] = [world.join('alice'), world.join('bob'), world.join('carol')];
    for (const bus of [bob, carol]) serveEcho(bus);
    await echo(alice, 'bob');
    await echo(alice, 'carol');
    alice.keysChanged();
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    world.replace('bob');
    world.remove('carol');
    const waiting = codeOf(echo(alice, 'bob'));
    alice.keysChanged();
    expect(await waiting).toBe('NODE_UNREACHABLE');
    expect(await codeOf(echo(alice, 'carol'))).toBe('NODE_UNREACHABLE');
    expect(await after(world, 6 * SECOND, echo(alice, 'bob'))).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    expect(world.refusals).toContain('bob LINK_KEYS_DIFFER');
    await Promise.all([alice.close(), bob.close(), carol.close()]);
  });
});
