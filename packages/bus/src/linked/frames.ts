import { SymmetraError } from '@symmetra/crypto';
import { MAX_PAYLOAD_BYTES } from '../bus.js';

const REQUEST = 1;
const REPLY = 2;
const FAREWELL = 3;

/** Longest subject, in bytes of UTF-8. */
const MAX_SUBJECT_BYTES = 255;
/** Kind, id, and the length of what follows. */
const FIXED_BYTES = 1 + 8 + 4;
const INITIAL_BYTES = 4096;
/** A batch that grew beyond it does not keep its memory. */
const KEPT_BYTES = 256 * 1024;
const HIGH_WORD = 0x1_0000_0000;

/** What a frame asks of its receiver. */
export interface FrameReceiver {
  request(id: number, subject: string, payload: Uint8Array): void;
  reply(id: number, outcome: Uint8Array): void;
  farewell(): void;
}

/** LINK-6: frames on their way to one process, cut into the plaintexts of datagrams. */
export class FrameBatch {
  readonly #limit: number;
  #buffer = Buffer.alloc(INITIAL_BYTES);
  #length = 0;
  #frames = 0;
  /** Where plaintexts end, but for the last one. */
  #cuts: number[] = [];
  #start = 0;

  /** @param limit bytes of a plaintext that holds more than one frame */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#length;
  }

  /** Frames that wait. */
  get frames(): number {
    return this.#frames;
  }

  /** Adds a request; the payload is copied. */
  request(id: number, subject: string, payload: Uint8Array): void {
    const subjectBytes = Buffer.byteLength(subject);
    let at = this.#frame(REQUEST, id, FIXED_BYTES + 2 + subjectBytes + payload.length);
    at = this.#buffer.writeUInt16BE(subjectBytes, at);
    at += this.#buffer.write(subject, at);
    this.#payload(payload, at);
  }

  /** Adds a reply; the outcome is copied. */
  reply(id: number, outcome: Uint8Array): void {
    this.#payload(outcome, this.#frame(REPLY, id, FIXED_BYTES + outcome.length));
  }

  farewell(): void {
    const at = this.#extend(1);
    this.#buffer[at] = FAREWELL;
  }

  /**
   * Moves here what waits in another batch. Requests of both stand in the order in which they were made then, under the
   * ids that `renumber` gives them; those that it gives none are left out.
   */
  takeOver(other: FrameBatch, renumber: (id: number) => number | undefined): void {
    const replies: { id: number; outcome: Uint8Array }[] = [];
    const requests: { id: number; subject: string; payload: Uint8Array }[] = [];
    const collect = (frames: Uint8Array): void =>
      readFrames(frames, {
        request: (id, subject, payload) => requests.push({ id, subject, payload: new Uint8Array(payload) }),
        reply: (id, outcome) => replies.push({ id, outcome: new Uint8Array(outcome) }),
        farewell: () => undefined,
      });
    this.drain(collect);
    other.drain(collect);
    for (const { id, outcome } of replies) this.reply(id, outcome);
    for (const { id, subject, payload } of requests.toSorted((one, two) => one.id - two.id)) {
      const fresh = renumber(id);
      if (fresh !== undefined) this.request(fresh, subject, payload);
      payload.fill(0);
    }
  }

  /** Hands over each plaintext, which is erased after it, and is empty then. */
  drain(send: (frames: Uint8Array) => void): void {
    if (this.#length === 0) return;
    let start = 0;
    for (const end of [...this.#cuts, this.#length]) {
      send(this.#buffer.subarray(start, end));
      start = end;
    }
    this.clear();
  }

  clear(): void {
    if (this.#buffer.length > KEPT_BYTES) {
      this.#buffer.fill(0);
      this.#buffer = Buffer.alloc(INITIAL_BYTES);
    } else {
      this.#buffer.fill(0, 0, this.#length);
    }
    this.#length = 0;
    this.#frames = 0;
    this.#cuts = [];
    this.#start = 0;
  }

  #frame(kind: number, id: number, bytes: number): number {
    const at = this.#extend(bytes);
    this.#buffer[at] = kind;
    this.#buffer.writeUInt32BE(Math.floor(id / HIGH_WORD), at + 1);
    return this.#buffer.writeUInt32BE(id % HIGH_WORD, at + 5);
  }

  #payload(payload: Uint8Array, at: number): void {
    this.#buffer.set(payload, this.#buffer.writeUInt32BE(payload.length, at));
  }

  /** Makes room for a frame and returns its place. */
  #extend(bytes: number): number {
    const at = this.#length;
    if (at > this.#start && at - this.#start + bytes > this.#limit) {
      this.#cuts.push(at);
      this.#start = at;
    }
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer.fill(0);
      this.#buffer = grown;
    }
    this.#length = needed;
    this.#frames += 1;
    return at;
  }
}

/** LINK-6: hands over each frame; payloads and outcomes are parts of `frames`. @throws BAD_ENCODING */
export function readFrames(frames: Uint8Array, receiver: FrameReceiver): void {
  const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.length);
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at];
    if (kind === FAREWELL) {
      if (at + 1 !== bytes.length) throw badFrame('something follows a farewell');
      receiver.farewell();
      return;
    }
    if (kind !== REQUEST && kind !== REPLY) throw badFrame('a frame is of no known kind');
    if (bytes.length - at < FIXED_BYTES) throw badFrame('a frame is cut off');
    const id = bytes.readUInt32BE(at + 1) * HIGH_WORD + bytes.readUInt32BE(at + 5);
    if (!Number.isSafeInteger(id)) throw badFrame('the id of a request is larger than 2^53 - 1');
    at += 9;
    if (kind === REPLY) {
      const end = endOf(bytes, at, MAX_PAYLOAD_BYTES + 1);
      receiver.reply(id, frames.subarray(at + 4, end));
      at = end;
      continue;
    }
    const subjectEnd = at + 2 + bytes.readUInt16BE(at);
    if (subjectEnd + 4 > bytes.length || subjectEnd - at - 2 > MAX_SUBJECT_BYTES) {
      throw badFrame('the subject of a request is cut off, or too long');
    }
    const subject = bytes.toString('utf8', at + 2, subjectEnd);
    if (subject.includes('\ufffd')) throw badFrame('the subject of a request is not well-formed');
    const end = endOf(bytes, subjectEnd, MAX_PAYLOAD_BYTES);
    receiver.request(id, subject, frames.subarray(subjectEnd + 4, end));
    at = end;
  }
}

/** @throws MESSAGE_TOO_LARGE when frames do not take a subject of that length */
export function checkSubject(subject: string): void {
  if (Buffer.byteLength(subject) <= MAX_SUBJECT_BYTES) return;
  throw new SymmetraError('MESSAGE_TOO_LARGE', 'the subject is longer than the bus carries', {
    maxBytes: MAX_SUBJECT_BYTES,
  });
}

/** Where a field ends that has a u32 length. */
function endOf(bytes: Buffer, at: number, max: number): number {
  const length = bytes.readUInt32BE(at);
  if (length > max || length > bytes.length - at - 4) throw badFrame('a frame is cut off, or too long');
  return at + 4 + length;
}

function badFrame(message: string): SymmetraError {
  return new SymmetraError('BAD_ENCODING', message);
}
