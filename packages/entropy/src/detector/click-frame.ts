import { crc32 } from 'node:zlib';
import { SymmetraError } from '@symmetra/crypto';

/** Clicks as one frame carries them. */
export interface ClickFrame {
  readonly intervals: Uint32Array;
  readonly detectors: Uint8Array;
}

/** "SPD1" */
const MAGIC = 0x31_44_50_53;
const HEADER_BYTES = 16;
const BYTES_PER_CLICK = 5;
/** The most clicks of a frame. */
export const MAX_FRAME_CLICKS = 8192;

/**
 * A frame: magic, sequence number, number of clicks, CRC-32 of what follows, each 32 bits with the lowest byte first;
 * then the intervals in the same form; then the detectors, a byte each.
 */
export function encodeFrame(sequence: number, { intervals, detectors }: ClickFrame): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + BYTES_PER_CLICK * intervals.length);
  const view = new DataView(frame.buffer);
  for (let index = 0; index < intervals.length; index += 1) {
    view.setUint32(HEADER_BYTES + 4 * index, intervals[index] ?? 0, true);
  }
  frame.set(detectors, HEADER_BYTES + 4 * intervals.length);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, sequence, true);
  view.setUint32(8, intervals.length, true);
  view.setUint32(12, crc32(frame.subarray(HEADER_BYTES)), true);
  return frame;
}

/** Takes the frames out of a stream of bytes, checking each. */
export class FrameReader {
  #bytes = new Uint8Array(0);
  #sequence = 0;

  /** Whether the stream stands in the middle of a frame. */
  get inFrame(): boolean {
    return this.#bytes.length > 0;
  }

  push(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
  }

  /**
   * The next whole frame, undefined when there is none yet.
   * @throws SOURCE_BAD_PAYLOAD for a wrong magic, sequence, size or checksum, and for a third detector.
   */
  next(): ClickFrame | undefined {
    if (this.#bytes.length < HEADER_BYTES) return undefined;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    demand('magic', view.getUint32(0, true) === MAGIC);
    demand('sequence', view.getUint32(4, true) === this.#sequence);
    const clicks = view.getUint32(8, true);
    demand('clicks', clicks >= 1 && clicks <= MAX_FRAME_CLICKS);
    const end = HEADER_BYTES + BYTES_PER_CLICK * clicks;
    if (this.#bytes.length < end) return undefined;
    demand('checksum', crc32(this.#bytes.subarray(HEADER_BYTES, end)) === view.getUint32(12, true));
    const intervals = new Uint32Array(clicks);
    for (let index = 0; index < clicks; index += 1) {
      intervals[index] = view.getUint32(HEADER_BYTES + 4 * index, true);
    }
    const detectors = this.#bytes.slice(HEADER_BYTES + 4 * clicks, end);
    demand(
      'detector',
      detectors.every((detector) => detector <= 1),
    );
    this.#bytes = this.#bytes.subarray(end);
    this.#sequence = (this.#sequence + 1) >>> 0;
    return { intervals, detectors };
  }
}

function demand(field: string, holds: boolean): void {
  if (!holds) {
    throw new SymmetraError('SOURCE_BAD_PAYLOAD', 'the detector sent a frame that is none', { field });
  }
}
