import { SymmetraError, signatureKeygen, suites, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  MessageWindow,
  SenderWindows,
  acceptedEpochs,
  decodeGroupHeader,
  encodeEpochBroadcast,
  encodeGroupDue,
  encodeState,
  inspectGroupMessage,
  openGroupMessage,
  readBroadcast,
  readWelcome,
  receiveDue,
  receiveEpochBroadcast,
  receiveWelcome,
  sealGroupMessage,
  signBroadcast,
} from '@symmetra/protocol';
import type { Descriptor, EpochBroadcast, MemberStep } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOUND_MS, NODE_IDS, createdGroup, deviceOf, floorsOf, notice } from '../scenario/group-world.js';
import { CONTEXT, NETWORK_ID, SUITES } from '../scenario/protocol-world.js';
import { effort } from './effort.js';
import { mutated } from './protocol-corpus.js';

const RUNS = 100;
const AAD = Uint8Array.of(7);
const SIGNING = signatureKeygen(new Prng('fuzz group').bytes(32));

const DESCRIPTOR: Descriptor = {
  networkId: NETWORK_ID,
  version: 7,
  nodes: NODE_IDS.map((id) => ({
    id,
    addresses: [],
    kemKeys: [],
    signingKey: SIGNING.publicKey,
    operator: 'somebody',
  })),
  suites: [1, 2, 3],
  threshold: 2,
  administrators: [],
  administratorThreshold: 1,
};

/** What a member, or the reader of bytes that somebody sent, may answer. */
const CODES = new Set([
  'AUTHENTICATION_FAILED',
  'BAD_ENCODING',
  'BAD_HEADER',
  'BAD_SIGNATURE',
  'BELOW_FLOOR',
  'EPOCH_NOT_ACCEPTED',
  'GROUP_UNKNOWN',
  'MESSAGE_REPLAYED',
  'NODE_UNKNOWN',
  'NOT_IN_NODE_SET',
  'SHARE_MISMATCH',
  'SUITE_FORBIDDEN',
  'SUITE_UNKNOWN',
  'WRONG_NETWORK',
  'WRONG_VERSION',
]);

interface Target {
  readonly valid: readonly Uint8Array[];
  /** What is done with the bytes; false when it must not have been accepted. */
  receive(bytes: Uint8Array): boolean;
}

function contentOf(broadcast: EpochBroadcast): Uint8Array {
  const content = encodeEpochBroadcast(CONTEXT, broadcast);
  if (content === undefined) throw new Error('the broadcast is short');
  return content;
}

/** Damaged bytes may say what is harmless, but never bring a member an epoch. */
function bringsNothing({ output }: MemberStep): boolean {
  return output.kind !== 'epoch' && output.kind !== 'out';
}

function targets(suite: Suite): Readonly<Record<string, Target>> {
  const { scene, members } = createdGroup(suite, ['alice', 'bob', 'carol']);
  const bob = members.get('bob');
  if (!bob) throw new Error('Bob is a member');
  const { state } = bob;
  const [epoch] = acceptedEpochs(state.epochs, 0, BOUND_MS);
  const [broadcast] = scene.next({ removed: ['carol'] });
  if (!epoch || !broadcast) throw new Error('there is an epoch, and a broadcast of the next');
  const content = contentOf(broadcast);
  const due = encodeGroupDue(CONTEXT, notice(scene, 'bern'));
  const welcome = scene.nodes[0].welcome('bob');
  const from = { sender: deviceOf('alice'), counter: 3, guard: Uint8Array.of(1, 2, 3, 4) };
  const message = sealGroupMessage(CONTEXT, epoch, from, AAD, Uint8Array.of(1, 2, 3));
  const windows = new SenderWindows(3);
  const stored = MessageWindow.fresh().take(70) as Uint8Array;
  const asWelcome = (changed: Partial<typeof welcome>): boolean => {
    const copy = { ...welcome, share: welcome.share.slice(), pathKeys: welcome.pathKeys.slice(), ...changed };
    return bringsNothing(
      receiveWelcome(CONTEXT, state, readWelcome(CONTEXT, floorsOf(), 'amsterdam', copy), 0),
    );
  };
  return {
    header: {
      valid: [welcome.header],
      receive: (bytes) => decodeGroupHeader(CONTEXT, bytes).nodes.length > 0,
    },
    'broadcast without its signature': {
      valid: [content, due],
      receive: (bytes) => readBroadcast(CONTEXT, DESCRIPTOR, bytes, new Uint8Array(3309)) === undefined,
    },
    'welcome header': { valid: [welcome.header], receive: (header) => asWelcome({ header }) },
    'welcome tag': { valid: [welcome.tag], receive: (tag) => asWelcome({ tag }) },
    'welcome share': { valid: [welcome.share], receive: (share) => asWelcome({ share }) },
    'welcome path': { valid: [welcome.pathKeys], receive: (pathKeys) => asWelcome({ pathKeys }) },
    'group message': {
      valid: [message],
      receive: (bytes) => {
        inspectGroupMessage(bytes);
        return openGroupMessage(CONTEXT, [epoch], () => windows, bytes, AAD) === undefined;
      },
    },
    'stored window': { valid: [stored], receive: (bytes) => MessageWindow.restore(bytes).accepts(1e9) },
  };
}

describe.each(SUITES)('GRP-7 to GRP-12: what reaches a member under suite $id', (suite) => {
  test.each(Object.entries(targets(suite)))('%s: arbitrary and damaged bytes do no harm', (_, target) => {
    const bytes = fc.oneof(
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
      { weight: 5, arbitrary: mutated(target.valid) },
    );
    fc.assert(
      fc.property(bytes, (candidate) => {
        if (target.valid.some((valid) => toHex(valid) === toHex(candidate))) return;
        try {
          expect(target.receive(candidate)).toBe(true);
        } catch (error) {
          if (!(error instanceof SymmetraError) || !CODES.has(error.code)) throw error;
        }
      }),
      effort(RUNS),
    );
  });
});

describe('GRP-7, GRP-10: what a lying node signed', () => {
  const suite = suites.get(1);
  const { scene, members } = createdGroup(suite, ['alice', 'bob', 'carol']);
  const state = members.get('bob')?.state;
  const [broadcast] = scene.next({ removed: ['carol'] });
  if (!state || !broadcast) throw new Error('Bob is a member');
  const valid = [contentOf(broadcast), encodeGroupDue(CONTEXT, notice(scene, 'bern'))];

  test('is read as the protocol wrote it', () => {
    const read = valid.map((content) =>
      readBroadcast(CONTEXT, DESCRIPTOR, content, signBroadcast(content, SIGNING.secretKey)),
    );
    expect(read).toEqual([broadcast, notice(scene, 'bern')]);
  });

  test('is refused or harmless, and leaves what the member has as it is', () => {
    const before = toHex(encodeState(state));
    fc.assert(
      fc.property(mutated(valid), (content) => {
        try {
          const signature = signBroadcast(content, SIGNING.secretKey);
          const read = readBroadcast(CONTEXT, DESCRIPTOR, content, signature);
          const step =
            read.kind === 'due'
              ? receiveDue(state, read, 0)
              : receiveEpochBroadcast(CONTEXT, floorsOf(), state, read, 0);
          expect(bringsNothing(step)).toBe(true);
        } catch (error) {
          if (!(error instanceof SymmetraError) || !CODES.has(error.code)) throw error;
        }
      }),
      effort(60),
    );
    expect(toHex(encodeState(state))).toBe(before);
  });
});
