import { SymmetraError } from '@symmetra/crypto';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const HEX = /^[0-9a-fA-F]*$/;
const LINE_END = /\r?\n$/;

/** Bytes that are not what was agreed. The message says why, and quotes nothing. */
export function badPayload(
  name: string,
  message: string,
  details: Record<string, number> = {},
): SymmetraError {
  return new SymmetraError('SOURCE_BAD_PAYLOAD', message, { source: name, ...details });
}

/** How samples are written in a text. */
export type TextForm = 'base64' | 'hex' | 'numbers';

/**
 * The bytes of a canonical base64 text (RFC 4648, 4), which may end in one line end.
 * @throws SOURCE_BAD_PAYLOAD
 */
export function readBase64(name: string, text: string): Uint8Array {
  const digits = text.replace(LINE_END, '');
  const bytes = BASE64.test(digits) ? Buffer.from(digits, 'base64') : undefined;
  if (bytes === undefined || bytes.toString('base64') !== digits) {
    throw badPayload(name, 'the payload is not base64');
  }
  return bytes;
}

/** The bytes of a hexadecimal text, which may end in one line end. @throws SOURCE_BAD_PAYLOAD */
export function readHex(name: string, text: string): Uint8Array {
  const digits = text.replace(LINE_END, '');
  if (digits.length % 2 !== 0 || !HEX.test(digits)) throw badPayload(name, 'the payload is not hexadecimal');
  return Buffer.from(digits, 'hex');
}

/** The samples in a list of whole numbers from 0 to 255. @throws SOURCE_BAD_PAYLOAD */
function readNumbers(name: string, list: readonly unknown[]): Uint8Array {
  const samples = new Uint8Array(list.length);
  for (const [i, value] of list.entries()) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255) {
      throw badPayload(name, 'an element of the list is not a whole number from 0 to 255', { index: i });
    }
    samples[i] = value;
  }
  return samples;
}

/**
 * The value of a JSON text at a path.
 * @param path member names and positions in lists, joined by dots; empty: the whole text.
 * @throws SOURCE_BAD_PAYLOAD when it is not JSON, or has nothing there.
 */
export function readJsonAt(name: string, body: Uint8Array, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The parser's own error would quote the payload.
    throw badPayload(name, 'the payload is not JSON');
  }
  for (const key of path === '' ? [] : path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      throw badPayload(name, 'the payload has nothing at the path that was agreed');
    }
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/**
 * The samples in a JSON value: one text, a list of texts whose bytes follow one another, or a list of numbers.
 * @throws SOURCE_BAD_PAYLOAD
 */
export function readValue(name: string, value: unknown, form: TextForm): Uint8Array {
  if (form === 'numbers') {
    if (Array.isArray(value)) return readNumbers(name, value);
    throw badPayload(name, 'the payload is not a list of numbers');
  }
  const readText = form === 'base64' ? readBase64 : readHex;
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  const parts = texts.map((text) => {
    if (typeof text === 'string') return readText(name, text);
    throw badPayload(name, 'the payload is not a text');
  });
  return Buffer.concat(parts);
}

/** The text of a payload that may hold ASCII only. @throws SOURCE_BAD_PAYLOAD */
export function readAscii(name: string, body: Uint8Array): string {
  if (body.some((byte) => byte > 0x7e)) throw badPayload(name, 'the payload is not ASCII');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
}

/** @throws SOURCE_BAD_PAYLOAD when there are more or fewer samples than were asked for. */
export function checkLength(name: string, samples: Uint8Array, asked: number): Uint8Array {
  if (samples.length === asked) return samples;
  throw badPayload(name, 'the payload holds another number of samples than was asked for', {
    got: samples.length,
    asked,
  });
}
