import {
  array,
  assert,
  constant,
  constantFrom,
  infiniteStream,
  integer,
  nat,
  oneof,
  property,
  record,
  uint8Array,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SymmetraError } from '@symmetra/crypto';
import { ManualClock } from '@symmetra/testing';
import { pauseMs } from '../../packages/sdk/src/backoff.js';
import { encodeChannelFrame, readChannelFrame } from '../../packages/sdk/src/channel/channel-frames.js';
import { advertisedAddresses, parseAddress } from '../../packages/sdk/src/direct/addresses.js';
import { FrameReader, OPENING, encodeFrame } from '../../packages/sdk/src/direct/frames.js';
import type { DirectFrame } from '../../packages/sdk/src/direct/frames.js';
import { codeOf, isTransportFailure, mostTelling } from '../../packages/sdk/src/failure.js';
import { EventNumbers } from '../../packages/sdk/src/session/event-numbers.js';
import { Timers } from '../../packages/sdk/src/timers.js';
import { parseHeader } from '../../packages/sdk/src/transfer/file-header.js';

const bytes = (length: number) => uint8Array({ minLength: length, maxLength: length });
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('SES-6 event numbers', () => {
  test('in any order, repeated or not, all numbers leave no gap', () => {
    assert(
      property(integer({ min: 1, max: 60 }), infiniteStream(nat()), (count, order) => {
        const numbers = new EventNumbers();
        const left = Array.from({ length: count }, (_, i) => i + 1);
        while (left.length > 0) {
          const [number = 0] = left.splice((order.next().value as number) % left.length, 1);
          numbers.saw(number);
          numbers.saw(number);
          expect(numbers.hasGap).toBe(numbers.complete < numbers.highest);
        }
        expect(numbers).toMatchObject({ complete: count, highest: count, hasGap: false });
      }),
    );
  });

  test('a number that stays missing, or that the node speaks of, is a gap until it is made up for', () => {
    const numbers = new EventNumbers();
    numbers.saw(1);
    numbers.saw(3);
    expect(numbers).toMatchObject({ complete: 1, highest: 3, hasGap: true });
    const { highest } = numbers;
    numbers.saw(5);
    numbers.madeUpFor(highest);
    expect(numbers).toMatchObject({ complete: 3, hasGap: true });
    numbers.saw(4);
    expect(numbers.hasGap).toBe(false);
    numbers.heardOf(6);
    expect(numbers.hasGap).toBe(true);
  });
});

describe('CHN-4 direct frames', () => {
  const frame: Arbitrary<DirectFrame> = oneof(
    record({
      kind: constant('hello' as const),
      keyId: bytes(16),
      headerHash: constantFrom(32, 64).chain(bytes),
    }),
    record({ kind: constant('message' as const), message: uint8Array({ maxLength: 4096 }) }),
  );

  test('arrive whole, however the stream is cut', () => {
    assert(
      property(array(frame, { maxLength: 8 }), integer({ min: 1, max: 700 }), (frames, cut) => {
        const stream = Buffer.concat([OPENING, ...frames.map(encodeFrame)]);
        const reader = new FrameReader(true);
        const received: DirectFrame[] = [];
        for (let at = 0; at < stream.length; at += cut) {
          received.push(...reader.push(stream.subarray(at, at + cut)));
        }
        expect(received).toEqual(frames);
      }),
    );
  });

  test('anything else is refused with its reason', () => {
    expect(() => new FrameReader(true).push(Buffer.from('GET /'))).toThrow(code('BAD_ENCODING'));
    expect(() => new FrameReader(false).push(Buffer.from([0, 0, 0x20, 1]))).toThrow(
      code('MESSAGE_TOO_LARGE'),
    );
    expect(() => new FrameReader(false).push(Buffer.from([0, 0, 0, 1, 9]))).toThrow(code('BAD_ENCODING'));
    const [hello] = [encodeFrame({ kind: 'message', message: new Uint8Array(3) })];
    const long = Buffer.concat([hello, new Uint8Array(1)]);
    long.writeUInt32BE(long.length - 4);
    expect(() => new FrameReader(false).push(long)).toThrow(code('BAD_ENCODING'));
  });
});

