import { fromBase32, fromBase64Url, fromHex, toBase32, toBase64Url, toHex, utf8 } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const bad = expect.objectContaining({ code: 'BAD_TEXT' }) as unknown;

/** RFC 4648 section 10, without padding; base32 in lower case. */
const published = [
  { plain: '', base64: '', base32: '', hex: '' },
  { plain: 'f', base64: 'Zg', base32: 'my', hex: '66' },
  { plain: 'fo', base64: 'Zm8', base32: 'mzxq', hex: '666f' },
  { plain: 'foo', base64: 'Zm9v', base32: 'mzxw6', hex: '666f6f' },
  { plain: 'foob', base64: 'Zm9vYg', base32: 'mzxw6yq', hex: '666f6f62' },
  { plain: 'fooba', base64: 'Zm9vYmE', base32: 'mzxw6ytb', hex: '666f6f6261' },
  { plain: 'foobar', base64: 'Zm9vYmFy', base32: 'mzxw6ytboi', hex: '666f6f626172' },
];

describe('text encodings', () => {
  it.each(published)('of "$plain" are those of RFC 4648', ({ plain, base64, base32, hex }) => {
    const bytes = utf8(plain);
    expect([toBase64Url(bytes), toBase32(bytes), toHex(bytes)]).toEqual([base64, base32, hex]);
    expect([fromBase64Url(base64), fromBase32(base32), fromHex(hex)]).toEqual([bytes, bytes, bytes]);
  });

  it('use the URL-safe alphabet', () => {
    expect(toBase64Url(Uint8Array.of(0xfb, 0xef, 0xff))).toBe('--__');
    expect(fromBase64Url('--__')).toEqual(Uint8Array.of(0xfb, 0xef, 0xff));
  });

  it.each(['0', '0g', 'AB', '0x', 'é0', ' 00', '0 '])('hexadecimal refuses "%s"', (text) => {
    expect(() => fromHex(text)).toThrow(bad);
  });

  it.each(['a', 'aaa', 'aaaaaa', 'MY', 'my======', 'm1', 'mz', 'mzxw7', 'my '])(
    'base32 refuses "%s"',
    (text) => {
      expect(() => fromBase32(text)).toThrow(bad);
    },
  );

  it.each(['Z', 'Zg==', 'Zh', 'Zm9', '++//', 'Zm 9', 'Zg\n', 'Zmé8'])('base64url refuses "%s"', (text) => {
    expect(() => fromBase64Url(text)).toThrow(bad);
  });
});
