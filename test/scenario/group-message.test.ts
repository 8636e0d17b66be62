import { suites, toHex } from '@symmetra/crypto';
import {
  COUNTERS_AHEAD,
  MessageCounter,
  MessageWindow,
  REPLAY_WINDOW,
  SenderWindows,
  acceptedEpochs,
  inspectGroupMessage,
  messageLimit,
  openGroupMessage,
  sealGroupMessage,
} from '@symmetra/protocol';
import type { HeldEpoch, OpenedGroupMessage } from '@symmetra/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOUND_MS, GROUP_ID, createdGroup, deviceOf } from './group-world.js';
import { CONTEXT, SUITES, codeOf, flipped } from './protocol-world.js';

const ALICE = deviceOf('alice');
const PLAINTEXT = new TextEncoder().encode('the door is open');
const AAD = Uint8Array.of(7);
const GUARD = Uint8Array.of(1, 2, 3, 4);

interface Ends {
  readonly sent: HeldEpoch;
  readonly epochs: readonly HeldEpoch[];
  seal(counter: number, guard?: Uint8Array): Uint8Array;
  open(message: Uint8Array, aad?: Uint8Array): OpenedGroupMessage;
}

function endsOf(suite: (typeof SUITES)[number], uses = 0): Ends {
  const { scene, members } = createdGroup(suite, ['alice', 'bob']);
  const broadcasts = scene.next({ uses });
  for (const member of members.values()) broadcasts.forEach((broadcast) => member.hear(broadcast));
  const [sent] = members.get('alice')?.state.epochs ?? [];
  const epochs = acceptedEpochs(members.get('bob')?.state.epochs ?? [], 0, BOUND_MS);
  if (!sent) throw new Error('Alice holds the epoch');
  const windows = new Map(epochs.map((epoch) => [epoch, new SenderWindows(epoch.header.members)]));
  return {
    sent,
    epochs,
    seal: (counter, guard = GUARD) =>
      sealGroupMessage(CONTEXT, sent, { sender: ALICE, counter, guard }, AAD, PLAINTEXT),
    open: (message, aad = AAD) =>
      openGroupMessage(CONTEXT, epochs, (epoch) => windows.get(epoch) as SenderWindows, message, aad),
  };
}

describe.each(SUITES)('GRP-12: a group message under suite $id', (suite) => {
  const ends = endsOf(suite);

  test('is opened once by another member', () => {
    const message = ends.seal(0);
    const opened = ends.open(message);
    expect(opened).toMatchObject({ groupId: GROUP_ID, epoch: 2, sender: ALICE, counter: 0, guard: GUARD });
    expect(opened.plaintext).toEqual(PLAINTEXT);
    expect(opened.epochId).toEqual(ends.sent.epochId);
    expect(inspectGroupMessage(message)).toEqual({
      groupId: GROUP_ID,
      epoch: 2,
      sender: ALICE,
      counter: 0,
      guard: GUARD,
    });
    expect(codeOf(() => ends.open(message))).toBe('MESSAGE_REPLAYED');
    expect(codeOf(() => ends.open(ends.seal(0, Uint8Array.of(9, 9, 9, 9))))).toBe('MESSAGE_REPLAYED');
  });

  test('binds every field and the associated data', () => {
    const message = ends.seal(5);
    const refused = (bytes: Uint8Array, aad = AAD): string => codeOf(() => ends.open(bytes, aad));
    expect(refused(message, Uint8Array.of(8))).toBe('AUTHENTICATION_FAILED');
    const fields = { group: 1, sender: 25, counter: 64, guard: 65, ciphertext: 71, tag: message.length - 1 };
    for (const at of Object.values(fields)) {
      expect(refused(flipped(message, at))).toBe('AUTHENTICATION_FAILED');
    }
    expect(refused(flipped(message, 0))).toBe('WRONG_VERSION');
    expect(refused(flipped(message, 24))).toBe('EPOCH_NOT_ACCEPTED');
    expect(refused(message.slice(0, -1))).toBe('BAD_ENCODING');
    expect(ends.open(message).counter).toBe(5);
  });
});