describe('CHN-5 channel frames', () => {
  test('are read as they were written, and never before they are complete', () => {
    const id = new Uint8Array(16).fill(7);
    const frames = [
      { kind: 'open', channelId: id },
      { kind: 'move', channelId: id },
      { kind: 'ready' },
      { kind: 'data', bytes: new Uint8Array(100) },
      { kind: 'end' },
      { kind: 'switch', offset: 2 ** 40 },
      { kind: 'move-to', keyId: id },
    ] as const;
    for (const frame of frames) {
      const encoded = encodeChannelFrame(frame);
      expect(readChannelFrame(encoded)).toEqual({ frame, length: encoded.length });
      expect(readChannelFrame(encoded.subarray(0, -1))).toBeUndefined();
    }
    expect(() => readChannelFrame(Uint8Array.of(4, 0, 1, 0, 0))).toThrow(code('MESSAGE_TOO_LARGE'));
    expect(() => readChannelFrame(Uint8Array.of(9, 0, 0, 0, 0))).toThrow(code('BAD_ENCODING'));
    expect(() => readChannelFrame(Uint8Array.of(3, 0, 0, 0, 1, 0))).toThrow(code('BAD_ENCODING'));
  });
});

describe('addresses', () => {
  test('are read as they are written', () => {
    for (const endpoint of [
      { host: '192.0.2.7', port: 9000 },
      { host: '2001:db8::1', port: 1 },
      { host: 'device.example', port: 65_535 },
    ]) {
      expect(advertisedAddresses(endpoint).map(parseAddress)).toEqual([endpoint]);
    }
    for (const text of ['', 'host', 'host:0', 'host:65536', '::1:80', 'a:b:1', '[::1]', 'host:1x']) {
      expect(parseAddress(text), text).toBeUndefined();
    }
  });

  test('of a listener on all interfaces are some that can be reached', () => {
    const addresses = advertisedAddresses({ host: '0.0.0.0', port: 7000 });
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(parseAddress(address)).toMatchObject({ port: 7000 });
    expect(addresses.join()).not.toContain('0.0.0.0');
  });
});

describe('failures', () => {
  const failure = (name: string) => new SymmetraError(name, 'a test');

  test('what somebody decided tells more than what did not get through', () => {
    expect(mostTelling([failure('NODE_UNREACHABLE'), failure('PEER_REVOKED')]).code).toBe('PEER_REVOKED');
    const decisions = ['PEER_UNKNOWN', 'PEER_REVOKED', 'PEER_REVOKED'].map(failure);
    expect(mostTelling(decisions).code).toBe('PEER_REVOKED');
    expect(mostTelling([]).code).toBe('NODE_UNREACHABLE');
    expect(mostTelling([new TypeError('x')]).code).toBe('INTERNAL');
    expect(isTransportFailure(failure('SESSION_LOST'))).toBe(true);
    expect(codeOf('text')).toBe('INTERNAL');
  });

  test('pauses grow up to their bound', () => {
    const rule = { firstMs: 100, maxMs: 1000 };
    expect([0, 1, 2, 3, 4, 50].map((attempt) => pauseMs(rule, attempt, 0.5))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(pauseMs(rule, 0, 0)).toBe(80);
    expect(pauseMs(rule, 50, 1)).toBe(1200);
  });
});

describe('timers', () => {
  test('end with their device, and so do those who sleep', async () => {
    const clock = new ManualClock();
    const timers = new Timers(clock);
    let called = 0;
    const never = new Promise<void>(() => {
      called += 0;
    });
    timers.set(10, () => (called += 1));
    const asleep = timers.sleep(20);
    const late = timers.within(5, never, () => new SymmetraError('LATE', 'late'));
    clock.advance(5);
    await expect(late).rejects.toMatchObject({ code: 'LATE' });
    timers.close();
    await expect(asleep).rejects.toMatchObject({ code: 'DEVICE_CLOSED' });
    await expect(timers.sleep(1)).rejects.toMatchObject({ code: 'DEVICE_CLOSED' });
    clock.advance(100);
    expect(called).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('a file header names a file and no path', () => {
  const header = { name: 'a file.txt', size: 3, sha256: '0'.repeat(64) };
  expect(parseHeader(JSON.stringify(header))).toEqual(header);
  for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', 'a\nb', 'x'.repeat(256), 7]) {
    expect(() => parseHeader(JSON.stringify({ ...header, name })), String(name)).toThrow(
      code('BAD_FILE_HEADER'),
    );
  }
  for (const wrong of [{ size: -1 }, { size: 1.5 }, { sha256: 'x' }]) {
    expect(() => parseHeader(JSON.stringify({ ...header, ...wrong }))).toThrow(code('BAD_FILE_HEADER'));
  }
  expect(() => parseHeader('no json')).toThrow(code('BAD_FILE_HEADER'));
});
