import { SymmetraError } from '@symmetra/crypto';

/** The most bytes that one request of the EGD protocol asks for. */
export const EGD_MAX_BYTES = 255;

const GET_WITHOUT_WAITING = 0x01;

/** The request for up to `bytes` bytes, 1 to 255: the server answers at once with what it has. */
export function egdRequest(bytes: number): Uint8Array {
  return Uint8Array.of(GET_WITHOUT_WAITING, bytes);
}

/**
 * How many bytes follow the first byte of a reply; 0 when the server has none.
 * @throws SOURCE_BAD_PAYLOAD when that is more than were asked for.
 */
export function readEgdLength(name: string, first: number, asked: number): number {
  if (first <= asked) return first;
  throw new SymmetraError('SOURCE_BAD_PAYLOAD', 'the EGD server announces more than it was asked for', {
    source: name,
    announced: first,
    asked,
  });
}
