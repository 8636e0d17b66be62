import type { Bus } from '@symmetra/bus';
import { utf8 } from '@symmetra/crypto';
import { LinkWorld } from '@symmetra/testing';
import type { CarriedDatagram, LinkedBusSettings } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { PeerProcess } from '../../packages/bus/src/linked/held-link.js';
import { PendingRequests } from '../../packages/bus/src/linked/pending-requests.js';
import { encodeReply } from '../../packages/bus/src/outcome.js';
import { NOTHING, SECOND, TIMEOUT, after, codeOf, echo, serveEcho } from './link-talk.js';

const SEALED = 5;

describe('Mallory carries the datagrams', () => {
  async function pair(
    name: string,
    settings: LinkedBusSettings = {},
  ): Promise<{ world: LinkWorld; alice: Bus; bob: Bus; carried: CarriedDatagram[] }> {
    const world = new LinkWorld(name);
    const carried: CarriedDatagram[] = [];
    world.wires.interfere = (datagram) => {
      carried.push(datagram);
      return [datagram];
    };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
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

  test('LINK-6: a reply counts only from the process that was asked', async () => {
    const { clock } = new LinkWorld('replies');
    const [bob, carol] = ['bob', 'carol'].map(
      (nodeId) => new PeerProcess({ nodeId, instance: '00000001' }, 1024),
    ) as [PeerProcess, PeerProcess];
    const pending = new PendingRequests(clock, () => undefined);
    const reply = new Promise<Uint8Array>((resolve, reject) => {
      const asked = {
        node: 'bob',
        subject: 'echo',
        timeoutMs: SECOND,
        named: false,
        process: bob,
        madeAt: 0,
      };
      pending.add(1, { ...asked, resolve, reject });
    });
    pending.settle(1, carol, encodeReply(utf8('of carol')));
    pending.settle(1, undefined, encodeReply(utf8('of nobody')));
    pending.settle(1, bob, encodeReply(utf8('of bob')));
    expect(Buffer.from(await reply).toString()).toBe('of bob');
    pending.stop();
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
    let renewals = 0;
    const { world, alice, bob, carried } = await pair('flood', {
      renewMs: 10 * SECOND,
      onLink: ({ renewed }) => {
        if (renewed) renewals += 1;
      },
    });
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
    await world.pass(2 * SECOND);
    await flood(20);
    expect(answers).toBeLessThanOrEqual(8);
    expect(world.refusals.filter((refusal) => refusal === 'bob LINK_FLOOD').length).toBeGreaterThan(190);
    for (let step = 0; step < 100; step++) {
      await flood(20);
      await world.pass(250);
    }
    expect(renewals).toBeGreaterThanOrEqual(4);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });
});
