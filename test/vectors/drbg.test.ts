import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '@symmetra/crypto';
import { CtrDrbg, HashDrbg, HmacDrbg } from '@symmetra/entropy';
import type { Drbg, DrbgSeed } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

interface DrbgCall {
  readonly reseed?: { readonly entropy: string; readonly additionalInput?: string };
  readonly generate?: { readonly additionalInput?: string };
}

interface DrbgVector {
  readonly source: string;
  readonly mechanism?: string;
  readonly entropy: string;
  readonly nonce: string;
  readonly personalization: string;
  readonly calls: readonly DrbgCall[];
  readonly returnedBits: string;
}

const MECHANISMS: Readonly<Record<string, (seed: DrbgSeed) => Drbg>> = {
  'HMAC_DRBG SHA-256': (seed) => new HmacDrbg(seed),
  'HMAC_DRBG SHA-512': (seed) => new HmacDrbg(seed, 'sha512'),
  'Hash_DRBG SHA-512': (seed) => new HashDrbg(seed),
  'CTR_DRBG AES-256 use df': (seed) => new CtrDrbg(seed),
  'CTR_DRBG AES-256 no df': ({ entropy, personalization }) =>
    new CtrDrbg({ fullEntropy: entropy, ...(personalization && { personalization }) }),
};

function vectorsOf(file: string): readonly DrbgVector[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return (JSON.parse(text) as { vectors: readonly DrbgVector[] }).vectors;
}

/** The vectors of the older file name no mechanism: all are of one. */
const vectors = [...vectorsOf('drbg-hmac-sha256.json'), ...vectorsOf('drbg-cavp.json')];

describe.each(Object.entries(MECHANISMS))('%s gives the published CAVP outputs', (mechanism, instantiate) => {
  const own = vectors.filter((vector) => (vector.mechanism ?? 'HMAC_DRBG SHA-256') === mechanism);

  it('has cases without reseed, with reseed and with prediction resistance', () => {
    const files = new Set(own.map(({ source }) => source.split(' ')[0]));
    expect([...files]).toEqual(['drbgvectors_no_reseed', 'drbgvectors_pr_false', 'drbgvectors_pr_true']);
    expect(own).toHaveLength(24);
  });

  it.each(own)('$source', (vector) => {
    const drbg = instantiate({
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
