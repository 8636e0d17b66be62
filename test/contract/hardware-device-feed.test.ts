import { SymmetraError } from '@symmetra/crypto';
import { ManualClock } from '@symmetra/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { DeviceFeed } from '../../packages/entropy/src/source/device-feed.js';
import type { NoiseDevice } from '../../packages/entropy/src/source/device-feed.js';
import { codeOf } from './noise-source-suite.js';

/** A promise that the test settles. */
function open<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let settle: ((value: Value) => void) | undefined;
  const promise = new Promise<Value>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}

const turn = async (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
const never = (): AbortSignal => new AbortController().signal;

describe('hardware whose calls can not be taken back', () => {
  let clock: ManualClock;
  let log: string[];
  beforeEach(() => {
    clock = new ManualClock();
    log = [];
  });

  const device = (read: NoiseDevice['read'], ended: Promise<void> = Promise.resolve()): NoiseDevice => ({
    read,
    async close() {
      log.push('close');
      await ended;
    },
  });
  const feedOf = (openDevice: () => Promise<NoiseDevice>): DeviceFeed =>
    new DeviceFeed('hardware', clock, async () => {
      log.push('open');
      return openDevice();
    });
  const threes = async (target: Uint8Array): Promise<number> => {
    const length = Math.min(3, target.length);
    target.fill(3, 0, length);
    return length;
  };

  test('is opened once, and asked until there is enough', async () => {
    const feed = feedOf(async () => device(threes));
    const target = new Uint8Array(8);
    await feed.readInto(target, never());
    await feed.readInto(target, never());
    expect(target).toEqual(new Uint8Array(8).fill(3));
    await feed.close();
    await feed.close();
    expect(log).toEqual(['open', 'close']);
  });

  test('is opened again only when the call that took too long is over', async () => {
    const ended = open<void>();
    const hung = device(async () => open<number>().promise, ended.promise);
    const devices = [hung, device(threes)];
    const feed = feedOf(async () => devices.shift() ?? hung);
    const limit = new AbortController();
    const first = feed.readInto(new Uint8Array(4), limit.signal);
    await turn();
    const tooLong = new Error('too long');
    limit.abort(tooLong);
    await expect(first).rejects.toBe(tooLong);
    feed.reset();

    const second = feed.readInto(new Uint8Array(4), never());
    await turn();
    expect(log).toEqual(['open', 'close']);
    ended.resolve();
    await second;
    expect(log).toEqual(['open', 'close', 'open']);
    await feed.close();
  });

  test('that opens too late is closed, and not opened a second time before', async () => {
    const late = open<NoiseDevice>();
    const openings = [late.promise, Promise.resolve(device(threes))];
    const feed = feedOf(async () => openings.shift() ?? late.promise);
    const limit = new AbortController();
    const first = feed.readInto(new Uint8Array(4), limit.signal);
    await turn();
    limit.abort(new Error('too long'));
    await expect(first).rejects.toThrow('too long');
    feed.reset();

    const second = feed.readInto(new Uint8Array(4), never());
    await turn();
    expect(log).toEqual(['open']);
    late.resolve(device(threes));
    await second;
    expect(log).toEqual(['open', 'close', 'open']);
    await feed.close();
  });

  test('is not waited for without end when it is closed', async () => {
    const feed = feedOf(async () => device(threes, open<void>().promise));
    await feed.readInto(new Uint8Array(4), never());
    const closed = feed.close();
    await turn();
    expect(clock.pendingTimers).toBe(1);
    clock.advance(2000);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  test('says why it can not be reached, with the numbers', async () => {
    const failing = (error: Error): DeviceFeed =>
      feedOf(async () => {
        throw error;
      });
    const ckr = new SymmetraError('PKCS11_FAILED', 'the call failed', { call: 'C_Login', ckr: 0xa0 });
    await expect(failing(ckr).readInto(new Uint8Array(4), never())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: 'the call failed',
      details: { source: 'hardware', reason: 'PKCS11_FAILED', call: 'C_Login', ckr: 0xa0 },
    });
    const system = Object.assign(new Error('ENOENT: no such file, open the path'), { code: 'ENOENT' });
    await expect(failing(system).readInto(new Uint8Array(4), never())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: 'the hardware of the source failed: ENOENT',
    });
    expect(await codeOf(failing(new Error('any')).readInto(new Uint8Array(4), never()))).toBe(
      'SOURCE_UNREACHABLE',
    );
  });
});