describe('GRP-12: counters and limits', () => {
  const suite = suites.get(1);

  test('a counter beyond the uses of the header is refused', () => {
    const ends = endsOf(suite, 10);
    expect(messageLimit(ends.sent)).toBe(10);
    expect(codeOf(() => ends.open(ends.seal(10)))).toBe('AUTHENTICATION_FAILED');
    expect(ends.open(ends.seal(9)).counter).toBe(9);
    const unlimited = endsOf(suite);
    expect(messageLimit(unlimited.sent)).toBe(2 ** 32);
    expect(codeOf(() => unlimited.open(unlimited.seal(2 ** 32)))).toBe('AUTHENTICATION_FAILED');
  });

  test('nothing is opened or sealed with keys that were erased', () => {
    const ends = endsOf(suite);
    const message = ends.seal(0);
    for (const { messageKey } of [ends.sent, ...ends.epochs]) messageKey.wipe();
    expect(codeOf(() => ends.open(message))).toBe('SECRET_WIPED');
    expect(codeOf(() => ends.seal(1))).toBe('SECRET_WIPED');
  });

  test('there are windows for as many senders as members', () => {
    const ends = endsOf(suite);
    const from = (name: string): string => {
      const sender = deviceOf(name);
      const message = sealGroupMessage(
        CONTEXT,
        ends.sent,
        { sender, counter: 0, guard: GUARD },
        AAD,
        PLAINTEXT,
      );
      return codeOf(() => ends.open(message));
    };
    expect(['alice', 'bob', 'made up', 'bob'].map(from)).toEqual([
      'done',
      'done',
      'AUTHENTICATION_FAILED',
      'MESSAGE_REPLAYED',
    ]);
  });

  test('under two epoch ids of one number, each message is of its own', () => {
    const { scene, members } = createdGroup(suite, ['alice', 'bob']);
    const one = scene.deal({ salt: 'one' });
    const other = scene.deal({ salt: 'other' });
    const [a, b] = scene.nodes;
    const alice = members.get('alice');
    if (!alice) throw new Error('Alice is a member');
    for (const dealt of [one, other]) {
      for (const node of [a, b]) {
        const { header, tag } = dealt.deal;
        alice.welcome(node.nodeId, { ...node.welcome('alice'), header, tag, share: node.shareOf(dealt) });
      }
    }
    const epochs = alice.state.epochs.filter(({ header }) => header.epoch === 2);
    expect(epochs).toHaveLength(2);
    const windows = new Map(epochs.map((epoch) => [epoch, new SenderWindows(2)]));
    for (const epoch of epochs) {
      const message = sealGroupMessage(
        CONTEXT,
        epoch,
        { sender: ALICE, counter: 0, guard: GUARD },
        AAD,
        PLAINTEXT,
      );
      const opened = openGroupMessage(
        CONTEXT,
        epochs,
        (held) => windows.get(held) as SenderWindows,
        message,
        AAD,
      );
      expect(toHex(opened.epochId)).toBe(toHex(epoch.epochId));
    }
  });

  test('a sender stores a bound before it uses a counter, and after a crash goes on above it', () => {
    const counter = new MessageCounter(0);
    const taken = Array.from({ length: 70 }, () => counter.take(2 ** 32));
    expect(taken.map((one) => one?.counter)).toEqual(Array.from({ length: 70 }, (_, i) => i));
    const stored = taken.flatMap((one) => (one?.store === undefined ? [] : [one.store]));
    expect(stored).toEqual([COUNTERS_AHEAD, 2 * COUNTERS_AHEAD]);
    const after = new MessageCounter(2 * COUNTERS_AHEAD);
    expect(after.take(2 ** 32)).toEqual({ counter: 128, store: 192 });
    expect(after.remaining(130)).toBe(1);
    expect(after.take(130)).toEqual({ counter: 129, store: undefined });
    expect(after.take(130)).toBeUndefined();
    expect(after.remaining(130)).toBe(0);
    expect(after.remaining(10)).toBe(0);
    expect(new MessageCounter(after.finish()).take(131)).toEqual({ counter: 130, store: 131 });
  });

  test('a bound never passes the limit', () => {
    expect(new MessageCounter(0).take(10)).toEqual({ counter: 0, store: 10 });
  });
});

