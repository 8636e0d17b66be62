import { LABELS, Writer } from '@symmetra/crypto';
import { describe, expect, it } from 'vitest';

const texts = Object.values(LABELS);

describe('the domain-separation labels', () => {
  it('never change', () => {
    expect(LABELS).toMatchSnapshot();
  });

  it('differ from one another and follow one form', () => {
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).toMatch(/^symmetra\/1 [a-z]+ [a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it('fit an HMAC block, so that a salt is never hashed', () => {
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(64);
  });

  it('are not prefixes of one another once encoded', () => {
    const encoded = texts.map((text) => Buffer.from(new Writer().text(text).finish()).toString('hex'));
    for (const one of encoded) {
      expect(encoded.filter((other) => other.startsWith(one))).toEqual([one]);
    }
  });
});
