import { EMPTY, utf8, wipe } from './bytes.js';
import { EncodingError } from './error.js';

/*
 * The canonical encoding. One value has exactly one encoding, and the reader accepts no other:
 *
 *   u8 u16 u32 u64   unsigned, big-endian, fixed width
 *   raw              the bytes alone; both sides know the length
 *   bytes            u16 length, then the bytes
 *   text             u16 length in bytes, then well-formed UTF-8 (a byte order mark is a character)
 *   list             u16 count, then the items one after another
 */

const U16_MAX = 0xffff;
/** Up to 64 bytes V8 keeps a typed array on its own heap, where it costs a tenth. */
const INITIAL_CAPACITY = 64;
const GROWTH = 4;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const UNPAIRED_SURROGATE = /\p{Surrogate}/u;
/** Up to this length a loop of our own is faster than the engine's encoder. */
const SHORT_TEXT = 64;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Builds one canonical encoding, field by field; every method returns the writer.
 * @throws EncodingError when a value does not fit its field.
 */
export class Writer {
  #buffer: Uint8Array;
  #length = 0;

  /** @param capacity bytes expected; when they are met exactly, {@link Writer.finish} copies nothing. */
  constructor(capacity = INITIAL_CAPACITY) {
    this.#buffer = new Uint8Array(capacity);
  }

  u8(n: number): this {
    this.#checkInteger(n, 0xff, 'u8');
    const at = this.#extend(1);
    this.#buffer[at] = n;
    return this;
  }

  u16(n: number): this {
    this.#checkInteger(n, U16_MAX, 'u16');
    const at = this.#extend(2);
    this.#buffer[at] = n >>> 8;
    this.#buffer[at + 1] = n;
    return this;
  }

  u32(n: number): this {
    this.#checkInteger(n, 0xffff_ffff, 'u32');
    this.#putU32(n);
    return this;
  }

  /** A number must be a safe integer; larger values are given as bigint. */
  u64(n: bigint | number): this {
    if (typeof n === 'number') {
      this.#checkInteger(n, Number.MAX_SAFE_INTEGER, 'u64');
      this.#putU32(Math.floor(n / 0x1_0000_0000));
      this.#putU32(n >>> 0);
      return this;
    }
    if (n < 0n || n > U64_MAX) throw this.#misfit('u64');
    this.#putU32(Number(n >> 32n));
    this.#putU32(Number(n & 0xffff_ffffn));
    return this;
  }

  /** The bytes without a length. For fields whose length both sides know. */
  raw(bytes: Uint8Array): this {
    const at = this.#extend(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  /** At most 65,535 bytes behind a u16 length. */
  bytes(bytes: Uint8Array): this {
    if (bytes.length > U16_MAX) throw this.#misfit('bytes');
    return this.u16(bytes.length).raw(bytes);
  }

  /** At most 65,535 bytes of UTF-8 behind a u16 length; the string must be well formed. */
  text(text: string): this {
    if (text.length <= SHORT_TEXT && isAscii(text)) return this.u16(text.length).#putAscii(text);
    if (UNPAIRED_SURROGATE.test(text)) throw this.#misfit('text');
    const encoded = utf8(text);
    if (encoded.length > U16_MAX) throw this.#misfit('text');
    return this.u16(encoded.length).raw(encoded);
  }

  /** At most 65,535 items behind a u16 count. */
  list<T>(items: readonly T[], writeItem: (writer: Writer, item: T) => void): this {
    if (items.length > U16_MAX) throw this.#misfit('list');
    this.u16(items.length);
    for (const item of items) writeItem(this, item);
    return this;
  }

  /** The encoding as an array of the caller's own. The writer keeps no copy and is empty again. */
  finish(): Uint8Array {
    const buffer = this.#buffer;
    const length = this.#length;
    this.#buffer = EMPTY;
    this.#length = 0;
    if (length === buffer.length) return buffer;
    const encoded = buffer.slice(0, length);
    wipe(buffer);
    return encoded;
  }

  #putAscii(text: string): this {
    const at = this.#extend(text.length);
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i);
    return this;
  }

  #putU32(n: number): void {
    const at = this.#extend(4);
    this.#buffer[at] = n >>> 24;
    this.#buffer[at + 1] = n >>> 16;
    this.#buffer[at + 2] = n >>> 8;
    this.#buffer[at + 3] = n;
  }

  /** Makes room for `count` more bytes and returns the position of the first. */
  #extend(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * GROWTH));
      grown.set(this.#buffer);
      wipe(this.#buffer);
      this.#buffer = grown;
    }
    this.#length = needed;
    return at;
  }

  #checkInteger(n: number, max: number, field: string): void {
    if (!Number.isInteger(n) || n < 0 || n > max) throw this.#misfit(field);
  }

  #misfit(field: string): EncodingError {
    return new EncodingError(`the value for the ${field} field at byte ${this.#length} does not fit`, {
      field,
      offset: this.#length,
    });
  }
}

