import { createSuites, fromHex, nobleBackend, nodeBackend, suites, toHex } from '@symmetra/crypto';
import type { Backend } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';
import { readVectors } from './read-vectors.js';
import type { Published } from './read-vectors.js';

interface MlKemVectors {
  readonly keygen: Published<'seed' | 'publicKey' | 'secretKey'>[];
  readonly encapsulation: Published<'publicKey' | 'coins' | 'ciphertext' | 'sharedSecret'>[];
  readonly decapsulation: Published<'secretKey' | 'ciphertext' | 'sharedSecret'>[];
  readonly publicKeyCheck: (Published<'publicKey'> & { readonly valid: boolean })[];
  readonly secretKeyCheck: Published<'secretKey'>[];
}

describe.each([
  { kem: suites.get(1).kem, vectors: readVectors('ml-kem-768') as MlKemVectors },
  { kem: suites.get(2).kem, vectors: readVectors('ml-kem-1024') as MlKemVectors },
])('$kem.name', ({ kem, vectors }) => {
  it.each(vectors.keygen)('key generation: $source', ({ seed, publicKey, secretKey }) => {
    const pair = kem.keygen(fromHex(seed));
    expect(toHex(pair.publicKey)).toBe(publicKey);
    expect(toHex(pair.secretKey)).toBe(secretKey);
  });

  it.each(vectors.encapsulation)(
    'encapsulation: $source',
    ({ publicKey, coins, ciphertext, sharedSecret }) => {
      const result = kem.encapsulate(fromHex(publicKey), fromHex(coins));
      expect(toHex(result.ciphertext)).toBe(ciphertext);
      expect(toHex(result.sharedSecret)).toBe(sharedSecret);
    },
  );

  it.each(vectors.decapsulation)('decapsulation: $source', ({ secretKey, ciphertext, sharedSecret }) => {
    expect(toHex(kem.decapsulate(fromHex(ciphertext), fromHex(secretKey)))).toBe(sharedSecret);
  });

  const goodKeys = vectors.publicKeyCheck.filter(({ valid }) => valid);
  it.each(goodKeys)('public key check: $source', ({ publicKey }) => {
    expect(() => kem.checkPublicKey(fromHex(publicKey))).not.toThrow();
    const { ciphertext } = kem.encapsulate(fromHex(publicKey), new Uint8Array(kem.coinsLength));
    expect(ciphertext.length).toBe(kem.ciphertextLength);
  });

  const badKeys = vectors.publicKeyCheck.filter(({ valid }) => !valid);
  it.each(badKeys)('public key check refuses: $source', ({ publicKey }) => {
    const refusal: unknown = expect.objectContaining({ code: 'BAD_KEM_KEY' });
    expect(() => kem.checkPublicKey(fromHex(publicKey))).toThrow(refusal);
    expect(() => kem.encapsulate(fromHex(publicKey), new Uint8Array(kem.coinsLength))).toThrow(refusal);
  });

  it.each(vectors.secretKeyCheck)('secret key check: $source', ({ secretKey }) => {
    const decapsulate = () => kem.decapsulate(new Uint8Array(kem.ciphertextLength), fromHex(secretKey));
    expect(decapsulate).toThrow(expect.objectContaining({ code: 'BAD_KEM_KEY' }));
  });
});

const xWingVectors = readVectors('x-wing') as Published<
  'seed' | 'publicKey' | 'coins' | 'ciphertext' | 'sharedSecret'
>[];
const backends: readonly Backend[] = [nodeBackend() ?? nobleBackend, nobleBackend];

describe.each(backends)('X-Wing on $name', (backend) => {
  const { kem } = createSuites(backend).get(3);

  it.each(xWingVectors)('$source', ({ seed, publicKey, coins, ciphertext, sharedSecret }) => {
    const pair = kem.keygen(fromHex(seed));
    expect(toHex(pair.publicKey)).toBe(publicKey);
    expect(toHex(pair.secretKey)).toBe(seed);
    const result = kem.encapsulate(pair.publicKey, fromHex(coins));
    expect(toHex(result.ciphertext)).toBe(ciphertext);
    expect(toHex(result.sharedSecret)).toBe(sharedSecret);
    expect(toHex(kem.decapsulate(result.ciphertext, pair.secretKey))).toBe(sharedSecret);
  });
});
