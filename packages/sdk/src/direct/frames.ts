import { Reader, SymmetraError, Writer } from '@symmetra/crypto';

/** CHN-4: what the initiator sends first: `S` and the version. TLS would begin with 0x16. */
export const OPENING: Uint8Array = Uint8Array.of(0x53, 1);
const LENGTH_BYTES = 4;
const MAX_BODY_BYTES = 8 * 1024;

const HELLO = 1;
const MESSAGE = 2;
const KEY_ID_BYTES = 16;
const MAX_HASH_BYTES = 64;
const MAX_MESSAGE_BYTES = 4096;

/** CHN-4: a frame of the direct path between two devices. */
export type DirectFrame =
  | {
      /** The initiator says which negotiation the connection is for. */
      readonly kind: 'hello';
      readonly keyId: Uint8Array;
      readonly headerHash: Uint8Array;
    }
  | {
      readonly kind: 'message';
      /** A pair message, canonical bytes. */
      readonly message: Uint8Array;
    };

/** A frame as it is sent: u32 length, body. */
export function encodeFrame(frame: DirectFrame): Uint8Array {
  const body =
    frame.kind === 'hello'
      ? new Writer().u8(HELLO).raw(frame.keyId).bytes(frame.headerHash).finish()
      : new Writer().u8(MESSAGE).bytes(frame.message).finish();
  return new Writer().u32(body.length).raw(body).finish();
}

function decodeFrame(body: Uint8Array): DirectFrame {
  const reader = new Reader(body, 'direct frame');
  const frame = readBody(reader, reader.u8());
  reader.end();
  return frame;
}

function readBody(reader: Reader, type: number): DirectFrame {
  switch (type) {
    case HELLO:
      return { kind: 'hello', keyId: reader.raw(KEY_ID_BYTES), headerHash: reader.bytes(MAX_HASH_BYTES) };
    case MESSAGE:
      return { kind: 'message', message: reader.bytes(MAX_MESSAGE_BYTES) };
    default:
      throw new SymmetraError('BAD_ENCODING', 'a direct frame is of unknown type', { type });
  }
}

/** Cuts a byte stream into frames. Holds at most one incomplete frame. */
export class FrameReader {
  #openingLeft: number;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param expectsOpening whether the peer is the side that connected */
  constructor(expectsOpening: boolean) {
    this.#openingLeft = expectsOpening ? OPENING.length : 0;
  }

  /** The frames that are complete now. @throws BAD_ENCODING, MESSAGE_TOO_LARGE */
  push(chunk: Uint8Array): readonly DirectFrame[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    let at = this.#passOpening(bytes);
    const frames: DirectFrame[] = [];
    while (this.#openingLeft === 0 && bytes.length - at >= LENGTH_BYTES) {
      const length = new Reader(bytes.subarray(at, at + LENGTH_BYTES), 'direct frame').u32();
      if (length > MAX_BODY_BYTES) {
        throw new SymmetraError('MESSAGE_TOO_LARGE', 'the direct frame is too long', { bytes: length });
      }
      const start = at + LENGTH_BYTES;
      if (start + length > bytes.length) break;
      frames.push(decodeFrame(bytes.subarray(start, start + length)));
      at = start + length;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }

  #passOpening(bytes: Uint8Array): number {
    let at = 0;
    while (this.#openingLeft > 0 && at < bytes.length) {
      if (bytes[at] !== OPENING[OPENING.length - this.#openingLeft]) {
        throw new SymmetraError('BAD_ENCODING', 'the direct connection does not begin as it should');
      }
      this.#openingLeft -= 1;
      at += 1;
    }
    return at;
  }
}
