import { concat, createSuites, nobleBackend, nodeBackend, suites } from '@symmetra/crypto';
import type { Kem } from '@symmetra/crypto';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });
const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value);
const kems: readonly Kem[] = suites.ids().map((id) => suites.get(id).kem);

describe.each(kems)('KEM $name', (kem) => {
  const seed = bytesOf(kem.seedLength, 1);
  const coins = bytesOf(kem.coinsLength, 2);
  const pair = kem.keygen(seed);
  const sent = kem.encapsulate(pair.publicKey, coins);

  it('has the lengths that it declares', () => {
    expect(pair.publicKey.length).toBe(kem.publicKeyLength);
    expect(pair.secretKey.length).toBe(kem.secretKeyLength);
    expect(sent.ciphertext.length).toBe(kem.ciphertextLength);
    expect(sent.sharedSecret.length).toBe(kem.sharedSecretLength);
  });

  it('gives both sides one secret, the same one again for the same coins, and touches no input', () => {
    const secretKey = pair.secretKey.slice();
    expect(kem.decapsulate(sent.ciphertext, pair.secretKey)).toEqual(sent.sharedSecret);
    expect(kem.decapsulate(sent.ciphertext, pair.secretKey)).toEqual(sent.sharedSecret);
    expect(kem.encapsulate(pair.publicKey, coins)).toEqual(sent);
    expect(kem.keygen(seed)).toEqual(pair);
    expect(kem.encapsulate(pair.publicKey, bytesOf(kem.coinsLength, 3))).not.toEqual(sent);
    expect(pair.secretKey).toEqual(secretKey);
    expect(seed).toEqual(bytesOf(kem.seedLength, 1));
    expect(coins).toEqual(bytesOf(kem.coinsLength, 2));
  });

  it('does not throw on the wrong key or a changed ciphertext, and gives another secret', () => {
    const other = kem.keygen(bytesOf(kem.seedLength, 9));
    expect(kem.decapsulate(sent.ciphertext, other.secretKey)).not.toEqual(sent.sharedSecret);
    for (const at of [0, kem.ciphertextLength - 1]) {
      const changed = sent.ciphertext.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(kem.decapsulate(changed, pair.secretKey)).not.toEqual(sent.sharedSecret);
    }
  });

  it('refuses every wrong length by name', () => {
    for (const difference of [-1, 1]) {
      const sized = (length: number) => new Uint8Array(length + difference);
      expect(() => kem.keygen(sized(kem.seedLength))).toThrow(code('BAD_KEM_SEED'));
      expect(() => kem.encapsulate(sized(kem.publicKeyLength), coins)).toThrow(code('BAD_KEM_KEY'));
      expect(() => kem.checkPublicKey(sized(kem.publicKeyLength))).toThrow(code('BAD_KEM_KEY'));
      expect(() => kem.encapsulate(pair.publicKey, sized(kem.coinsLength))).toThrow(code('BAD_KEM_COINS'));
      const ciphertext = sized(kem.ciphertextLength);
      expect(() => kem.decapsulate(ciphertext, pair.secretKey)).toThrow(code('BAD_KEM_CIPHERTEXT'));
      const secretKey = sized(kem.secretKeyLength);
      expect(() => kem.decapsulate(sent.ciphertext, secretKey)).toThrow(code('BAD_KEM_KEY'));
    }
  });

  it('refuses a public key with a coefficient at or above the modulus', () => {
    expect(() => kem.checkPublicKey(pair.publicKey)).not.toThrow();
    const highHalf = (pair.publicKey[1] as number) & 0xf0;
    const atModulus = pair.publicKey.slice();
    atModulus.set([0x01, highHalf | 0x0d]);
    expect(() => kem.checkPublicKey(atModulus)).toThrow(code('BAD_KEM_KEY'));
    const below = pair.publicKey.slice();
    below.set([0x00, highHalf | 0x0d]);
    expect(() => kem.checkPublicKey(below)).not.toThrow();
  });
});

describe('X-Wing', () => {
  const native = createSuites(nodeBackend() ?? nobleBackend).get(3).kem;
  const portable = createSuites(nobleBackend).get(3).kem;
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  it('interoperates with the ml_kem768_x25519 of noble in both directions', () => {
    fc.assert(
      fc.property(bytes(32), bytes(64), (seed, coins) => {
        const ours = native.keygen(seed);
        const theirs = ml_kem768_x25519.keygen(seed);
        expect(ours.publicKey).toEqual(theirs.publicKey);
        const sent = native.encapsulate(theirs.publicKey, coins);
        expect(ml_kem768_x25519.decapsulate(sent.ciphertext, theirs.secretKey)).toEqual(sent.sharedSecret);
        const received = ml_kem768_x25519.encapsulate(ours.publicKey, coins);
        expect(native.decapsulate(received.cipherText, ours.secretKey)).toEqual(received.sharedSecret);
        expect(received.cipherText).toEqual(sent.ciphertext);
      }),
      { numRuns: 8 },
    );
  });

  it('takes an X25519 share of small order, on both back ends alike, as the draft does', () => {
    const seed = bytesOf(32, 5);
    const { publicKey } = native.keygen(seed);
    const smallOrder = concat(publicKey.subarray(0, -32), bytesOf(32, 0));
    const coins = bytesOf(64, 6);
    expect(native.encapsulate(smallOrder, coins)).toEqual(portable.encapsulate(smallOrder, coins));
    const sent = native.encapsulate(publicKey, coins);
    const zeroed = concat(sent.ciphertext.subarray(0, -32), bytesOf(32, 0));
    expect(native.decapsulate(zeroed, seed)).toEqual(portable.decapsulate(zeroed, seed));
    expect(native.decapsulate(zeroed, seed)).not.toEqual(sent.sharedSecret);
  });
});
