import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { TOKEN_INFO_BYTES, decodeTokenInfo } from '../../packages/hardware/src/pkcs11/token-info.js';
import { effort } from './effort.js';

it('what a token says of itself is read whatever bytes it has, and without the padding of its texts', () => {
  const structure = fc.oneof(
    fc.uint8Array({ minLength: TOKEN_INFO_BYTES, maxLength: TOKEN_INFO_BYTES }),
    fc.array(fc.constantFrom(0, 0x20, 0x41, 0xc3, 0xff), {
      minLength: TOKEN_INFO_BYTES,
      maxLength: TOKEN_INFO_BYTES,
    }),
  );
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(structure, (bytes) => {
      const info = decodeTokenInfo(Uint8Array.from(bytes));
      for (const [text, most] of [
        [info.label, 32],
        [info.manufacturer, 32],
        [info.model, 16],
      ] as const) {
        expect(text.length).toBeLessThanOrEqual(most);
        expect(text).not.toMatch(/[ \0]$/);
      }
      expect(info.hasRng).toBe(((bytes[96] ?? 0) & 1) === 1);
      seen.add(info.hasRng);
    }),
    effort(500),
  );
  expect(seen.size).toBe(2);
});
