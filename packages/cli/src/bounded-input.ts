import { open } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

/** All of a stream. @throws TOO_LONG */
export async function readAll(input: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : Buffer.from(part as Uint8Array);
    length += bytes.length;
    if (length > maxBytes) {
      throw new SymmetraError('TOO_LONG', `the input is longer than ${maxBytes} bytes`, { maxBytes });
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** All of a file. @throws TOO_LONG, and what the system answers */
export async function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    return await readAll(file.createReadStream({ autoClose: false }), maxBytes);
  } finally {
    await file.close();
  }
}
