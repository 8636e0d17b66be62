import { nobleBackend, nodeBackend, concat } from '@symmetra/crypto';
import type { Backend } from '@symmetra/crypto';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

const node = nodeBackend();
if (node === undefined) throw new Error('these tests need a runtime with node:crypto');
const backends: readonly Backend[] = [node, nobleBackend];

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);
const key = filled(32, 1);
const nonce = filled(12, 2);
const aad = filled(20, 3);
const message = filled(45, 4);
const code = (value: string): unknown => expect.objectContaining({ code: value });

/** Every operation of a back end on the given inputs. */
function operations(backend: Backend) {
  return {
    sha256: () => backend.sha256(message, aad),
    sha512: () => backend.sha512(message),
    hmacSha256: () => backend.hmacSha256(key, message, aad),
    hmacSha512: () => backend.hmacSha512(key, message),
    sha3_256: () => backend.sha3_256(message),
    shake256: () => backend.shake256(message, 96),
    aesGcmSeal: () => backend.aesGcmSeal(key, nonce, aad, message),
    aesGcmOpen: () => backend.aesGcmOpen(key, nonce, aad, backend.aesGcmSeal(key, nonce, aad, message)),
    chachaSeal: () => backend.chachaSeal(key, nonce, aad, message),
    chachaOpen: () => backend.chachaOpen(key, nonce, aad, backend.chachaSeal(key, nonce, aad, message)),
    x25519: () => backend.x25519(key, backend.x25519Public(filled(32, 9))),
    x25519Public: () => backend.x25519Public(key),
  };
}

afterEach(() => vi.unstubAllGlobals());

describe.each(backends)('back end $name', (backend) => {
  it.each(Object.entries(operations(backend)))('%s gives fresh plain bytes, inputs untouched', (_, run) => {
    const before = [key, nonce, aad, message].map((bytes) => bytes.slice());
    const first = run();
    const second = run();
    expect(first.constructor).toBe(Uint8Array);
    expect(first.buffer.byteLength).toBe(first.length);
    expect(first).toEqual(second);
    first.fill(0);
    expect(run()).toEqual(second);
    expect([key, nonce, aad, message]).toEqual(before);
  });

  it('joins the parts of a hash and of a MAC', () => {
    const parts = [message.subarray(0, 1), new Uint8Array(0), message.subarray(1)];
    expect(backend.sha256(...parts)).toEqual(backend.sha256(message));
    expect(backend.sha512(...parts)).toEqual(backend.sha512(message));
    expect(backend.hmacSha256(key, ...parts)).toEqual(backend.hmacSha256(key, message));
    expect(backend.hmacSha512(key, ...parts)).toEqual(backend.hmacSha512(key, message));
    expect(backend.sha256()).toEqual(backend.sha256(new Uint8Array(0)));
    expect(backend.hmacSha256(key)).toEqual(backend.hmacSha256(key, new Uint8Array(0)));
  });

  it.each([
    { algorithm: 'AES-256-GCM', seal: backend.aesGcmSeal, open: backend.aesGcmOpen },
    { algorithm: 'ChaCha20-Poly1305', seal: backend.chachaSeal, open: backend.chachaOpen },
  ])('$algorithm refuses every change and every wrong length', ({ seal, open }) => {
    const sealed = seal(key, nonce, aad, message);
    const refused = code('AUTHENTICATION_FAILED');
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i] = (changed[i] as number) ^ 0x80;
      expect(() => open(key, nonce, aad, changed)).toThrow(refused);
    }
    expect(() => open(filled(32, 7), nonce, aad, sealed)).toThrow(refused);
    expect(() => open(key, filled(12, 7), aad, sealed)).toThrow(refused);
    expect(() => open(key, nonce, aad.subarray(1), sealed)).toThrow(refused);
    expect(() => open(key, nonce, aad, sealed.subarray(0, -1))).toThrow(refused);
    expect(() => open(key, nonce, aad, concat(sealed, filled(1, 0)))).toThrow(refused);
    expect(() => open(key, nonce, aad, sealed.subarray(0, 15))).toThrow(refused);
    expect(() => open(key, nonce, aad, new Uint8Array(0))).toThrow(refused);
    for (const length of [0, 16, 31, 33]) {
      expect(() => seal(filled(length, 1), nonce, aad, message)).toThrow(code('BAD_AEAD_KEY'));
      expect(() => open(filled(length, 1), nonce, aad, sealed)).toThrow(code('BAD_AEAD_KEY'));
    }
    for (const length of [0, 8, 11, 13, 16]) {
      expect(() => seal(key, filled(length, 1), aad, message)).toThrow(code('BAD_AEAD_NONCE'));
      expect(() => open(key, filled(length, 1), aad, sealed)).toThrow(code('BAD_AEAD_NONCE'));
    }
  });

  it('X25519 refuses wrong lengths and gives zero for a point of small order', () => {
    for (const length of [0, 31, 33]) {
      const wrong = code('BAD_X25519_LENGTH');
      expect(() => backend.x25519(filled(length, 1), key)).toThrow(wrong);
      expect(() => backend.x25519(key, filled(length, 1))).toThrow(wrong);
      expect(() => backend.x25519Public(filled(length, 1))).toThrow(wrong);
    }
    expect(backend.x25519(key, filled(32, 0))).toEqual(filled(32, 0));
  });
});

describe('the two back ends', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const short = fc.uint8Array({ maxLength: 300 });

  it('agree on every operation', () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), bytes(32), short, short, (k, n, u, a, m) => {
        for (const hash of ['sha256', 'sha512', 'sha3_256'] as const) {
          expect(node[hash](m)).toEqual(nobleBackend[hash](m));
        }
        for (const mac of ['hmacSha256', 'hmacSha512'] as const) {
          expect(node[mac](a, m)).toEqual(nobleBackend[mac](a, m));
        }
        expect(node.shake256(m, 64)).toEqual(nobleBackend.shake256(m, 64));
        expect(node.x25519(k, u)).toEqual(nobleBackend.x25519(k, u));
        expect(node.x25519Public(k)).toEqual(nobleBackend.x25519Public(k));
        expect(node.aesGcmOpen(k, n, a, nobleBackend.aesGcmSeal(k, n, a, m))).toEqual(m);
        expect(nobleBackend.aesGcmOpen(k, n, a, node.aesGcmSeal(k, n, a, m))).toEqual(m);
        expect(node.chachaOpen(k, n, a, nobleBackend.chachaSeal(k, n, a, m))).toEqual(m);
        expect(nobleBackend.chachaOpen(k, n, a, node.chachaSeal(k, n, a, m))).toEqual(m);
      }),
      { numRuns: 60 },
    );
  });

  it('leave a runtime without node:crypto to noble', () => {
    vi.stubGlobal('process', {});
    expect(nodeBackend()).toBeUndefined();
    vi.stubGlobal('process', undefined);
    expect(nodeBackend()).toBeUndefined();
  });
});
