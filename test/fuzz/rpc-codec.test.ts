import { SymmetraError } from '@symmetra/crypto';
import { decode, encode, methodDescriptors } from '@symmetra/rpc';
import type { MessageName } from '@symmetra/rpc';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const RUNS = 300;

/** Every type that a peer can make a node or a device decode. */
const typeNames = [
  ...new Set(
    methodDescriptors()
      .flatMap((method) => [
        method.requestType,
        method.replyType,
        method.plaintext?.request ?? 'symmetra.link.v1.DeviceEvent',
        method.plaintext?.reply ?? 'symmetra.sealed.v1.Refusal',
      ])
      .toSorted(),
  ),
] as MessageName[];

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'OK';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}

/** Bytes that look like protobuf: fields with valid tags and lengths around random contents. */
const fieldBytes = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(0, 1, 2, 3, 4, 5), fc.uint8Array({ maxLength: 40 }))
  .map(([field, wireType, content]) => {
    const tag = (field << 3) | wireType;
    return wireType === 2 ? Uint8Array.of(tag, content.length, ...content) : Uint8Array.of(tag, ...content);
  });
const messageLike = fc
  .array(fieldBytes, { maxLength: 12 })
  .map((fields) => Uint8Array.from(fields.flatMap((field) => [...field])));

describe('decoding what a stranger sends', () => {
  it('covers many types', () => {
    expect(typeNames.length).toBeGreaterThan(35);
  });

  it.each(typeNames)('%s: any bytes give a message or BAD_MESSAGE', (typeName) => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), messageLike), (bytes) => {
        expect(['OK', 'BAD_MESSAGE']).toContain(codeOf(() => decode(typeName, bytes)));
      }),
      effort(RUNS),
    );
  });

  it.each(typeNames)('%s: what was decoded can be encoded, and decodes to the same', (typeName) => {
    fc.assert(
      fc.property(messageLike, (bytes) => {
        fc.pre(codeOf(() => decode(typeName, bytes)) === 'OK');
        const message = decode(typeName, bytes);
        expect(decode(typeName, encode(typeName, message as never))).toEqual(message);
      }),
      effort(RUNS),
    );
  });

  it('refuses groups nested without end', () => {
    const startGroup = (15 << 3) | 3;
    const nested = new Uint8Array(60_000).fill(startGroup);
    expect(codeOf(() => decode('symmetra.sealed.v1.Sealed', nested))).toBe('BAD_MESSAGE');
  });

  it('refuses a length that runs past the end', () => {
    const ciphertextOf4GiB = Uint8Array.of(0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3);
    expect(codeOf(() => decode('symmetra.sealed.v1.Sealed', ciphertextOf4GiB))).toBe('BAD_MESSAGE');
  });

  it('ignores fields that it does not know', () => {
    const known = encode('symmetra.sealed.v1.Sealed', { session: Uint8Array.of(1), seq: 7, node: 'n1' });
    const unknownField = Uint8Array.of(0xf8, 0x07, 0x2a);
    const message = decode('symmetra.sealed.v1.Sealed', Buffer.concat([known, unknownField]));
    expect(message).toMatchObject({ seq: 7, node: 'n1' });
  });

  it('does not let a map key reach the prototype', () => {
    const entry = Buffer.concat([
      Uint8Array.of(0x0a, 9),
      Buffer.from('__proto__'),
      Uint8Array.of(0x12, 1, 0x78),
    ]);
    const bytes = Buffer.concat([Uint8Array.of(0x1a, entry.length), entry]);
    const { details } = decode('symmetra.sealed.v1.Refusal', bytes);
    expect(Object.getPrototypeOf(details)).toSatisfy((proto) => proto === null || proto === Object.prototype);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  it('refuses more bytes than any message may have', () => {
    const tooLong = new Uint8Array(4 * 1024 * 1024 + 1);
    expect(codeOf(() => decode('symmetra.sealed.v1.Sealed', tooLong))).toBe('MESSAGE_TOO_LARGE');
  });

  it('refuses a type that does not exist', () => {
    const typeName = 'symmetra.sealed.v1.Nothing' as MessageName;
    expect(codeOf(() => decode(typeName, new Uint8Array(0)))).toBe('BAD_MESSAGE');
  });
});

describe('encoding', () => {
  it('refuses an object that does not fit the type', () => {
    const wrong = { calls: 'not a list' } as never;
    expect(codeOf(() => encode('symmetra.link.v1.ConnectRequest', wrong))).toBe('BAD_MESSAGE');
  });

  it('keeps bytes as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (ciphertext, seq) => {
        const message = decode(
          'symmetra.sealed.v1.Sealed',
          encode('symmetra.sealed.v1.Sealed', { ciphertext, seq }),
        );
        expect([...message.ciphertext]).toEqual([...ciphertext]);
        expect(message.seq).toBe(seq);
      }),
      effort(100),
    );
  });
});
