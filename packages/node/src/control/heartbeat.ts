import { Reader, Writer } from '@symmetra/crypto';
import { readCount } from '@symmetra/protocol';
import type { LogHead } from '@symmetra/protocol';

const HASH_LENGTH = 32;

/** CTL-7: what a node tells the others of itself. */
export interface Heartbeat {
  readonly head: LogHead;
  /** The node's clock, milliseconds since 1970. */
  readonly clockMs: number;
  readonly descriptorVersion: number;
}

export function encodeHeartbeat({ head, clockMs, descriptorVersion }: Heartbeat): Uint8Array {
  return new Writer()
    .u64(head.number)
    .raw(head.hash)
    .u64(Math.max(0, Math.trunc(clockMs)))
    .u64(descriptorVersion)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  const reader = new Reader(bytes, 'heartbeat');
  const beat = {
    head: { number: readCount(reader), hash: reader.raw(HASH_LENGTH) },
    clockMs: readCount(reader),
    descriptorVersion: readCount(reader),
  };
  reader.end();
  return beat;
}
