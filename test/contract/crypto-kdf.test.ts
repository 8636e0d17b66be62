import { LABELS, expand, extractExpand, openOnce, sealOnce, suites, utf8 } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

const code = (value: string): unknown => expect.objectContaining({ code: value });

const context: KdfContext = {
  networkId: new Uint8Array(16).fill(0xa1),
  initiator: utf8('alice'),
  responder: utf8('node-1'),
  epoch: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7),
  transcriptHash: new Uint8Array(32).fill(0xb2),
};
const nonce = new Uint8Array(32).fill(0xc3);
const aad = utf8('associated data');
const plaintext = utf8('a message of some length, not a multiple of anything');

const algorithmOf = (suite: Suite) => (suite.hashLength === 32 ? 'sha256' : 'sha512');
const keyFor = (suite: Suite, value = 5) => new Uint8Array(suite.hashLength).fill(value);

/** The documented info string, built without the code under test. */
function infoByHand(suite: Suite, label: string, ctx: KdfContext, length: number): Buffer {
  const framed = (bytes: Uint8Array) => {
    const prefix = Buffer.alloc(2);
    prefix.writeUInt16BE(bytes.length);
    return Buffer.concat([prefix, bytes]);
  };
  const lengthField = Buffer.alloc(2);
  lengthField.writeUInt16BE(length);
  return Buffer.concat([
    framed(Buffer.from(label, 'utf8')),
    Buffer.of(suite.id),
    ctx.networkId,
    framed(ctx.initiator),
    framed(ctx.responder),
    framed(ctx.epoch),
    framed(ctx.transcriptHash),
    lengthField,
  ]);
}

/** RFC 5869 section 2.3, written down once more. */
function expandByHand(suite: Suite, prk: Uint8Array, info: Buffer, length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 1; blocks.length * suite.hashLength < length; i++) {
    const mac = createHmac(algorithmOf(suite), prk).update(blocks.at(-1) ?? Buffer.alloc(0));
    blocks.push(mac.update(info).update(Buffer.of(i)).digest());
  }
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

