import { fromHex, toHex } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';
import { mlDsa65Keygen, mlDsa65Sign, mlDsa65Verify } from '../../../packages/crypto/src/ml-dsa.js';
import { readVectors } from './read-vectors.js';
import type { Published } from './read-vectors.js';

interface MlDsaVectors {
  readonly keygen: Published<'seed' | 'publicKey' | 'secretKey'>[];
  readonly sign: Published<'seed' | 'publicKey' | 'message' | 'context' | 'signature'>[];
  readonly verify: (Published<'publicKey' | 'message' | 'context' | 'signature'> & {
    readonly valid: boolean;
  })[];
}

const vectors = readVectors('ml-dsa-65') as MlDsaVectors;

describe('ML-DSA-65', () => {
  it.each(vectors.keygen)('key generation: $source', ({ seed, publicKey, secretKey }) => {
    const pair = mlDsa65Keygen(fromHex(seed));
    expect(toHex(pair.publicKey)).toBe(publicKey);
    expect(toHex(pair.secretKey)).toBe(secretKey);
  });

  it.each(vectors.sign)(
    'deterministic signing: $source',
    ({ seed, publicKey, message, context, signature }) => {
      const pair = mlDsa65Keygen(fromHex(seed));
      expect(toHex(pair.publicKey)).toBe(publicKey);
      expect(toHex(mlDsa65Sign(fromHex(message), pair.secretKey, fromHex(context)))).toBe(signature);
    },
  );

  it.each(vectors.verify)('verification: $source', ({ publicKey, message, context, signature, valid }) => {
    const result = mlDsa65Verify(fromHex(signature), fromHex(message), fromHex(publicKey), fromHex(context));
    expect(result).toBe(valid);
  });
});
