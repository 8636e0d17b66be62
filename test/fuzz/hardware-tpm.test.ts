import { SymmetraError } from '@symmetra/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  TPM_MAX_RESPONSE_BYTES,
  decodeEmpty,
  decodeRandom,
  responseLength,
} from '../../packages/hardware/src/tpm/codec.js';
import { effort } from './effort.js';

const RUNS = 1000;

/** What a TPM, or who stands between, may send: a header with likely fields before any bytes, or any bytes. */
const likely = fc
  .record({
    tag: fc.constantFrom(0x8001, 0x8002, 0x00c4, 0),
    excess: fc.constantFrom(0, 0, 0, 0, -1, 1, 4096),
    rc: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff), fc.nat(0xffff_ffff)),
    size: fc.oneof(fc.constant(undefined), fc.nat(70)),
    body: fc.uint8Array({ maxLength: 70 }),
  })
  .map(({ tag, excess, rc, size, body }) => {
    const bytes = new Uint8Array(12 + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, tag);
    view.setUint32(2, Math.max(0, bytes.length + excess));
    view.setUint32(6, rc);
    view.setUint16(10, size ?? body.length);
    bytes.set(body, 12);
    return bytes;
  });
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 80 }), likely, likely);

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'OK';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}

describe('what a TPM answers', () => {
  it('is random bytes, at least one and at most what was asked for, or is refused', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyBytes, fc.integer({ min: 1, max: 64 }), (bytes, asked) => {
        const before = bytes.slice();
        const code = codeOf(() => {
          const { length } = decodeRandom(bytes, asked);
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(asked);
          expect(bytes).toHaveLength(12 + length);
        });
        seen.add(code);
        expect(['OK', 'TPM_BAD_RESPONSE', 'TPM_FAILED']).toContain(code);
        expect(bytes).toEqual(before);
      }),
      effort(RUNS),
    );
    expect(seen.size).toBe(3);
  });

  it('is nothing where nothing was asked for, or is refused', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const code = codeOf(() => decodeEmpty(bytes));
        expect(['OK', 'TPM_BAD_RESPONSE', 'TPM_FAILED']).toContain(code);
        if (code === 'OK') expect(bytes).toHaveLength(10);
      }),
      effort(RUNS),
    );
  });

  it('has a length that does not change while it comes in', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        let known: number | undefined;
        for (let end = 0; end <= bytes.length; end++) {
          const start = bytes.subarray(0, end);
          if (codeOf(() => responseLength(start)) !== 'OK') return;
          const length = responseLength(start);
          if (known !== undefined) expect(length).toBe(known);
          if (length !== undefined) expect(length).toBeGreaterThanOrEqual(end);
          expect(length ?? 0).toBeLessThanOrEqual(TPM_MAX_RESPONSE_BYTES);
          known = length;
        }
      }),
      effort(RUNS),
    );
  });
});
