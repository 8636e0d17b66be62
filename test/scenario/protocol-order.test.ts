import { SymmetraError } from '@symmetra/crypto';
import { encodeState } from '@symmetra/protocol';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { Prng } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Chains } from '../../packages/sdk/src/chain/chains.js';
import { Sessions } from '../../packages/sdk/src/session/sessions.js';
import type { SessionParts } from '../../packages/sdk/src/session/sessions.js';
import { DeviceState } from '../../packages/sdk/src/state/device-state.js';
import { AMSTERDAM, CONTEXT, SUITES, fullStep, newChain } from './protocol-world.js';

const NODE = AMSTERDAM.nodeId;
const [SUITE] = SUITES;

/** A device whose store takes every commit when `room` is there, and says what happened in which order. */
async function scene(room: boolean) {
  if (SUITE === undefined) throw new Error('there are suites');
  const memory = openMemoryStore();
  const { device } = fullStep(newChain(SUITE), SUITE, 'alice');
  await memory.commit([{ key: `chain/${NODE}`, value: encodeState({ chain: device, steppedMs: 0 }) }]);
  const happened: string[] = [];
  const store: Store = {
    get: async (key) => memory.get(key),
    scan: async (prefix) => memory.scan(prefix),
    close: async () => memory.close(),
    commit: async (changes) => {
      if (!room) throw new SymmetraError('STORE_FULL', 'there is no room');
      await new Promise(setImmediate);
      const made = await memory.commit(changes);
      happened.push('stored');
      return made;
    },
  };
  const prng = new Prng('order');
  const sessions = new Sessions({
    context: CONTEXT,
    chains: await Chains.load(new DeviceState(store)),
    routes: {
      call: async () => {
        happened.push('sent');
        throw new SymmetraError('NODE_UNREACHABLE', 'nobody answers');
      },
    },
    random: { bytes: (length: number) => prng.bytes(length) },
    timers: { monotonic: () => 0 },
  } as unknown as SessionParts);
  return { sessions, happened };
}

test('SES-1: the open message leaves once the step of the chain is durable, and not before', async () => {
  const { sessions, happened } = await scene(true);
  await expect(sessions.get(NODE)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  expect(happened).toEqual(['stored', 'sent']);
});

test('SES-1: nothing leaves when the step of the chain can not be stored', async () => {
  const { sessions, happened } = await scene(false);
  await expect(sessions.get(NODE)).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(happened).toEqual([]);
});
