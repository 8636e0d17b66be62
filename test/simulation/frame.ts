import { Reader, SymmetraError, Writer } from '@symmetra/crypto';

/** A message between simulated parties: what it is, and its bytes. Stands for the method of a call. */
export function frame(type: string, body: Uint8Array | string = ''): Uint8Array {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return new Writer(4 + type.length + bytes.length).text(type).bytes(bytes).finish();
}

/** Reads a {@link frame}. @throws BAD_ENCODING */
export function readFrame(bytes: Uint8Array): { readonly type: string; readonly body: Uint8Array } {
  const reader = new Reader(bytes, 'frame');
  const read = { type: reader.text(32), body: reader.bytes() };
  reader.end();
  return read;
}

/** What a party says to a message that is of no kind it knows. */
export function unknownFrame(type: string): SymmetraError {
  return new SymmetraError('UNKNOWN_FRAME', 'a frame of unknown type', { length: type.length });
}
