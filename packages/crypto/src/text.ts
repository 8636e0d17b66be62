import { SymmetraError } from './error.js';

const HEX = codec('hex', '0123456789abcdef', 4);
const BASE32 = codec('base32', 'abcdefghijklmnopqrstuvwxyz234567', 5);
const BASE64URL = codec('base64url', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 6);

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return HEX.encode(bytes);
}

/** Accepts exactly what {@link toHex} gives. @throws BAD_TEXT */
export function fromHex(text: string): Uint8Array {
  return HEX.decode(text);
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return BASE64URL.encode(bytes);
}

/** Accepts exactly what {@link toBase64Url} gives: no padding, unused bits zero. @throws BAD_TEXT */
export function fromBase64Url(text: string): Uint8Array {
  return BASE64URL.decode(text);
}

/** RFC 4648 section 6 in lower case, without padding. */
export function toBase32(bytes: Uint8Array): string {
  return BASE32.encode(bytes);
}

/** Accepts exactly what {@link toBase32} gives: no padding, unused bits zero. @throws BAD_TEXT */
export function fromBase32(text: string): Uint8Array {
  return BASE32.decode(text);
}

interface Codec {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

/** RFC 4648 with `bits` bits to the character; the bits left over in the last character are zero. */
function codec(name: string, alphabet: string, bits: number): Codec {
  const values = new Map(Array.from(alphabet, (character, value) => [character, value]));
  const mask = (1 << bits) - 1;

  const fail = (reason: string): never => {
    throw new SymmetraError('BAD_TEXT', `the ${name} text ${reason}`, { encoding: name });
  };

  return {
    encode(bytes) {
      let text = '';
      let pending = 0;
      let held = 0;
      for (const byte of bytes) {
        pending = (pending << 8) | byte;
        held += 8;
        for (; held >= bits; pending &= (1 << held) - 1) {
          held -= bits;
          text += alphabet[pending >>> held];
        }
      }
      return held === 0 ? text : text + alphabet[(pending << (bits - held)) & mask];
    },

    decode(text) {
      const length = Math.floor((text.length * bits) / 8);
      if (Math.ceil((length * 8) / bits) !== text.length) fail('has an impossible length');
      const bytes = new Uint8Array(length);
      let pending = 0;
      let held = 0;
      let at = 0;
      for (let i = 0; i < text.length; i++) {
        const value = values.get(text[i] as string) ?? fail(`has a foreign character at position ${i}`);
        pending = (pending << bits) | value;
        held += bits;
        if (held < 8) continue;
        held -= 8;
        bytes[at++] = pending >>> held;
        pending &= (1 << held) - 1;
      }
      if (pending !== 0) fail('is not canonical: its unused bits are not zero');
      return bytes;
    },
  };
}
