import { SymmetraError } from '@symmetra/crypto';
import * as protocol from '@symmetra/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effort } from './effort.js';
import { CORPUS, mutated } from './protocol-corpus.js';

const RUNS = 300;

/** Every decoder that a stranger's bytes reach, by the name of the messages that it reads. */
const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  offer: (bytes) => protocol.inspectOffer(CORPUS.context, bytes),
  confirmation: (bytes) => protocol.inspectConfirmation(bytes),
  r1: (bytes) => protocol.inspectR1(CORPUS.context, bytes),
  r3: (bytes) => protocol.inspectR3(CORPUS.context, bytes),
  proof: (bytes) => protocol.inspectProof(CORPUS.context, bytes),
  open: (bytes) => protocol.inspectOpen(CORPUS.context, bytes),
  header: (bytes) => protocol.decodeHeader(CORPUS.context, bytes),
  response: (bytes) => protocol.decodePairMessage(bytes),
  confirm: (bytes) => protocol.decodePairMessage(bytes),
  acknowledge: (bytes) => protocol.decodePairMessage(bytes),
  refusal: (bytes) => protocol.decodePairMessage(bytes),
  descriptor: (bytes) => protocol.decodeDescriptor(bytes),
  event: (bytes) => protocol.decodeEvent(bytes),
  state: (bytes) => protocol.decodeState(bytes),
};

/** What the docstrings of the decoders name. */
const OUTCOMES = [
  'read',
  'BAD_ENCODING',
  'WRONG_VERSION',
  'WRONG_NETWORK',
  'SUITE_UNKNOWN',
  'BAD_HEADER',
  'BAD_DESCRIPTOR',
  'BAD_EVENT',
];

/** `read`, or the code of the refusal. Anything else that is thrown fails the test. */
function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    decode(bytes);
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'read';
}

describe.each(Object.entries(DECODERS))('the decoder of %s', (name, decode) => {
  const valid = CORPUS.messages[name];

  test('reads what the protocol writes', () => {
    expect(valid?.length).toBeGreaterThan(0);
    for (const bytes of valid ?? []) expect(() => decode(bytes)).not.toThrow();
  });

  test('takes arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(OUTCOMES).toContain(outcome(decode, bytes));
      }),
      effort(RUNS),
    );
  });

  test('takes damaged messages', () => {
    fc.assert(
      fc.property(mutated(valid ?? []), (bytes) => {
        expect(OUTCOMES).toContain(outcome(decode, bytes));
      }),
      effort(RUNS),
    );
  });
});

test('a token text is read whole or refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((tail) => `smt1_${tail}`),
    fc
      .tuple(fc.nat(CORPUS.token.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, letter]) => CORPUS.token.slice(0, at) + letter + CORPUS.token.slice(at + 1)),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const again = (): string => protocol.encodeToken(protocol.decodeToken(candidate));
      const read = outcome(again, new Uint8Array(0));
      expect(read === 'read' ? again() : read).toBe(read === 'read' ? candidate : 'TOKEN_MALFORMED');
    }),
    effort(RUNS),
  );
});

describe('stored states', () => {
  const value: fc.Arbitrary<protocol.StateValue> = fc.letrec<{ value: protocol.StateValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.boolean(),
      fc.constant(undefined),
      fc.maxSafeNat(),
      fc.string(),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string(),
        tie('value').filter((item) => item !== undefined),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  })).value;

  test('come back as they were', () => {
    fc.assert(
      fc.property(value, (inner) => {
        const state = { inner: [inner] };
        expect(protocol.decodeState(protocol.encodeState(state))).toEqual(state);
      }),
      effort(RUNS),
    );
  });

  test('are nested no deeper than a state is', () => {
    const nested = Uint8Array.from(Array.from({ length: 20 }, () => [7, 0, 1]).flat());
    expect(outcome(protocol.decodeState, nested)).toBe('BAD_ENCODING');
    expect(outcome(protocol.decodeState, Uint8Array.of(9))).toBe('BAD_ENCODING');
  });

  test('hold no more than can be read again', () => {
    const long = { items: Array.from({ length: 5000 }, (_, i) => i) };
    expect(protocol.decodeState(protocol.encodeState(long))).toEqual(long);
    const deep = Array.from({ length: 20 }).reduce<protocol.StateValue>((inner) => [inner], 0);
    for (const refused of [{ deep }, { n: -1 }, { n: 0.5 }, { long: new Uint8Array(70_000) }]) {
      expect(() => protocol.encodeState(refused)).toThrow(
        expect.objectContaining({ code: 'BAD_ENCODING' }) as SymmetraError,
      );
    }
  });
});
