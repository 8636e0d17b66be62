import { AuthenticationError, Reader, Writer } from '@symmetra/crypto';
import { decodeState, encodeState } from '@symmetra/protocol';
import { frame } from './frame.js';
import { protect, unprotect } from './pair-channel.js';

/** A message of a session or of the bus: who says what to whom, unaltered. */
export function sessionFrame(from: string, to: string, type: string, body: object): Uint8Array {
  const state = encodeState(body);
  const writer = new Writer(8 + from.length + to.length + type.length + state.length);
  return frame(type, protect(writer.text(from).text(to).text(type).bytes(state).finish()));
}

/** Reads the body of a {@link sessionFrame}. @throws BAD_ENCODING, AUTHENTICATION_FAILED */
export function readSession<Body>(from: string, to: string, type: string, bytes: Uint8Array): Body {
  const reader = new Reader(unprotect(bytes), 'session message');
  const parties = [reader.text(64), reader.text(64), reader.text(64)];
  const body = reader.bytes();
  reader.end();
  if (parties.some((name, i) => name !== [from, to, type][i])) throw new AuthenticationError();
  return decodeState<Body>(body);
}

/** What a node signed for all members, as it travels. */
export interface SignedBroadcast {
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}

export function broadcastFrame({ content, signature }: SignedBroadcast): Uint8Array {
  return frame(
    'broadcast',
    new Writer(4 + content.length + signature.length).bytes(content).bytes(signature).finish(),
  );
}

/** @throws BAD_ENCODING */
export function readBroadcastFrame(bytes: Uint8Array): SignedBroadcast {
  const reader = new Reader(bytes, 'broadcast');
  const signed = { content: reader.bytes(), signature: reader.bytes() };
  reader.end();
  return signed;
}
