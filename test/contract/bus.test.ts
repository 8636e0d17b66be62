import { InProcessNetwork, decodeOutcome, encodeFailure, encodeReply } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import { ManualClock } from '@symmetra/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeBus } from './bus-suite.js';

/** Lets everything that was handed to the event loop happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

describeBus('in one process', async () => {
  const clock = new ManualClock();
  const network = new InProcessNetwork({ clock });
  return {
    join: async (nodeId) => network.join(nodeId),
    pass: async (ms) => {
      await settle();
      clock.advance(ms);
      await settle();
    },
  };
});

describe('the network in one process', () => {
  it('refuses a second node with one id', () => {
    const network = new InProcessNetwork({ clock: new ManualClock() });
    network.join('n1');
    expect(() => network.join('n1')).toThrow(expect.objectContaining({ code: 'NODE_ID_TAKEN' }));
  });

  it('tells of handlers that failed without a SymmetraError, and of no others', async () => {
    const failures: unknown[] = [];
    const network = new InProcessNetwork({
      clock: new ManualClock(),
      onFailure: (subject, error) => failures.push([subject, error]),
    });
    const bus = network.join('n1');
    const inner = new Error('inner');
    bus.serve('fail', () => Promise.reject(inner));
    bus.serve('refuse', () => Promise.reject(new SymmetraError('POLICY_REFUSED', 'no')));
    const timeout = { timeoutMs: 1000 };
    await expect(bus.request('n1', 'fail', new Uint8Array(0), timeout)).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await expect(bus.request('n1', 'refuse', new Uint8Array(0), timeout)).rejects.toMatchObject({
      code: 'POLICY_REFUSED',
    });
    expect(failures).toEqual([['fail', inner]]);
  });

  it('leaves no timer behind', async () => {
    const clock = new ManualClock();
    const network = new InProcessNetwork({ clock });
    const [first, second] = [network.join('n1'), network.join('n2')];
    second.serve('echo', async (_from, payload) => payload);
    await first.request('n2', 'echo', new Uint8Array(1), { timeoutMs: 1000 });
    const waiting = first
      .request('n2', 'echo', new Uint8Array(1), { timeoutMs: 1000 })
      .catch((error: unknown) => error);
    await first.close();
    expect(await waiting).toMatchObject({ code: 'NODE_UNREACHABLE' });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an outcome on the bus', () => {
  const failureOf = (bytes: Uint8Array): unknown => {
    try {
      return decodeOutcome(bytes);
    } catch (error) {
      return error;
    }
  };

  it('keeps any reply', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (payload) => {
        expect(decodeOutcome(encodeReply(payload))).toEqual(payload);
      }),
    );
  });

  it('keeps any failure, as far as its parts may be sent', () => {
    const details = fc.dictionary(
      fc.string({ maxLength: 20 }),
      fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), details, (message, stated) => {
        const failure = failureOf(encodeFailure(new SymmetraError('POLICY_REFUSED', message, stated)));
        const expected = Object.fromEntries(
          Object.entries(stated).map(([key, value]) => [key, plain(value)]),
        );
        expect(failure).toMatchObject({ code: 'POLICY_REFUSED', message });
        expect((failure as SymmetraError).details).toEqual(expected);
      }),
    );
  });

  it('keeps the code when the rest can not be sent', () => {
    const failure = failureOf(encodeFailure(new SymmetraError('POLICY_REFUSED', 'broken \ud800 text')));
    expect(failure).toMatchObject({ code: 'POLICY_REFUSED' });
  });

  it('cuts a message that is too long, and numbers that are none to text', () => {
    const error = new SymmetraError('POLICY_REFUSED', 'm'.repeat(5000), { ratio: Number.NaN });
    const failure = failureOf(encodeFailure(error)) as SymmetraError;
    expect(failure.message).toMatch(/^m+$/);
    expect(failure.details).toEqual({ ratio: 'NaN' });
  });

  it('that is junk gives BAD_ENCODING', () => {
    const junk = fc.uint8Array({ maxLength: 100 }).filter((bytes) => bytes[0] !== 0);
    fc.assert(
      fc.property(junk, (bytes) => {
        expect(failureOf(bytes)).toBeInstanceOf(SymmetraError);
      }),
    );
    for (const bytes of [[], [2], [1], [1, 0], [255, 1, 2, 3]]) {
      expect(failureOf(Uint8Array.from(bytes))).toMatchObject({ code: 'BAD_ENCODING' });
    }
    const failure = encodeFailure(new SymmetraError('POLICY_REFUSED', 'no', { limit: 1 }));
    expect(failureOf(Uint8Array.of(...failure, 0))).toMatchObject({ code: 'BAD_ENCODING' });
    for (let end = 0; end < failure.length; end++) {
      expect(failureOf(failure.subarray(0, end))).toMatchObject({ code: 'BAD_ENCODING' });
    }
  });
});

/** Numbers travel as text, which has no negative zero. */
function plain(value: string | number): string | number {
  return value === 0 ? 0 : value;
}
