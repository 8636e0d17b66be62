import { SymmetraError } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import { ManualClock, fresh } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Connection } from '../../packages/sdk/src/session/connection.js';
import type { ConnectionParts } from '../../packages/sdk/src/session/connection.js';
import { EventNumbers } from '../../packages/sdk/src/session/event-numbers.js';
import type { HomeLink } from '../../packages/sdk/src/session/home-link.js';
import { Timers } from '../../packages/sdk/src/timers.js';

/* Which home a device takes when nodes do not reach one another (PAIR-10), and when it attaches (SES-7). */

const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const unreachable = () => new SymmetraError('NODE_UNREACHABLE', 'the node did not answer');

/** A device and its nodes; every node serves. */
function scene(nodes: readonly string[]) {
  const clock = new ManualClock();
  const timers = new Timers(clock);
  const attached: { readonly node: string; readonly home: string }[] = [];
  const homes: string[] = [];
  const closers = new Map<string, () => void>();
  const world = {
    reaches: (_home: string, _node: string): boolean => true,
    answer: async (_node: string, _method: string): Promise<void> => undefined,
    opened: async (_node: string): Promise<void> => undefined,
  };
  const sessionOf = (nodeId: string) => ({ nodeId, attached: false, events: new EventNumbers() });
  const sessions = new Map(nodes.map((nodeId) => [nodeId, sessionOf(nodeId)]));
  const connectionTo = (node: string) => ({
    health: async () => 'SERVING',
    connectLink: () => ({
      onFrame: () => undefined,
      onClose: (listener: () => void) => closers.set(node, listener),
      close: () => undefined,
    }),
  });
  const parts = {
    chains: { ready: () => nodes, nodes: () => nodes },
    sessions: { get: async () => undefined, current: (node: string) => sessions.get(node) },
    calls: {
      call: async (link: HomeLink, node: string, method: string) => {
        await world.opened(node);
        if (node !== link.home && !world.reaches(link.home, node)) throw unreachable();
        await world.answer(node, method);
        const session = sessions.get(node);
        if (method.endsWith('/Attach') && session !== undefined) {
          session.attached = true;
          attached.push({ node, home: link.home });
        }
        return { lastEvent: 0, descriptorVersion: 1, stage: '' };
      },
    },
    random: { bytes: (length: number) => new Uint8Array(length) },
    timers,
    logger: createLogger({ level: 'silent', clock }),
    deviceId: fresh(32),
    addresses: () => [],
    onEvent: () => undefined,
    groups: {},
    descriptors: { current: { version: 1, threshold: 2 } },
    routes: {
      addresses: (node: string) => [node],
      client: connectionTo,
      prefer: (node: string | undefined) => node !== undefined && homes.push(node),
    },
    onBound: () => undefined,
  };
  const connection = new Connection(parts as unknown as ConnectionParts);
  const pass = async (seconds: number): Promise<void> => {
    for (let tick = 0; tick < 4 * seconds; tick++) {
      clock.advance(250);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  return { connection, world, homes, attached, sessions, closers, pass, sessionOf };
}

test('PAIR-10: of three nodes of which two do not reach one another, the third becomes the home', async () => {
  const { connection, world, homes, pass } = scene(['node-1', 'node-2', 'node-3']);
  await connection.connect();
  const [first = ''] = homes;
  // Home next: the node that the first one is to be cut off from.
  connection.doubtHome();
  await pass(1);
  const next = connection.home ?? '';
  const cut = new Set([first, next]);
  world.reaches = (home, node) => !(cut.has(home) && cut.has(node));
  connection.announce();
  await pass(180);
  expect(cut).not.toContain(connection.home);
  const moves = homes.length;
  await pass(300);
  expect(homes).toHaveLength(moves);
  await connection.close();
});

test('PAIR-10: a device does not go round for ever quickly where the nodes fall apart into two parts that serve', async () => {
  const { connection, world, homes, pass } = scene(['node-1', 'node-2', 'node-3', 'node-4', 'node-5']);
  const isFirst = (node: string): boolean => node < 'node-3';
  world.reaches = (home, node) => isFirst(home) === isFirst(node);
  await connection.connect();
  await pass(600);
  expect(homes.length).toBeLessThan(14);
  world.reaches = () => true;
  await pass(90);
  const moves = homes.length;
  await pass(300);
  expect(homes).toHaveLength(moves);
  await connection.close();
});

test('SES-7: a device attaches in a session that a call opened, also when the call was refused', async () => {
  const { connection, world, attached, sessions, pass, sessionOf } = scene(['node-1', 'node-2', 'node-3']);
  await connection.connect();
  await pass(1);
  const other = connection.home === 'node-1' ? 'node-2' : 'node-1';
  sessions.set(other, sessionOf(other));
  world.answer = async (_node, method) => {
    if (method === RELAY) throw new SymmetraError('PEER_UNKNOWN', 'the peer is not enrolled at this node');
  };
  const before = attached.length;
  await expect(connection.call(other, RELAY, {})).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
  await pass(1);
  expect(attached.slice(before)).toMatchObject([{ node: other }]);
  await connection.close();
});

test('SES-7: an Attach that was under way through a former home is none through the new one', async () => {
  const { connection, world, homes, attached, closers, pass } = scene(['node-1', 'node-2', 'node-3']);
  await connection.connect();
  await pass(1);
  const [first = ''] = homes;
  let free: () => void = () => undefined;
  world.opened = async () =>
    new Promise((resolve) => {
      free = resolve;
    });
  connection.announce();
  await pass(1);
  world.opened = async () => undefined;
  const before = attached.length;
  closers.get(first)?.();
  await pass(2);
  const home = connection.home ?? '';
  expect(home).not.toBe(first);
  expect(attached.slice(before).map(({ home: stated }) => stated)).toEqual([home, home, home]);
  free();
  await connection.close();
});
