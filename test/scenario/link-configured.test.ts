import type { Bus, QkdSource } from '@symmetra/bus';
import { Secret, SymmetraError, utf8 } from '@symmetra/crypto';
import { LinkWorld } from '@symmetra/testing';
import type { CarriedDatagram } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';
import { SECOND, after, codeOf, echo, serveEcho } from './link-talk.js';

const CONFIRM = 3;

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

  it('LINK-7: a handshake that is under way when the keys change gives no link', async () => {
    const world = new LinkWorld('descriptor, under way');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(alice);
    const held: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      if (datagram.bytes[0] !== CONFIRM) return [datagram];
      held.push(datagram);
      return [];
    };
    const asked = codeOf(echo(bob, 'alice'));
    await world.settle();
    expect(held).toHaveLength(1);
    world.replace('bob');
    alice.keysChanged();
    world.wires.interfere = (datagram) => [datagram];
    for (const datagram of held) world.wires.carry(datagram);
    await world.settle();
    expect(world.refusals).toEqual(['alice LINK_UNKNOWN']);
    for (let step = 0; step < 24; step++) await world.pass(250);
    expect(await asked).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    await Promise.all([alice.close(), bob.close()]);
  });

  it('LINK-7: a QKD source that never answers opens no link where it is required', async () => {
    const world = new LinkWorld('qkd silent');
    const never = Promise.race<never>([]);
    const silent = { required: true, newKey: async () => never, keyOf: async () => never };
    const [alice, bob] = [
      world.join('alice', { qkd: () => silent }),
      world.join('bob', { qkd: () => silent }),
    ];
    serveEcho(bob);
    expect(await after(world, 6 * SECOND, echo(alice, 'bob'))).toMatch(/NODE_UNREACHABLE|BUS_TIMEOUT/);
    expect(world.refusals).toEqual(['alice LINK_SILENT']);
    await Promise.all([alice.close(), bob.close()]);
  });
});
