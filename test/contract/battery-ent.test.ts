import { ByteFrequencies, ent } from '@symmetra/battery';
import { describe, expect, test } from 'vitest';
import { biasedBytes, correlatedBytes, goodBytes } from './battery-data.js';

const ramp = Uint8Array.from({ length: 25_600 }, (_, i) => i);

describe('what the program ent 1.2 printed', () => {
  test.each([
    ['good', goodBytes(1_000_003, 9), '1000003,7.999793,287.474713,127.510559,3.138066,-0.001929', '7.92'],
    [
      'biased',
      biasedBytes(100_000, 10, 131),
      '100000,7.995271,660.162560,130.340380,3.079323,-0.000293',
      '0.00',
    ],
    [
      'correlated',
      correlatedBytes(100_000, 11, 120),
      '100000,7.978771,2983.239680,127.405160,3.092284,-0.000829',
      '0.00',
    ],
    [
      'eleven bytes',
      new TextEncoder().encode('hello world'),
      '11,2.845351,431.181818,101.454545,4.000000,-0.253939',
      '0.00',
    ],
    ['a ramp', ramp, '25600,8.000000,0.000000,127.500000,2.843882,0.976654', '100.00'],
  ])('%s', (_, bytes, line, percent) => {
    const { entropy, chiSquare, mean, monteCarloPi, serialCorrelation } = ent(bytes);
    const figures = [entropy, chiSquare.statistic, mean, monteCarloPi, serialCorrelation];
    expect([bytes.length, ...figures.map((figure) => figure.toFixed(6))].join(',')).toBe(line);
    expect((chiSquare.probability * 100).toFixed(2)).toBe(percent);
  });
});

test('what can not be said of equal bytes and of less than one point is not a number', () => {
  expect(ent(Uint8Array.of(7, 7, 7))).toMatchObject({
    bytes: 3,
    entropy: 0,
    mean: 7,
    monteCarloPi: Number.NaN,
    serialCorrelation: Number.NaN,
  });
});

test('no bytes are refused', () => {
  expect(() => ent(new Uint8Array())).toThrow(expect.objectContaining({ code: 'BATTERY_TOO_FEW_BITS' }));
});

describe('the chi-square over a long time', () => {
  test('does not depend on how the bytes came', () => {
    const bytes = goodBytes(100_001, 16);
    const [whole, parts] = [new ByteFrequencies(), new ByteFrequencies()];
    whole.add(bytes);
    for (let i = 0; i < bytes.length; i += 777) parts.add(bytes.subarray(i, i + 777));
    expect(parts.chiSquare()).toEqual(whole.chiSquare());
    expect(parts.bytes).toBe(100_001);
    expect(whole.chiSquare().statistic).toBeCloseTo(ent(bytes).chiSquare.statistic, 9);
  });

  test('sees what no single buffer shows', () => {
    // One byte in 2,000 is replaced by 0: 1.13 times as many zeros.
    const all = new ByteFrequencies();
    let alarms = 0;
    for (let buffer = 0; buffer < 128; buffer += 1) {
      const bytes = goodBytes(32_768, buffer);
      for (let i = 0; i < bytes.length; i += 2000) bytes[i] = 0;
      all.add(bytes);
      if (ent(bytes).chiSquare.probability < 1e-4) alarms += 1;
    }
    expect(alarms).toBe(0);
    expect(all.chiSquare().probability).toBeLessThan(1e-9);
  });

  test('says nothing before the first byte', () => {
    expect(new ByteFrequencies().chiSquare()).toEqual({ statistic: 0, probability: 1 });
  });
});
