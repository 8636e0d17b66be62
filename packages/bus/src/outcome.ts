import { Reader, SymmetraError, Writer, concat } from '@symmetra/crypto';

const REPLY = 0;
const FAILURE = 1;
const TEXT_DETAIL = 0;
const NUMBER_DETAIL = 1;

const MAX_CODE_BYTES = 64;
const CODE = /^[A-Z][A-Z0-9_]*$/;
const MAX_MESSAGE_BYTES = 1024;
const MAX_DETAILS = 32;
const MAX_DETAIL_BYTES = 1024;

type Detail = readonly [string, string | number];

/** The bytes that carry a handler's reply back. */
export function encodeReply(payload: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(REPLY), payload);
}

/** The bytes that carry a handler's failure back. Only a SymmetraError says what it is. */
export function encodeFailure(error: unknown): Uint8Array {
  const known =
    error instanceof SymmetraError ? error : new SymmetraError('INTERNAL', 'the node could not answer');
  try {
    return writeFailure(known);
  } catch {
    return writeFailure(new SymmetraError(known.code, 'the node stated a reason that can not be sent'));
  }
}

/**
 * The reply in such bytes.
 * @throws SymmetraError the failure that the bytes carry; BAD_ENCODING when they are neither.
 */
export function decodeOutcome(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === REPLY) return bytes.slice(1);
  const reader = new Reader(bytes, 'bus outcome');
  const kind = reader.u8();
  if (kind !== FAILURE) throw badEncoding('the bus outcome is of no known kind');
  const code = reader.text(MAX_CODE_BYTES);
  if (!CODE.test(code)) throw badEncoding('the bus outcome names no code');
  const message = reader.text(MAX_MESSAGE_BYTES);
  const details = reader.list(MAX_DETAILS, readDetail);
  reader.end();
  throw new SymmetraError(code, message, Object.fromEntries(details));
}

function writeFailure(error: SymmetraError): Uint8Array {
  const details: Detail[] = Object.entries(error.details).slice(0, MAX_DETAILS);
  return new Writer()
    .u8(FAILURE)
    .text(error.code)
    .text(error.message.slice(0, MAX_MESSAGE_BYTES / 4))
    .list(details, writeDetail)
    .finish();
}

function writeDetail(writer: Writer, [key, value]: Detail): void {
  writer.text(key).u8(Number.isFinite(value) ? NUMBER_DETAIL : TEXT_DETAIL);
  writer.text(String(value).slice(0, MAX_DETAIL_BYTES / 4));
}

function readDetail(reader: Reader): Detail {
  const key = reader.text(MAX_DETAIL_BYTES);
  const kind = reader.u8();
  const text = reader.text(MAX_DETAIL_BYTES);
  if (kind === TEXT_DETAIL) return [key, text];
  const number = Number(text);
  if (kind === NUMBER_DETAIL && Number.isFinite(number)) return [key, number];
  throw badEncoding('a detail of the bus outcome is neither text nor a number');
}

function badEncoding(message: string): SymmetraError {
  return new SymmetraError('BAD_ENCODING', message);
}
