import {
  SIGNATURE_LENGTH,
  SIGNATURE_PUBLIC_KEY_LENGTH,
  SIGNATURE_SECRET_KEY_LENGTH,
  SIGNATURE_SEED_LENGTH,
  sign,
  signatureKeygen,
  utf8,
  verify,
} from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('signatures', () => {
  const pair = signatureKeygen(new Uint8Array(SIGNATURE_SEED_LENGTH).fill(1));
  const message = utf8('event 7');
  const signature = sign(message, pair.secretKey, 'controlEventSign');

  it('have the lengths of ML-DSA-65', () => {
    expect(pair.publicKey.length).toBe(SIGNATURE_PUBLIC_KEY_LENGTH);
    expect(pair.secretKey.length).toBe(SIGNATURE_SECRET_KEY_LENGTH);
    expect(signature.length).toBe(SIGNATURE_LENGTH);
  });

  it('are deterministic', () => {
    expect(sign(message, pair.secretKey, 'controlEventSign')).toEqual(signature);
    expect(signatureKeygen(new Uint8Array(SIGNATURE_SEED_LENGTH).fill(1))).toEqual(pair);
  });

  it('verify for their message, key and purpose only', () => {
    const other = signatureKeygen(new Uint8Array(SIGNATURE_SEED_LENGTH).fill(2));
    expect(verify(signature, message, pair.publicKey, 'controlEventSign')).toBe(true);
    expect(verify(signature, utf8('event 8'), pair.publicKey, 'controlEventSign')).toBe(false);
    expect(verify(signature, message, other.publicKey, 'controlEventSign')).toBe(false);
    expect(verify(signature, message, pair.publicKey, 'descriptorSign')).toBe(false);
    const changed = signature.slice();
    changed[100] = (changed[100] as number) ^ 1;
    expect(verify(changed, message, pair.publicKey, 'controlEventSign')).toBe(false);
  });

  it('of a wrong length do not verify, and wrong key lengths are refused by name', () => {
    expect(verify(signature.subarray(1), message, pair.publicKey, 'controlEventSign')).toBe(false);
    expect(verify(signature, message, pair.publicKey.subarray(1), 'controlEventSign')).toBe(false);
    expect(verify(new Uint8Array(0), message, new Uint8Array(0), 'controlEventSign')).toBe(false);
    expect(() => sign(message, pair.secretKey.subarray(1), 'controlEventSign')).toThrow(
      code('BAD_SIGNATURE_KEY'),
    );
    expect(() => signatureKeygen(new Uint8Array(31))).toThrow(code('BAD_SIGNATURE_SEED'));
  });
});