/**
 * Reads one canonical encoding, field by field. Results are copies. Call {@link Reader.end} last.
 * @throws EncodingError naming `what` was being read and the position of the field that failed.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  u8(): number {
    return this.#bytes[this.#take(1, 'u8')] as number;
  }

  u16(): number {
    const at = this.#take(2, 'u16');
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  u32(): number {
    return this.#getU32(this.#take(4, 'u32'));
  }

  u64(): bigint {
    const at = this.#take(8, 'u64');
    return (BigInt(this.#getU32(at)) << 32n) | BigInt(this.#getU32(at + 4));
  }

  /** Exactly `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length, 'raw');
    return this.#bytes.slice(at, at + length);
  }

  /** A length-prefixed byte string of at most `max` bytes. */
  bytes(max = U16_MAX): Uint8Array {
    const [at, length] = this.#takePrefixed(max, 'bytes');
    return this.#bytes.slice(at, at + length);
  }

  /** A length-prefixed string of at most `max` bytes of UTF-8; overlong forms and surrogates are refused. */
  text(max = U16_MAX): string {
    const field = this.#offset;
    const [at, length] = this.#takePrefixed(max, 'text');
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.#failure('text', field, 'is not well-formed UTF-8');
    }
  }

  /** A counted list of at most `max` items. */
  list<T>(max: number, readItem: (reader: Reader) => T): T[] {
    const field = this.#offset;
    const count = this.u16();
    if (count > max) throw this.#failure('list', field, `has ${count} items, the limit is ${max}`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(readItem(this));
    return items;
  }

  /** Whether nothing is left: for fields that encodings of older versions end before. */
  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Asserts that nothing is left. */
  end(): void {
    const rest = this.#bytes.length - this.#offset;
    if (rest !== 0) throw this.#failure('end', this.#offset, `is followed by ${rest} unexpected bytes`);
  }

  #getU32(at: number): number {
    const high = ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
    const low = ((this.#bytes[at + 2] as number) << 8) | (this.#bytes[at + 3] as number);
    return ((high << 16) | low) >>> 0;
  }

  #take(length: number, field: string): number {
    const at = this.#offset;
    if (length > this.#bytes.length - at) throw this.#failure(field, at, 'runs past the last byte');
    this.#offset = at + length;
    return at;
  }

  #takePrefixed(max: number, field: string): readonly [number, number] {
    const start = this.#offset;
    const length = this.u16();
    if (length > max) throw this.#failure(field, start, `has ${length} bytes, the limit is ${max}`);
    return [this.#take(length, field), length];
  }

  #failure(field: string, offset: number, reason: string): EncodingError {
    return new EncodingError(`${this.#what}: the ${field} field at byte ${offset} ${reason}`, {
      what: this.#what,
      field,
      offset,
    });
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}