describe('GRP-12: the window of a sender', () => {
  /** Takes a counter when it is new, and gives what is stored then. */
  function taking(
    window: MessageWindow,
    counter: number,
    stored: Uint8Array | undefined,
  ): Uint8Array | undefined {
    return window.accepts(counter) ? (window.take(counter) ?? stored) : stored;
  }

  test('takes each counter once, over any crash, and refuses at most 64 unseen ones above the newest', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.nat({ max: 400 }).map((counter) => ({ counter })) },
      { weight: 2, arbitrary: fc.nat({ max: 5000 }).map((counter) => ({ counter })) },
      { weight: 1, arbitrary: fc.constant({ counter: -1 }) },
      { weight: 1, arbitrary: fc.constant({ counter: -2 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let window = MessageWindow.fresh();
        let stored: Uint8Array | undefined;
        const taken = new Set<number>();
        let newest = -1;
        for (const { counter } of steps) {
          if (counter === -2) stored = window.finish();
          if (counter < 0) {
            window = stored ? MessageWindow.restore(stored) : MessageWindow.fresh();
            newest += COUNTERS_AHEAD;
            expect(window.accepts(newest + 1)).toBe(true);
            for (const old of taken) expect(window.accepts(old)).toBe(false);
            continue;
          }
          if (window.accepts(counter)) {
            expect(taken.has(counter)).toBe(false);
            taken.add(counter);
            newest = Math.max(newest, counter);
          }
          stored = taking(window, counter, stored);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('loses nothing when it ends in good order', () => {
    const window = MessageWindow.fresh();
    for (const counter of [0, 1, 5, 40]) window.take(counter);
    const again = MessageWindow.restore(window.finish());
    expect([2, 3, 4, 39, 41].every((counter) => again.accepts(counter))).toBe(true);
    expect([0, 1, 5, 40].some((counter) => again.accepts(counter))).toBe(false);
  });

  test('is stored once for many counters in order, and for each that comes late', () => {
    const window = MessageWindow.fresh();
    const writes = Array.from({ length: 256 }, (_, i) => window.take(2 * i)).filter(Boolean).length;
    expect(writes).toBe(8);
    expect(window.take(1)).toBeDefined();
    expect(window.take(511)).toBeUndefined();
  });

  test('reaches back as far as 1024', () => {
    const window = MessageWindow.fresh();
    window.take(5000);
    expect(window.accepts(5000 - REPLAY_WINDOW)).toBe(false);
    expect(window.accepts(5001 - REPLAY_WINDOW)).toBe(true);
    expect(window.accepts(5000)).toBe(false);
  });

  test('that was stored is read whole or refused', () => {
    const window = MessageWindow.fresh();
    const stored = window.take(3) as Uint8Array;
    const senders = new SenderWindows(2);
    senders.restore(ALICE, stored);
    expect(senders.of(ALICE).accepts(3)).toBe(false);
    expect(senders.of(ALICE).accepts(4)).toBe(false);
    expect(senders.of(ALICE).accepts(4 + COUNTERS_AHEAD)).toBe(true);
    expect(senders.finish()).toEqual([{ sender: ALICE, window: senders.of(ALICE).finish() }]);
    expect(codeOf(() => senders.restore(ALICE, stored.slice(1)))).toBe('BAD_ENCODING');
    const swapped = Uint8Array.from([
      ...stored.slice(0, 128),
      ...stored.slice(136),
      ...stored.slice(128, 136),
    ]);
    expect(codeOf(() => senders.restore(ALICE, swapped))).toBe('BAD_ENCODING');
  });
});
