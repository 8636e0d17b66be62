import { EncodingError, Reader, Writer } from '@symmetra/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

type Field =
  | { readonly kind: 'u8'; readonly value: number }
  | { readonly kind: 'u16'; readonly value: number }
  | { readonly kind: 'u32'; readonly value: number }
  | { readonly kind: 'u64'; readonly value: bigint }
  | { readonly kind: 'raw'; readonly value: Uint8Array }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'list'; readonly value: readonly Uint8Array[] };

const chunk = fc.uint8Array({ maxLength: 40 });

const anyField: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffffffff) }),
  fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ kind: fc.constant('raw' as const), value: chunk }),
  fc.record({ kind: fc.constant('bytes' as const), value: chunk }),
  fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'binary', maxLength: 20 }) }),
  fc.record({ kind: fc.constant('list' as const), value: fc.array(chunk, { maxLength: 5 }) }),
);

function write(writer: Writer, field: Field): Writer {
  switch (field.kind) {
    case 'u8':
    case 'u16':
    case 'u32':
      return writer[field.kind](field.value);
    case 'u64':
      return writer.u64(field.value);
    case 'raw':
    case 'bytes':
      return writer[field.kind](field.value);
    case 'text':
      return writer.text(field.value);
    case 'list':
      return writer.list(field.value, (inner, item) => inner.bytes(item));
  }
}

function read(reader: Reader, { kind, value }: Field): Field {
  switch (kind) {
    case 'u8':
    case 'u16':
    case 'u32':
      return { kind, value: reader[kind]() };
    case 'u64':
      return { kind, value: reader.u64() };
    case 'raw':
      return { kind, value: reader.raw(value.length) };
    case 'bytes':
      return { kind, value: reader.bytes() };
    case 'text':
      return { kind, value: reader.text() };
    case 'list':
      return { kind, value: reader.list(0xffff, (inner) => inner.bytes()) };
  }
}

function encode(fields: readonly Field[]): Uint8Array {
  const writer = new Writer();
  for (const item of fields) write(writer, item);
  return writer.finish();
}

/** The fields that the bytes hold, read by the shape of `shape`, or the error that this gave. */
function decode(bytes: Uint8Array, shape: readonly Field[]): readonly Field[] | EncodingError {
  try {
    const reader = new Reader(bytes, 'fuzzed message');
    const fields = shape.map((item) => read(reader, item));
    reader.end();
    return fields;
  } catch (error) {
    if (error instanceof EncodingError) return error;
    throw error;
  }
}

describe('the canonical encoding, fuzzed', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.array(anyField, { maxLength: 12 }), (fields) => {
        expect(decode(encode(fields), fields)).toEqual(fields);
      }),
      effort(500),
    );
  });

  it('turns arbitrary bytes into the value they encode, exactly, or into an EncodingError', () => {
    const seen = { values: 0, errors: 0 };
    fc.assert(
      fc.property(fc.array(anyField, { maxLength: 4 }), fc.uint8Array({ maxLength: 60 }), (shape, bytes) => {
        const result = decode(bytes, shape);
        seen[result instanceof EncodingError ? 'errors' : 'values']++;
        const encodedAgain = result instanceof EncodingError ? bytes : encode(result);
        expect(encodedAgain).toEqual(bytes);
      }),
      effort(2000),
    );
    expect(seen.errors).toBeGreaterThan(0);
    expect(seen.values).toBeGreaterThan(0);
  });

  it('notices every cut and every addition', () => {
    fc.assert(
      fc.property(fc.array(anyField, { minLength: 1, maxLength: 6 }), fc.nat(), (fields, where) => {
        const bytes = encode(fields);
        fc.pre(bytes.length > 0);
        const cut = decode(bytes.subarray(0, where % bytes.length), fields);
        expect(cut).toBeInstanceOf(EncodingError);
        expect(decode(Uint8Array.of(...bytes, 0), fields)).toBeInstanceOf(EncodingError);
      }),
      effort(500),
    );
  });

  it('accepts changed bytes only as the other value that they encode', () => {
    fc.assert(
      fc.property(
        fc.array(anyField, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.nat(7),
        (fields, at, bit) => {
          const bytes = encode(fields);
          fc.pre(bytes.length > 0);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ (1 << bit);
          const result = decode(bytes, fields);
          expect(result).not.toEqual(fields);
          expect(result instanceof EncodingError ? bytes : encode(result)).toEqual(bytes);
        },
      ),
      effort(500),
    );
  });
});
