import { EncodingError, Reader, Secret, Writer } from '@symmetra/crypto';

/*
 * How the states of this package are stored: tagged values, one byte of type each. Not a wire format; the
 * store that holds the bytes seals and authenticates them.
 */
const MAX_DEPTH = 16;
/** As many as the writer can count, so that what was written can be read. */
const MAX_ITEMS = 0xffff;

/** Anything that a state is made of. */
export type StateValue =
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | Secret<string>
  | readonly StateValue[]
  | { readonly [field: string]: StateValue };

/** Serialises a state, secrets included. @throws BAD_ENCODING for a value that states do not contain. */
export function encodeState(value: object): Uint8Array {
  const writer = new Writer();
  write(writer, value as StateValue, 0);
  return writer.finish();
}

/** Reads what {@link encodeState} wrote. @throws BAD_ENCODING */
export function decodeState<State>(bytes: Uint8Array): State {
  const reader = new Reader(bytes, 'stored state');
  const value = read(reader, 0);
  reader.end();
  return value as State;
}

function write(writer: Writer, value: StateValue, depth: number): void {
  if (depth > MAX_DEPTH) throw new EncodingError('a state is nested too deeply', { depth });
  if (value === undefined) writer.u8(0);
  else if (value === false) writer.u8(1);
  else if (value === true) writer.u8(2);
  else if (typeof value === 'number') writer.u8(3).u64(value);
  else if (typeof value === 'string') writer.u8(4).text(value);
  else if (value instanceof Uint8Array) writer.u8(5).bytes(value);
  else if (value instanceof Secret) writer.u8(6).text(value.name).bytes(value.bytes);
  else if (Array.isArray(value)) {
    writer.u8(7).list(value as readonly StateValue[], (w, item) => write(w, item, depth + 1));
  } else {
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    writer.u8(8).list(fields, (w, [name, item]) => {
      w.text(name);
      write(w, item, depth + 1);
    });
  }
}

function read(reader: Reader, depth: number): StateValue {
  if (depth > MAX_DEPTH) throw new EncodingError('a stored state is nested too deeply', { depth });
  const tag = reader.u8();
  switch (tag) {
    case 0:
      return undefined;
    case 1:
      return false;
    case 2:
      return true;
    case 3:
      return Number(reader.u64());
    case 4:
      return reader.text();
    case 5:
      return reader.bytes();
    case 6:
      return Secret.of(reader.text(), reader.bytes());
    case 7:
      return reader.list(MAX_ITEMS, (r) => read(r, depth + 1));
    case 8:
      return Object.fromEntries(reader.list(MAX_ITEMS, (r) => [r.text(), read(r, depth + 1)] as const));
    default:
      throw new EncodingError('a stored state has a value of unknown type', { tag });
  }
}
