import { LinkWorld } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { NOTHING, SECOND, TIMEOUT, after, codeOf, echo, serveEcho } from './link-talk.js';

const OPEN = 1;
const SEALED = 5;
const MEBIBYTE = 1024 * 1024;

/** An instance that no process has. */
function invented(number: number): string {
  return (0xf000_0000 + number).toString(16);
}

describe('LINK-8: processes that somebody made up', () => {
  test('cost so many handshakes a second, and no more: BUS_BUSY before anything is drawn', async () => {
    const world = new LinkWorld('invented');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    let opened = 0;
    world.wires.interfere = (datagram) => {
      if (datagram.bytes[0] === OPEN) opened += 1;
      return [datagram];
    };
    const ask = async (count: number, from: number): Promise<(string | undefined)[]> => {
      const codes = Array.from({ length: count }, async (_, i) =>
        codeOf(echo(alice, 'bob', invented(from + i))),
      );
      await world.settle();
      return Promise.all(codes);
    };
    const codes = await ask(500, 0);
    expect(opened).toBe(16);
    expect(codes.filter((code) => code === 'INSTANCE_GONE')).toHaveLength(16);
    expect(codes.filter((code) => code === 'BUS_BUSY')).toHaveLength(484);
    await world.pass(2 * SECOND);
    await ask(500, 1000);
    expect(opened).toBe(24);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    await Promise.all([alice.close(), bob.close()]);
  });

  test('a link that is there is renewed whatever else is named', async () => {
    const world = new LinkWorld('invented, renewed');
    let renewals = 0;
    const settings = {
      renewMs: 10 * SECOND,
      onLink: ({ renewed }: { renewed: boolean }) => (renewals += renewed ? 1 : 0),
    };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(bob);
    expect(await echo(alice, 'bob', bob.instance)).toBe('alice: hello');
    for (let second = 0; second < 50; second++) {
      const named = Array.from({ length: 20 }, async (_, i) =>
        codeOf(echo(alice, 'bob', invented(100 * second + i))),
      );
      await world.pass(SECOND);
      await Promise.all(named);
    }
    expect(renewals).toBeGreaterThanOrEqual(8);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('what waits for them is bounded, and leaves room for requests to the others', async () => {
    const world = new LinkWorld('invented, silent');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    world.wires.interfere = (datagram) => (datagram.bytes[0] === OPEN ? [] : [datagram]);
    const many = Array.from({ length: 20_000 }, async (_, i) =>
      codeOf(alice.request('bob', 'echo', NOTHING, { ...TIMEOUT, instance: invented(i % 8) })),
    );
    expect(await echo(alice, 'bob')).toBe('alice: hello');
    for (let step = 0; step < 22; step++) await world.pass(250);
    const codes = await Promise.all(many);
    expect(codes.filter((code) => code !== 'BUS_BUSY')).toHaveLength(1024);
    await world.pass(SECOND);
    const large = Array.from({ length: 16 }, async (_, i) =>
      codeOf(
        alice.request('bob', 'echo', new Uint8Array(MEBIBYTE / 2), { ...TIMEOUT, instance: invented(i) }),
      ),
    );
    for (let step = 0; step < 22; step++) await world.pass(250);
    expect((await Promise.all(large)).filter((code) => code !== 'BUS_BUSY').length).toBeLessThanOrEqual(8);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('do not drive out a process that there is a link with', async () => {
    const world = new LinkWorld('invented, many');
    const [alice, bob] = [world.join('alice'), world.join('bob')];
    serveEcho(bob);
    // Bob holds the link, and has heard nothing on it yet.
    world.wires.interfere = (datagram) => (datagram.bytes[0] === SEALED ? [] : [datagram]);
    const outcomes = [codeOf(echo(alice, 'bob'))];
    await world.settle();
    world.wires.interfere = (datagram) => (datagram.bytes[0] === OPEN ? [] : [datagram]);
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 16; i++) outcomes.push(codeOf(echo(bob, 'alice', invented(16 * second + i))));
      await world.pass(SECOND);
    }
    expect(await outcomes[0]).toBe('BUS_TIMEOUT');
    expect(await after(world, 6 * SECOND, echo(alice, 'bob'))).toBeUndefined();
    await Promise.all(outcomes);
    await Promise.all([alice.close(), bob.close()]);
  });
});

describe('LINK-8: what is being answered of one node', () => {
  test('is bounded by its bytes, over all processes of that node, also those that are gone', async () => {
    const world = new LinkWorld('handling');
    const bob = world.join('bob');
    const release: (() => void)[] = [];
    bob.serve('hold', async () => {
      await new Promise<void>((resolve) => {
        release.push(resolve);
      });
      return NOTHING;
    });
    const payload = new Uint8Array(MEBIBYTE / 2);
    const replicas = [world.join('alice'), world.join('alice')];
    const asked: Promise<string | undefined>[] = [];
    for (const [index, alice] of replicas.entries()) {
      for (let i = 0; i < 70; i++) {
        const request = alice.request('bob', 'hold', payload, { timeoutMs: 60 * SECOND });
        asked.push(codeOf(request));
        if (i % 10 === 9) await world.settle();
      }
      await world.settle();
      if (index === 0) await alice.close();
    }
    expect(release).toHaveLength(128);
    for (const answer of release) answer();
    await world.settle();
    const codes = await Promise.all(asked);
    expect(codes.filter((code) => code === 'BUS_BUSY')).toHaveLength(12);
    const again = codeOf((replicas[1] as (typeof replicas)[0]).request('bob', 'hold', payload, TIMEOUT));
    await world.settle();
    for (const answer of release.splice(128)) answer();
    expect(await again).toBeUndefined();
    await Promise.all([bob.close(), replicas[1]?.close()]);
  });
});
