import { SymmetraError } from '@symmetra/crypto';

/** Longest header, bytes. */
export const MAX_HEADER_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const SHA256 = /^[0-9a-f]{64}$/;
/** Control characters, and what separates folders somewhere. */
const FORBIDDEN = /[\p{Cc}/\\]/u;

/** What comes before the bytes of a file in a channel. */
export interface FileHeader {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What the receiver answers when it has the file, or does not take it. */
export interface FileAnswer {
  readonly ok: boolean;
  readonly sha256: string;
  /** Why not: a stable code. */
  readonly code?: string;
}

/** The header as it is sent: u32 length, JSON. */
export function encodeHeader(header: FileHeader): Buffer {
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text]);
}

/** Reads and checks a header: its name is that of a file and no path. @throws BAD_FILE_HEADER */
export function parseHeader(text: string): FileHeader {
  const { name, size, sha256 } = parseObject(text);
  if (
    typeof name !== 'string' ||
    name === '' ||
    name === '.' ||
    name === '..' ||
    FORBIDDEN.test(name) ||
    Buffer.byteLength(name, 'utf8') > MAX_NAME_BYTES ||
    typeof size !== 'number' ||
    !Number.isSafeInteger(size) ||
    size < 0 ||
    typeof sha256 !== 'string' ||
    !SHA256.test(sha256)
  ) {
    throw badHeader();
  }
  return { name, size, sha256 };
}

/** Reads an answer. @throws BAD_FILE_HEADER */
export function parseAnswer(line: string): FileAnswer {
  const { ok, sha256, code } = parseObject(line);
  if (typeof ok !== 'boolean' || typeof sha256 !== 'string') throw badHeader();
  return { ok, sha256, ...(typeof code === 'string' && { code }) };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw badHeader();
}

/** The peer said something that is no header and no answer. */
export function badHeader(): SymmetraError {
  return new SymmetraError('BAD_FILE_HEADER', 'the peer does not send a file as it should');
}
