import { toHex } from '@symmetra/crypto';

const HEX = /[0-9a-f]{64,}/gi;
const BASE64 = /[A-Za-z0-9+/_-]{43,}/g;
const KEY_DIGITS = 64;

/** Looks for secrets of 32 bytes in what was logged, as hexadecimal digits or in base 64. */
export function linesWithSecrets(lines: readonly string[], secrets: ReadonlySet<string>): readonly string[] {
  return lines.filter((line) => {
    const hex = (line.match(HEX) ?? []).flatMap(windows);
    const base64 = (line.match(BASE64) ?? []).flatMap((text) => windows(toHex(Buffer.from(text, 'base64'))));
    return [...hex, ...base64].some((digits) => secrets.has(digits.toLowerCase()));
  });
}

function windows(digits: string): readonly string[] {
  const count = Math.max(0, digits.length - KEY_DIGITS + 1);
  return Array.from({ length: count }, (_, at) => digits.slice(at, at + KEY_DIGITS));
}
