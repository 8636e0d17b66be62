import { systemClock } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

describe('the clock of the machine', () => {
  afterEach(() => void vi.useRealTimers());

  it('calls back once, and not after it was cancelled', () => {
    vi.useFakeTimers();
    const fired: string[] = [];
    systemClock.setTimer(100, () => fired.push('kept'));
    const cancelled = systemClock.setTimer(100, () => fired.push('cancelled'));
    cancelled.cancel();
    cancelled.cancel();
    vi.advanceTimersByTime(99);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(['kept']);
  });

  it('waits as long as it was told, also for months', () => {
    vi.useFakeTimers();
    const days = 90;
    const fired: string[] = [];
    systemClock.setTimer(days * 86_400_000, () => fired.push('due'));
    const cancelled = systemClock.setTimer(days * 86_400_000, () => fired.push('cancelled'));
    vi.advanceTimersByTime(60 * 86_400_000);
    cancelled.cancel();
    vi.advanceTimersByTime(30 * 86_400_000 - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['due']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reads wall time and monotonic time', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const before = systemClock.monotonic();
    vi.advanceTimersByTime(250);
    expect(systemClock.now()).toBe(1_000_250);
    expect(systemClock.monotonic() - before).toBe(250);
  });
});

describe('the manual clock of tests', () => {
  it('fires timers in the order of their times, each at its own time', () => {
    const clock = new ManualClock(1000);
    const fired: [string, number][] = [];
    const note = (name: string) => () => void fired.push([name, clock.now()]);
    clock.setTimer(30, note('third'));
    clock.setTimer(10, () => {
      note('first')();
      clock.setTimer(10, note('second'));
      clock.setTimer(1000, note('much later'));
    });
    clock.setTimer(30, note('fourth'));
    clock.setTimer(20, note('cancelled')).cancel();
    clock.advance(100);
    expect(fired).toEqual([
      ['first', 1010],
      ['second', 1020],
      ['third', 1030],
      ['fourth', 1030],
    ]);
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([1100, 100, 1]);
  });

  it('can be wrong about the wall time alone', () => {
    const clock = new ManualClock(1000);
    const fired: string[] = [];
    clock.setTimer(50, () => fired.push('due'));
    clock.skew(-86_400_000);
    clock.advance(49);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual(['due']);
    expect([clock.now(), clock.monotonic()]).toEqual([1050 - 86_400_000, 50]);
  });
});