describe.each(suites.ids().map((id) => suites.get(id)))('KDF of suite $id', (suite) => {
  it.each([1, 31, 32, 33, 64, 65, 200, 255 * 32])('expands to %i bytes as documented', (length) => {
    const info = infoByHand(suite, LABELS.ratchetChain, context, length);
    const okm = expandByHand(suite, keyFor(suite), info, length);
    expect(expand(suite, keyFor(suite), 'ratchetChain', context, length)).toEqual(okm);
  });

  it('expands to the hash length by default', () => {
    const okm = expand(suite, keyFor(suite), 'ratchetChain', context);
    expect(okm).toEqual(expand(suite, keyFor(suite), 'ratchetChain', context, suite.hashLength));
  });

  it('extracts as documented', () => {
    const framed = Buffer.concat([
      Buffer.of(0, 3),
      utf8('one'),
      Buffer.of(0, 0),
      Buffer.of(0, 2),
      utf8('no'),
    ]);
    const prk = createHmac(algorithmOf(suite), LABELS.enrolBootstrap).update(framed).digest();
    const info = infoByHand(suite, LABELS.enrolBootstrap, context, 48);
    const okm = extractExpand(
      suite,
      [utf8('one'), new Uint8Array(0), utf8('no')],
      'enrolBootstrap',
      context,
      48,
    );
    expect(okm).toEqual(expandByHand(suite, prk, info, 48));
  });

  it('binds every part of the context, the label, the suite, the length and the key', () => {
    const changes: readonly Partial<KdfContext>[] = [
      {},
      { networkId: new Uint8Array(16) },
      { initiator: utf8('bob') },
      { responder: utf8('node-2') },
      { initiator: utf8('aliceno'), responder: utf8('de-1') },
      { initiator: context.responder, responder: context.initiator },
      { epoch: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 8) },
      { epoch: new Uint8Array(0), transcriptHash: context.epoch },
      { transcriptHash: new Uint8Array(0) },
    ];
    const outputs = changes.map((change) =>
      expand(suite, keyFor(suite), 'ratchetChain', { ...context, ...change }, 32),
    );
    outputs.push(
      expand(suite, keyFor(suite), 'ratchetKey', context, 32),
      expand({ ...suite, id: 77 }, keyFor(suite), 'ratchetChain', context, 32),
      expand(suite, keyFor(suite), 'ratchetChain', context, 33).slice(0, 32),
      expand(suite, keyFor(suite, 6), 'ratchetChain', context, 32),
    );
    expect(new Set(outputs.map((bytes) => bytes.join())).size).toBe(outputs.length);
  });

  it('tells lists of secrets apart whose joined bytes are the same', () => {
    const lists = [[utf8('ab')], [utf8('a'), utf8('b')], [utf8('ab'), utf8('')], [utf8(''), utf8('ab')], []];
    const outputs = lists.map((ikms) => extractExpand(suite, ikms, 'pairPrk', context).join());
    expect(new Set(outputs).size).toBe(lists.length);
  });

  it('refuses wrong lengths by name', () => {
    for (const length of [0, suite.hashLength - 1, suite.hashLength + 1]) {
      const key = new Uint8Array(length);
      expect(() => expand(suite, key, 'pairTls', context)).toThrow(code('KDF_KEY_LENGTH'));
    }
    for (const length of [0, -1, 1.5, Number.NaN, 255 * suite.hashLength + 1]) {
      const run = () => expand(suite, keyFor(suite), 'pairTls', context, length);
      expect(run).toThrow(code('KDF_OUTPUT_LENGTH'));
    }
    const badNetwork = { ...context, networkId: new Uint8Array(15) };
    expect(() => expand(suite, keyFor(suite), 'pairTls', badNetwork)).toThrow(code('KDF_NETWORK_ID_LENGTH'));
    const huge = { ...context, initiator: new Uint8Array(65_536) };
    expect(() => expand(suite, keyFor(suite), 'pairTls', huge)).toThrow(code('BAD_ENCODING'));
    expect(() => extractExpand(suite, [huge.initiator], 'pairTls', context)).toThrow(code('BAD_ENCODING'));
  });

  it('seals a message once as documented', () => {
    const transcriptHash = createHash(algorithmOf(suite))
      .update(Buffer.concat([Buffer.of(0, 32), context.transcriptHash, Buffer.of(0, 32), nonce]))
      .digest();
    const info = infoByHand(suite, LABELS.ratchetR1Seal, { ...context, transcriptHash }, 32);
    const messageKey = expandByHand(suite, keyFor(suite), info, 32);
    const sealed = sealOnce(suite, keyFor(suite), 'ratchetR1Seal', context, nonce, aad, plaintext);
    expect(sealed).toEqual(suite.seal(messageKey, new Uint8Array(12), aad, plaintext));
    expect(openOnce(suite, keyFor(suite), 'ratchetR1Seal', context, nonce, aad, sealed)).toEqual(plaintext);
  });

  it('opens a message only with all that it was sealed under', () => {
    const sealed = sealOnce(suite, keyFor(suite), 'ratchetR1Seal', context, nonce, aad, plaintext);
    const refused = code('AUTHENTICATION_FAILED');
    const open = openOnce;
    const otherNonce = new Uint8Array(32);
    const other = { ...context, epoch: new Uint8Array(8) };
    expect(() => open(suite, keyFor(suite, 6), 'ratchetR1Seal', context, nonce, aad, sealed)).toThrow(
      refused,
    );
    expect(() => open(suite, keyFor(suite), 'ratchetR2Seal', context, nonce, aad, sealed)).toThrow(refused);
    expect(() => open(suite, keyFor(suite), 'ratchetR1Seal', other, nonce, aad, sealed)).toThrow(refused);
    expect(() => open(suite, keyFor(suite), 'ratchetR1Seal', context, otherNonce, aad, sealed)).toThrow(
      refused,
    );
    expect(() => open(suite, keyFor(suite), 'ratchetR1Seal', context, nonce, nonce, sealed)).toThrow(refused);
    expect(() =>
      open(suite, keyFor(suite), 'ratchetR1Seal', context, nonce.subarray(1), aad, sealed),
    ).toThrow(code('ONE_SHOT_NONCE_LENGTH'));
  });
});
