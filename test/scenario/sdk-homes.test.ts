import { SymmetraError } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Connection } from '../../packages/sdk/src/session/connection.js';
import type { ConnectionParts } from '../../packages/sdk/src/session/connection.js';
import { EventNumbers } from '../../packages/sdk/src/session/event-numbers.js';
import { Timers } from '../../packages/sdk/src/timers.js';

const [HOME, OTHER] = ['node-1', 'node-2'];

/** A device at one home, that can take another; no call gets through the home to the other node. */
async function scene(health: () => Promise<string>) {
  const clock = new ManualClock();
  const homes: string[] = [];
  const link = {
    send: () => true,
    onFrame: () => undefined,
    onClose: () => undefined,
    close: () => undefined,
    cancel: () => undefined,
  };
  const sessions = new Map(
    [HOME, OTHER].map((nodeId) => [nodeId, { nodeId, attached: false, events: new EventNumbers() }]),
  );
  const parts = {
    deviceId: new Uint8Array(32),
    chains: { ready: () => [HOME, OTHER], nodes: () => [HOME, OTHER] },
    sessions: {
      get: async (nodeId: string) => sessions.get(nodeId),
      current: (nodeId: string) => sessions.get(nodeId),
    },
    descriptors: { current: { threshold: 1, version: 1 } },
    routes: {
      addresses: (nodeId: string) => [nodeId],
      client: () => ({ connectLink: () => link, health }),
      prefer: (nodeId: string | undefined) => {
        if (nodeId !== undefined) homes.push(nodeId);
      },
    },
    calls: {
      call: async (
        { home }: { readonly home: string },
        nodeId: string,
        _method: string,
        requestIn: (session: unknown) => object,
      ) => {
        requestIn(sessions.get(nodeId));
        if (nodeId !== home) throw new SymmetraError('DEADLINE_EXCEEDED', 'no answer came');
        return { lastEvent: 0, descriptorVersion: 1, stage: 'production' };
      },
    },
    random: { bytes: (length: number) => new Uint8Array(length) },
    timers: new Timers(clock),
    logger: createLogger({ level: 'silent', clock }),
    addresses: () => [],
    onEvent: () => undefined,
    groups: {},
    onBound: () => undefined,
  };
  const connection = new Connection(parts as unknown as ConnectionParts);
  await connection.connect();
  /** Lets what is due come to its end. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  await settle();
  return { clock, connection, homes, settle };
}

const callOther = async (connection: Connection, home: string | undefined): Promise<void> => {
  const other = home === HOME ? OTHER : HOME;
  await connection
    .call(other, '/symmetra.session.v1.SessionService/Close', {})
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' }));
};

test.each(['NOT_SERVING', 'UNKNOWN', 'SERVICE_UNKNOWN'])(
  'PAIR-10: a node that says %s when it is asked directly says nothing against the home',
  async (status) => {
    const { connection, homes, settle } = await scene(async () => status);
    await callOther(connection, connection.home);
    await settle();
    expect(homes).toHaveLength(1);
  },
);

test('PAIR-10: nor does one that can not be reached directly either', async () => {
  const { connection, homes, settle } = await scene(async () => {
    throw new SymmetraError('NODE_UNREACHABLE', 'no connection to the node');
  });
  await callOther(connection, connection.home);
  await settle();
  expect(homes).toHaveLength(1);
});

test('PAIR-10: a home is left through which a node that serves is not reached, and the next one not at once', async () => {
  const { clock, connection, homes, settle } = await scene(async () => 'SERVING');
  expect(homes).toHaveLength(2);
  expect(new Set(homes).size).toBe(2);
  clock.advance(19_000);
  await callOther(connection, connection.home);
  await settle();
  expect(homes).toHaveLength(2);
});
