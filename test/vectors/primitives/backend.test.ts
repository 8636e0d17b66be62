import { fromHex, nobleBackend, nodeBackend, toHex } from '@symmetra/crypto';
import type { Backend } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';
import { readVectors } from './read-vectors.js';
import type { Published } from './read-vectors.js';

type HashCase = Published<'message' | 'digest'>;
type AeadCase = Published<'key' | 'nonce' | 'aad' | 'plaintext' | 'sealed'> & { readonly valid: boolean };

const hashes = readVectors('hash') as {
  sha256: HashCase[];
  sha512: HashCase[];
  sha3_256: HashCase[];
  shake256: (HashCase & { readonly length: number })[];
};
const macs = readVectors('hmac') as Published<'key' | 'data' | 'sha256' | 'sha512'>[];
const aeads = readVectors('aead') as { aes256Gcm: AeadCase[]; chacha20Poly1305: AeadCase[] };
const products = readVectors('x25519') as Published<'scalar' | 'u' | 'output'>[];

const node = nodeBackend();
if (node === undefined) throw new Error('these tests need a runtime with node:crypto');
const backends: readonly Backend[] = [node, nobleBackend];

describe.each(backends)('published vectors on $name', (backend) => {
  it.each(hashes.sha256)('SHA-256: $source', ({ message, digest }) => {
    expect(toHex(backend.sha256(fromHex(message)))).toBe(digest);
  });

  it.each(hashes.sha512)('SHA-512: $source', ({ message, digest }) => {
    expect(toHex(backend.sha512(fromHex(message)))).toBe(digest);
  });

  it.each(hashes.sha3_256)('SHA3-256: $source', ({ message, digest }) => {
    expect(toHex(backend.sha3_256(fromHex(message)))).toBe(digest);
  });

  it.each(hashes.shake256)('SHAKE256: $source', ({ message, length, digest }) => {
    expect(toHex(backend.shake256(fromHex(message), length))).toBe(digest);
  });

  it.each(macs)('HMAC: $source', ({ key, data, sha256, sha512 }) => {
    expect(toHex(backend.hmacSha256(fromHex(key), fromHex(data)))).toBe(sha256);
    expect(toHex(backend.hmacSha512(fromHex(key), fromHex(data)))).toBe(sha512);
  });

  const aeadOperations = [
    { algorithm: 'AES-256-GCM', cases: aeads.aes256Gcm, seal: backend.aesGcmSeal, open: backend.aesGcmOpen },
    {
      algorithm: 'ChaCha20-Poly1305',
      cases: aeads.chacha20Poly1305,
      seal: backend.chachaSeal,
      open: backend.chachaOpen,
    },
  ];
  describe.each(aeadOperations)('$algorithm', ({ cases, seal, open }) => {
    it.each(cases.filter(({ valid }) => valid))('$source', ({ key, nonce, aad, plaintext, sealed }) => {
      const result = seal(fromHex(key), fromHex(nonce), fromHex(aad), fromHex(plaintext));
      expect(toHex(result)).toBe(sealed);
      expect(toHex(open(fromHex(key), fromHex(nonce), fromHex(aad), result))).toBe(plaintext);
    });

    it.each(cases.filter(({ valid }) => !valid))('refused: $source', ({ key, nonce, aad, sealed }) => {
      const opening = () => open(fromHex(key), fromHex(nonce), fromHex(aad), fromHex(sealed));
      expect(opening).toThrow(expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }));
    });
  });

  it.each(products)('X25519: $source', ({ scalar, u, output }) => {
    expect(toHex(backend.x25519(fromHex(scalar), fromHex(u)))).toBe(output);
  });

  it('X25519: RFC 7748 section 5.2, 1,000 iterations', () => {
    let k = new Uint8Array(32);
    k[0] = 9;
    let u = k;
    for (let i = 0; i < 1000; i++) [k, u] = [new Uint8Array(backend.x25519(k, u)), k];
    expect(toHex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('X25519 public keys: RFC 7748 section 6.1', () => {
    const alice = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    const alicePublic = backend.x25519Public(alice);
    const bobPublic = backend.x25519Public(bob);
    expect(toHex(alicePublic)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHex(bobPublic)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(toHex(backend.x25519(alice, bobPublic))).toBe(shared);
    expect(toHex(backend.x25519(bob, alicePublic))).toBe(shared);
  });
});
