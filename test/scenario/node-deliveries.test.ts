import { SymmetraError } from '@symmetra/crypto';
import { createLogger, systemClock } from '@symmetra/runtime';
import { expect, test, vi } from 'vitest';
import { Deliveries } from '../../packages/node/src/pairwise/deliveries.js';
import type { DeliveriesParts } from '../../packages/node/src/pairwise/deliveries.js';

const UNAVAILABLE = new SymmetraError('STORE_UNAVAILABLE', 'not now');
const RESPONDER = 'ab'.repeat(32);
const ROW = {
  initiator: new Uint8Array(32),
  granted: { lifetimeSeconds: 60, uses: 0 },
  share: new Uint8Array(32),
  header: new Uint8Array(0),
  ephemeralKey: new Uint8Array(0),
};

/** Deliveries at a node whose store does not answer, and the devices to which it owes something. */
function atNodeWithoutStore() {
  const owed: string[] = [];
  const fails = async (): Promise<never> => {
    throw UNAVAILABLE;
  };
  let whenFresh: () => void = () => undefined;
  const freshness = {
    isFresh: true,
    whenFresh: (_name: string, task: () => void) => {
      whenFresh = task;
    },
  };
  const parts = {
    clock: systemClock,
    logger: createLogger({ level: 'silent', clock: systemClock }),
    freshness,
    presences: { find: fails },
    events: { owe: async (deviceHex: string) => void owed.push(deviceHex) },
    shares: {
      read: () => {
        throw UNAVAILABLE;
      },
    },
  };
  const deliveries = new Deliveries(parts as unknown as DeliveriesParts);
  return { deliveries, freshness, owed, becomeFresh: () => whenFresh() };
}

test('PAIR-4: a share that is stored and can not be delivered leaves its responder behind', async () => {
  const { deliveries, owed } = atNodeWithoutStore();
  await expect(deliveries.deliver(RESPONDER, 'key', ROW)).rejects.toBe(UNAVAILABLE);
  expect(owed).toEqual([RESPONDER]);
});

test('CTL-7: so do shares that waited until the node was fresh', async () => {
  const { deliveries, freshness, owed, becomeFresh } = atNodeWithoutStore();
  freshness.isFresh = false;
  await deliveries.deliver(RESPONDER, 'key', ROW);
  expect(owed).toEqual([]);
  freshness.isFresh = true;
  becomeFresh();
  await vi.waitFor(() => expect(owed).toEqual([RESPONDER]));
});
