import { Reader, SymmetraError, Writer } from '@symmetra/crypto';

const HEAD_BYTES = 5;
/** Most bytes of data in one frame. */
export const MAX_DATA_BYTES = 16 * 1024;
const MAX_BODY_BYTES = MAX_DATA_BYTES;

const TYPES = { open: 1, move: 2, ready: 3, data: 4, end: 5, switch: 6, 'move-to': 7 } as const;
const KINDS = new Map(
  Object.entries(TYPES).map(([kind, type]) => [type as number, kind as keyof typeof TYPES]),
);

/** What travels inside the TLS connections of a channel (CHN-5). */
export type ChannelFrame =
  /** First frame of the TLS client: a new channel. */
  | { readonly kind: 'open'; readonly channelId: Uint8Array }
  /** First frame of the TLS client: an open channel goes on here. */
  | { readonly kind: 'move'; readonly channelId: Uint8Array }
  /** The TLS server's answer to either. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** The sender has no more to say in this channel. */
  | { readonly kind: 'end' }
  /** Last frame of the sender on this connection: it goes on over the new one, after so many bytes of data. */
  | { readonly kind: 'switch'; readonly offset: number }
  /** The TLS server asks its client to move the channel to this key. */
  | { readonly kind: 'move-to'; readonly keyId: Uint8Array };

/** A frame as it is sent: type, u32 length, body. */
export function encodeChannelFrame(frame: ChannelFrame): Uint8Array {
  const body = bodyOf(frame);
  return new Writer(HEAD_BYTES + body.length).u8(TYPES[frame.kind]).u32(body.length).raw(body).finish();
}

function bodyOf(frame: ChannelFrame): Uint8Array {
  switch (frame.kind) {
    case 'open':
    case 'move':
      return frame.channelId;
    case 'ready':
    case 'end':
      return new Uint8Array(0);
    case 'data':
      return frame.bytes;
    case 'switch':
      return new Writer().u64(frame.offset).finish();
    case 'move-to':
      return frame.keyId;
  }
}

/**
 * The frame at the beginning of a buffer, and its length; undefined while it is not complete.
 * @throws BAD_ENCODING, MESSAGE_TOO_LARGE
 */
export function readChannelFrame(
  bytes: Uint8Array,
): { readonly frame: ChannelFrame; readonly length: number } | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const head = new Reader(bytes.subarray(0, HEAD_BYTES), 'channel frame');
  const type = head.u8();
  const length = head.u32();
  if (length > MAX_BODY_BYTES) {
    throw new SymmetraError('MESSAGE_TOO_LARGE', 'the frame of the channel is too long', { bytes: length });
  }
  if (bytes.length < HEAD_BYTES + length) return undefined;
  const body = Uint8Array.prototype.slice.call(bytes, HEAD_BYTES, HEAD_BYTES + length);
  return { frame: decodeBody(type, body), length: HEAD_BYTES + length };
}

function decodeBody(type: number, body: Uint8Array): ChannelFrame {
  const kind = KINDS.get(type);
  if (kind === 'data') return { kind, bytes: body };
  const reader = new Reader(body, 'channel frame');
  const frame = decodeControl(kind, type, reader);
  reader.end();
  return frame;
}

function decodeControl(kind: keyof typeof TYPES | undefined, type: number, reader: Reader): ChannelFrame {
  switch (kind) {
    case 'open':
    case 'move':
      return { kind, channelId: reader.raw(16) };
    case 'ready':
    case 'end':
      return { kind };
    case 'switch':
      return { kind, offset: Number(reader.u64()) };
    case 'move-to':
      return { kind, keyId: reader.raw(16) };
    case 'data':
    case undefined:
      throw new SymmetraError('BAD_ENCODING', 'the frame of the channel is of unknown type', { type });
  }
}
