import { Reader, Writer } from '@symmetra/crypto';
import type { SealedMessage } from '@symmetra/protocol';

/** A sealed message of a session, as it travels in the simulation. */
export function encodeCall(sessionId: Uint8Array, message: SealedMessage): Uint8Array {
  return new Writer().raw(sessionId).u64(message.seq).bytes(message.ciphertext).finish();
}

/** @throws BAD_ENCODING */
export function decodeCall(bytes: Uint8Array): {
  readonly sessionId: Uint8Array;
  readonly message: SealedMessage;
} {
  const reader = new Reader(bytes, 'call');
  const sessionId = reader.raw(16);
  const message = { seq: Number(reader.u64()), ciphertext: reader.bytes() };
  reader.end();
  return { sessionId, message };
}

/** The plaintext of a ping: its number. */
export function encodePing(number: number): Uint8Array {
  return new Writer().u64(number).finish();
}

export function decodePing(bytes: Uint8Array): number {
  return Number(new Reader(bytes, 'ping').u64());
}
