import { createSuites, hmacSha256, nobleBackend, sha256, suiteTable, suites } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('the suite table', () => {
  it('has exactly the rows of the protocol', () => {
    const rows = suites.ids().map((id) => {
      const { name, hashLength, keyLength, tagLength, nonceLength } = suites.get(id);
      return { id, name, hashLength, keyLength, tagLength, nonceLength };
    });
    const lengths = { keyLength: 32, tagLength: 16, nonceLength: 12 };
    expect(rows).toEqual([
      { id: 1, name: 'ML-KEM-768/HKDF-SHA-256/AES-256-GCM', hashLength: 32, ...lengths },
      { id: 2, name: 'ML-KEM-1024/HKDF-SHA-512/ChaCha20-Poly1305', hashLength: 64, ...lengths },
      { id: 3, name: 'X-Wing/HKDF-SHA-256/AES-256-GCM', hashLength: 32, ...lengths },
    ]);
  });

  it('refuses an unknown id by name', () => {
    for (const id of [0, 4, 255, -1, Number.NaN]) {
      expect(suites.has(id)).toBe(false);
      expect(() => suites.get(id)).toThrow(code('SUITE_UNKNOWN'));
    }
    expect(suites.has(1)).toBe(true);
  });

  it('can be built of other rows, each id once', () => {
    const other = { ...suites.get(1), id: 200 };
    const table = suiteTable([other, suites.get(2)]);
    expect(table.ids()).toEqual([2, 200]);
    expect(table.get(200)).toBe(other);
    expect(() => table.get(1)).toThrow(code('SUITE_UNKNOWN'));
    expect(() => suiteTable([suites.get(2), suites.get(2)])).toThrow(code('SUITE_DUPLICATE'));
  });
});

describe.each(suites.ids())('suite %i', (id) => {
  const suite = suites.get(id);
  const portable = createSuites(nobleBackend).get(id);
  const key = new Uint8Array(suite.keyLength).fill(1);
  const nonce = new Uint8Array(suite.nonceLength).fill(2);
  const aad = new Uint8Array(5).fill(3);
  const plaintext = new Uint8Array(70).fill(4);

  it('hashes and authenticates with its hash length, alike on both back ends', () => {
    expect(suite.hash(aad, plaintext).length).toBe(suite.hashLength);
    expect(suite.mac(key, aad, plaintext).length).toBe(suite.hashLength);
    expect(suite.hash(aad, plaintext)).toEqual(portable.hash(aad, plaintext));
    expect(suite.mac(key, aad, plaintext)).toEqual(portable.mac(key, aad, plaintext));
  });

  it('seals and opens, alike on both back ends', () => {
    const sealed = suite.seal(key, nonce, aad, plaintext);
    expect(sealed.length).toBe(plaintext.length + suite.tagLength);
    expect(sealed).toEqual(portable.seal(key, nonce, aad, plaintext));
    expect(suite.open(key, nonce, aad, sealed)).toEqual(plaintext);
    expect(() => suite.open(key, nonce, plaintext, sealed)).toThrow(code('AUTHENTICATION_FAILED'));
  });
});

describe('the hash and MAC beside the suites', () => {
  it('are those of suite 1', () => {
    const data = new Uint8Array(9).fill(8);
    expect(sha256(data, data)).toEqual(suites.get(1).hash(data, data));
    expect(hmacSha256(data, data)).toEqual(suites.get(1).mac(data, data));
  });
});
