import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey } from '../../packages/rpc/src/peer-address.js';
import { RateLimiter } from '../../packages/rpc/src/rate.js';

describe('a rate limiter', () => {
  it('lets a burst pass, then as many as time brings', () => {
    let now = 0;
    const limiter = new RateLimiter(() => now, 10);
    const rate = { perSecond: 2, burst: 3 };
    const take = (): boolean => limiter.take('a', rate);
    expect([take(), take(), take(), take()]).toEqual([true, true, true, false]);
    now += 499;
    expect(take()).toBe(false);
    now += 1;
    expect([take(), take()]).toEqual([true, false]);
    now += 3_600_000;
    expect([take(), take(), take(), take()]).toEqual([true, true, true, false]);
  });

  it('keeps keys apart', () => {
    const limiter = new RateLimiter(() => 0, 10);
    const rate = { perSecond: 1, burst: 1 };
    expect([limiter.take('a', rate), limiter.take('b', rate), limiter.take('a', rate)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is not moved by a clock that goes back', () => {
    let now = 10_000;
    const limiter = new RateLimiter(() => now, 10);
    const rate = { perSecond: 1, burst: 1 };
    limiter.take('a', rate);
    now = 0;
    expect(limiter.take('a', rate)).toBe(false);
  });

  it('remembers a bounded number of keys, and forgets the one that was used longest ago', () => {
    const limiter = new RateLimiter(() => 0, 2);
    const rate = { perSecond: 1, burst: 2 };
    for (const key of ['a', 'b', 'a']) expect(limiter.take(key, rate)).toBe(true);
    expect(limiter.take('c', rate)).toBe(true);
    expect(limiter.size).toBe(2);
    expect(limiter.take('a', rate)).toBe(false);
    expect([limiter.take('b', rate), limiter.take('b', rate)]).toEqual([true, true]);
  });

  it('never lets more pass than burst and time allow', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (waits, perSecond, burst) => {
          let now = 0;
          const limiter = new RateLimiter(() => now, 1);
          let passed = 0;
          for (const wait of waits) {
            now += wait;
            if (limiter.take('a', { perSecond, burst })) passed += 1;
          }
          expect(passed).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 1e-6);
        },
      ),
    );
  });
});

describe('the address that limits count by', () => {
  it.each([
    ['192.0.2.7:4711', '192.0.2.7'],
    ['::ffff:192.0.2.7:4711', '192.0.2.7'],
    ['::1:4711', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6:4711', '2001:db8:1:2::/64'],
    ['2001:db8::9:4711', '2001:db8:0:0::/64'],
    ['2001:0db8:0001:0002::7:4711', '2001:db8:1:2::/64'],
    ['fe80::1%eth0:4711', 'fe80:0:0:0::/64'],
    ['unknown', ''],
  ])('of %s is %s', (peer, key) => {
    expect(addressKey(peer)).toBe(key);
  });
});
