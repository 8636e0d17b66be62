import type { Bus } from '@symmetra/bus';
import { LinkWorld } from '@symmetra/testing';
import type { CarriedDatagram } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { SECOND, TIMEOUT, codeOf, echo, serveEcho } from './link-talk.js';

const SEALED = 5;
const LONG = 200;

/** One request each way every second. @returns the codes of those that failed */
async function talk(world: LinkWorld, alice: Bus, bob: Bus, seconds: number): Promise<readonly string[]> {
  const outcomes: Promise<string | undefined>[] = [];
  for (let second = 0; second < seconds; second++) {
    outcomes.push(codeOf(echo(alice, 'bob')), codeOf(echo(bob, 'alice')));
    await world.pass(SECOND);
  }
  await world.pass(TIMEOUT.timeoutMs);
  return (await Promise.all(outcomes)).filter((code) => code !== undefined);
}

describe('LINK-7: two links between the same processes', () => {
  test('both open at once: nothing is lost in all the time after it', async () => {
    const world = new LinkWorld('both at once');
    let links = 0;
    const settings = { onLink: () => (links += 1) };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(alice);
    serveEcho(bob);
    expect(await talk(world, alice, bob, LONG)).toEqual([]);
    expect(links).toBe(4);
    expect(world.refusals).toEqual([]);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('both open at once, and renew: one is left that both send on, and the other one ends', async () => {
    const world = new LinkWorld('both at once, renewed');
    const settings = { renewMs: 40 * SECOND };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(alice);
    serveEcho(bob);
    const ids = new Set<string>();
    world.wires.interfere = (datagram) => {
      if (datagram.bytes[0] === SEALED) ids.add(Buffer.from(datagram.bytes.subarray(1, 9)).toString('hex'));
      return [datagram];
    };
    expect(await talk(world, alice, bob, LONG)).toEqual([]);
    ids.clear();
    await echo(alice, 'bob');
    expect(ids.size).toBe(1);
    expect(world.refusals).toEqual([]);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('the first datagram of a link comes after the link was renewed: the end does not go back to it', async () => {
    const world = new LinkWorld('late first datagram');
    const settings = { renewMs: 100 * SECOND };
    const [alice, bob] = [world.join('alice', settings), world.join('bob', settings)];
    serveEcho(alice);
    serveEcho(bob);
    const late: CarriedDatagram[] = [];
    let opened = 0;
    world.wires.interfere = (datagram) => {
      if (datagram.bytes[0] === 1) opened += 1;
      if (opened !== 1 || datagram.bytes[0] !== SEALED || datagram.from.node !== 'alice') return [datagram];
      late.push(datagram);
      return [];
    };
    for (let round = 0; round < 2; round++) {
      const lost = codeOf(echo(alice, 'bob'));
      await world.pass(TIMEOUT.timeoutMs);
      expect(await lost).toBe('BUS_TIMEOUT');
    }
    expect(opened).toBe(2);
    for (const datagram of late) world.wires.carry(datagram);
    await world.settle();
    expect(await talk(world, alice, bob, 80)).toEqual([]);
    await Promise.all([alice.close(), bob.close()]);
  });
});
