import { Reader, Writer, fromHex, toHex, utf8 } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const failure = (field: string, offset: number): unknown =>
  expect.objectContaining({
    code: 'BAD_ENCODING',
    details: expect.objectContaining({ field, offset }) as unknown,
  });

describe('Writer', () => {
  it('writes every field in its one form', () => {
    const bytes = new Writer()
      .u8(0xfe)
      .u16(0x0102)
      .u32(0xfffefdfc)
      .u64(0x0102030405060708n)
      .u64(Number.MAX_SAFE_INTEGER)
      .raw(Uint8Array.of(9, 9))
      .bytes(Uint8Array.of(7))
      .text('né')
      .list([1, 2], (writer, item) => writer.u8(item))
      .finish();
    expect(toHex(bytes)).toBe('fe0102fffefdfc0102030405060708001fffffffffffff090900010700036ec3a900020102');
  });

  it('grows past any size and starts empty again', () => {
    const writer = new Writer();
    const large = new Uint8Array(65_535).fill(3);
    expect(writer.u8(1).bytes(large).bytes(large).finish().length).toBe(1 + 2 * 65_537);
    expect(writer.finish()).toEqual(new Uint8Array(0));
    expect(toHex(writer.u16(5).finish())).toBe('0005');
  });

  it('gives a fresh array that later writing does not touch', () => {
    const writer = new Writer();
    const first = writer.u32(0x01020304).finish();
    writer.u32(0).finish();
    expect(toHex(first)).toBe('01020304');
  });

  it('writes text as UTF-8, whatever its length and its characters', () => {
    const texts = ['', '\0', 'a\x7f', 'a\x80', '\u{1f511}'].flatMap((text) =>
      [0, 63, 64, 65, 1000].map((count) => 'x'.repeat(count) + text),
    );
    for (const text of texts) {
      const bytes = utf8(text);
      const expected = new Writer().u16(bytes.length).raw(bytes).finish();
      expect(new Writer().u8(1).text(text).finish()).toEqual(Uint8Array.of(1, ...expected));
    }
  });

  it('refuses what does not fit', () => {
    const at2 = () => new Writer().u16(0);
    for (const n of [-1, 256, 0.5, Number.NaN]) expect(() => at2().u8(n)).toThrow(failure('u8', 2));
    for (const n of [-1, 65_536]) expect(() => at2().u16(n)).toThrow(failure('u16', 2));
    for (const n of [-1, 2 ** 32]) expect(() => at2().u32(n)).toThrow(failure('u32', 2));
    for (const n of [-1, 2 ** 53, -1n, 2n ** 64n]) expect(() => at2().u64(n)).toThrow(failure('u64', 2));
    expect(() => at2().bytes(new Uint8Array(65_536))).toThrow(failure('bytes', 2));
    expect(() => at2().text('a'.repeat(65_536))).toThrow(failure('text', 2));
    expect(() => at2().text('\ud800')).toThrow(failure('text', 2));
    expect(() => at2().text('x\udc00y')).toThrow(failure('text', 2));
    const items = Array.from({ length: 65_536 }, () => 0);
    expect(() => at2().list(items, (writer, item) => writer.u8(item))).toThrow(failure('list', 2));
  });
});

describe('Reader', () => {
  const read = (hex: string) => new Reader(fromHex(hex), 'test message');

  it('reads every field back', () => {
    const reader = read('fe0102fffefdfc0102030405060708090900010700036ec3a900020102');
    expect(reader.u8()).toBe(0xfe);
    expect(reader.u16()).toBe(0x0102);
    expect(reader.u32()).toBe(0xfffefdfc);
    expect(reader.u64()).toBe(0x0102030405060708n);
    expect(reader.raw(2)).toEqual(Uint8Array.of(9, 9));
    expect(reader.bytes()).toEqual(Uint8Array.of(7));
    expect(reader.text()).toBe('né');
    expect(reader.list(2, (item) => item.u8())).toEqual([1, 2]);
    expect(() => reader.end()).not.toThrow();
  });

  it('gives copies', () => {
    const source = fromHex('010203000104');
    const reader = new Reader(source, 'test message');
    const raw = reader.raw(3);
    const bytes = reader.bytes();
    raw.fill(0xff);
    source.fill(0xee);
    expect(bytes).toEqual(Uint8Array.of(4));
    expect(source).toEqual(new Uint8Array(6).fill(0xee));
  });

  it('names the field and the position where the bytes end too early', () => {
    expect(() => read('').u8()).toThrow(failure('u8', 0));
    expect(() => read('01').u16()).toThrow(failure('u16', 0));
    expect(() => read('010203').u32()).toThrow(failure('u32', 0));
    expect(() => read('01020304050607').u64()).toThrow(failure('u64', 0));
    expect(() => read('01').raw(2)).toThrow(failure('raw', 0));
    expect(() => read('000301').bytes()).toThrow(failure('bytes', 2));
    expect(() => read('000301').text()).toThrow(failure('text', 2));
    expect(() => read('000201').list(9, (item) => item.u8())).toThrow(failure('u8', 3));
  });

  it('keeps its limits', () => {
    expect(() => read('0003010203').bytes(2)).toThrow(failure('bytes', 0));
    expect(() => read('0003616263').text(2)).toThrow(failure('text', 0));
    expect(() => read('0003010203').list(2, (item) => item.u8())).toThrow(failure('list', 0));
    expect(read('0003010203').bytes(3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('refuses text that is not well-formed UTF-8', () => {
    const malformed = ['ff', 'c3', 'c080', 'e08080', 'eda080', 'f4908080', '80', 'c328'];
    for (const hex of malformed) {
      const prefixed = `00${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`;
      expect(() => read(prefixed).text()).toThrow(failure('text', 0));
    }
  });

  it('keeps a byte order mark, so that reading and writing are inverse', () => {
    const text = read('0004efbbbf61').text();
    expect(text).toBe('\ufeffa');
    expect(toHex(new Writer().text(text).finish())).toBe('0004efbbbf61');
  });

  it('refuses trailing bytes and says what was being read', () => {
    const reader = new Reader(utf8('abc'), 'the hello message');
    reader.u8();
    expect(() => reader.end()).toThrow(failure('end', 1));
    expect(() => reader.end()).toThrow(/^the hello message: .* 2 unexpected bytes$/);
  });
});
