import {
  SymmetraError,
  fromBase32,
  fromBase64Url,
  fromHex,
  toBase32,
  toBase64Url,
  toHex,
} from '@symmetra/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const encodings = [
  { name: 'hex', encode: toHex, decode: fromHex, alphabet: '0123456789abcdef' },
  { name: 'base32', encode: toBase32, decode: fromBase32, alphabet: 'abcdefghijklmnopqrstuvwxyz234567' },
  {
    name: 'base64url',
    encode: toBase64Url,
    decode: fromBase64Url,
    alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  },
];

describe.each(encodings)('$name, fuzzed', ({ encode, decode, alphabet }) => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decode(encode(bytes))).toEqual(bytes);
      }),
      effort(100),
    );
  });

  it('accepts a text only when it is the one form of some bytes', () => {
    const near = fc.string({ unit: fc.constantFrom(...Array.from(alphabet), '=', 'A', ' '), maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        expect([text, 'BAD_TEXT']).toContain(encodedAgain(decode, encode, text));
      }),
      effort(1000),
    );
  });
});

/** The text that the decoded bytes encode to, or the code of the error that decoding gave. */
function encodedAgain(
  decode: (text: string) => Uint8Array,
  encode: (bytes: Uint8Array) => string,
  text: string,
): string {
  try {
    return encode(decode(text));
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}
