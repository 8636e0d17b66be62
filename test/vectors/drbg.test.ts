import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '@symmetra/crypto';
import { HmacDrbg } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

interface DrbgCall {
  readonly reseed?: { readonly entropy: string; readonly additionalInput?: string };
  readonly generate?: { readonly additionalInput?: string };
}

interface DrbgVector {
  readonly source: string;
  readonly entropy: string;
  readonly nonce: string;
  readonly personalization: string;
  readonly calls: readonly DrbgCall[];
  readonly returnedBits: string;
}

const file = new URL('drbg-hmac-sha256.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly DrbgVector[] };

describe('HMAC_DRBG SHA-256 gives the published CAVP outputs', () => {
  it('has cases of all three files', () => {
    const files = new Set(vectors.map(({ source }) => source.split(' ')[0]));
    expect([...files]).toEqual(['drbgvectors_no_reseed', 'drbgvectors_pr_false', 'drbgvectors_pr_true']);
    expect(vectors).toHaveLength(24);
  });

  it.each(vectors)('$source', (vector) => {
    const drbg = new HmacDrbg({
      entropy: fromHex(vector.entropy),
      nonce: fromHex(vector.nonce),
      personalization: fromHex(vector.personalization),
    });
    let last: Uint8Array = new Uint8Array(0);
    for (const { reseed, generate } of vector.calls) {
      if (reseed) drbg.reseed(fromHex(reseed.entropy), fromHex(reseed.additionalInput ?? ''));
      if (generate) {
        last = drbg.generate(vector.returnedBits.length / 2, fromHex(generate.additionalInput ?? ''));
      }
    }
    expect(toHex(last)).toBe(vector.returnedBits);
  });
});
