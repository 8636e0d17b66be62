import { fromHex, nobleBackend, nodeBackend, toHex } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';
import { hkdfExpand, hkdfExtract } from '../../../packages/crypto/src/hkdf.js';
import { readVectors } from './read-vectors.js';
import type { Published } from './read-vectors.js';

type HkdfCase = Published<'ikm' | 'salt' | 'info' | 'okm'> & { readonly prk?: string };

const vectors = readVectors('hkdf') as { sha256: HkdfCase[]; sha512: HkdfCase[] };

describe.each([nodeBackend() ?? nobleBackend, nobleBackend])('HKDF on $name', (backend) => {
  const derive = (mac: typeof backend.hmacSha256, { ikm, salt, info, okm }: HkdfCase) => {
    const prk = hkdfExtract(mac, fromHex(salt), fromHex(ikm));
    return { prk: toHex(prk), okm: toHex(hkdfExpand(mac, prk, fromHex(info), okm.length / 2)) };
  };

  it.each(vectors.sha256)('SHA-256: $source', (published) => {
    const { prk, okm } = derive(backend.hmacSha256, published);
    expect(prk).toBe(published.prk);
    expect(okm).toBe(published.okm);
  });

  it.each(vectors.sha512)('SHA-512: $source', (published) => {
    expect(derive(backend.hmacSha512, published).okm).toBe(published.okm);
  });
});
