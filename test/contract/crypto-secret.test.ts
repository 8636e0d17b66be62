import { Secret, concat, equalConstantTime, utf8, wipe } from '@symmetra/crypto';
import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

const BYTES = Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4);
const secretOf = () => Secret.of('ChainKey', BYTES.slice());
const wiped = expect.objectContaining({ code: 'SECRET_WIPED', details: { secret: 'ChainKey' } }) as unknown;

describe('Secret', () => {
  it('never shows its bytes', () => {
    const secret = secretOf();
    const shown = [
      String(secret),
      JSON.stringify(secret),
      JSON.stringify({ nested: [secret] }),
      inspect(secret, { showHidden: true, depth: null }),
      inspect({ nested: [secret] }, { depth: null }),
      format('%s %o %j %O', secret, secret, secret, secret),
      JSON.stringify(Object.entries(secret)),
      JSON.stringify(Object.assign({}, secret)),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
    ];
    for (const text of shown) expect(text).not.toMatch(/222|173|190|dead|de,|3q2/i);
    expect(String(secret)).toBe('[secret]');
    expect(JSON.stringify(secret)).toBe('"[secret]"');
    expect(inspect(secret)).toBe('[secret]');
    expect(Object.keys(secret)).toEqual(['name']);
  });

  it('owns the bytes it was given, and wipes them', () => {
    const bytes = BYTES.slice();
    const secret = Secret.of('ChainKey', bytes);
    expect(secret.bytes).toBe(bytes);
    secret.wipe();
    expect(bytes).toEqual(new Uint8Array(BYTES.length));
    expect(() => secret.wipe()).not.toThrow();
  });

  it('is of no use once wiped', () => {
    const secret = secretOf();
    secret.wipe();
    expect(() => secret.bytes).toThrow(wiped);
    expect(() => secret.clone()).toThrow(wiped);
    expect(String(secret)).toBe('[secret]');
  });

  it('has clones that live on their own', () => {
    const secret = secretOf();
    const clone = secret.clone();
    secret.wipe();
    expect(clone.bytes).toEqual(BYTES);
    expect(clone.name).toBe('ChainKey');
  });
});

describe('bytes', () => {
  it('are equal when length and content are', () => {
    expect(equalConstantTime(BYTES, BYTES.slice())).toBe(true);
    expect(equalConstantTime(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    expect(equalConstantTime(BYTES, BYTES.subarray(1))).toBe(false);
    for (let i = 0; i < BYTES.length; i++) {
      const changed = BYTES.slice();
      changed[i] = (changed[i] as number) ^ 0x40;
      expect(equalConstantTime(BYTES, changed)).toBe(false);
    }
  });

  it('are joined into a fresh array', () => {
    const joined = concat(BYTES, new Uint8Array(0), utf8('é'));
    expect(joined).toEqual(Uint8Array.of(...BYTES, 0xc3, 0xa9));
    const single = concat(BYTES);
    expect(single).not.toBe(BYTES);
    expect(concat()).toEqual(new Uint8Array(0));
  });

  it('are wiped in place', () => {
    const one = BYTES.slice();
    const two = BYTES.slice();
    wipe(one, two.subarray(2));
    expect(one).toEqual(new Uint8Array(8));
    expect(two).toEqual(Uint8Array.of(0xde, 0xad, 0, 0, 0, 0, 0, 0));
  });
});
