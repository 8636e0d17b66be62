import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SymmetraError } from '@symmetra/crypto';
import { MAX_HEADER_BYTES, badHeader, encodeHeader, parseAnswer } from './file-header.js';
import type { FileHeader } from './file-header.js';

/**
 * Sends one file over a channel, and waits until the peer has stored it and compared its hash.
 * @throws NOT_A_FILE, FILE_CHANGED, FILE_REFUSED with the peer's code, BAD_FILE_HEADER, CHANNEL_CLOSED
 */
export async function sendFile(channel: Duplex, path: string): Promise<FileHeader> {
  try {
    const header = await describeFile(path);
    channel.write(encodeHeader(header));
    const hash = createHash('sha256');
    let size = 0;
    const answer = readAnswer(channel);
    answer.catch(() => undefined);
    await pipeline(
      createReadStream(path),
      async function* count(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      },
      channel,
    );
    if (size !== header.size || hash.digest('hex') !== header.sha256) {
      throw new SymmetraError('FILE_CHANGED', 'the file changed while it was sent');
    }
    const { ok, sha256, code } = parseAnswer(await answer);
    if (!ok) {
      throw new SymmetraError('FILE_REFUSED', 'the peer did not take the file', {
        reason: code ?? 'unknown',
      });
    }
    if (sha256 !== header.sha256) {
      throw new SymmetraError('FILE_CHANGED', 'the peer has another file than was sent');
    }
    return header;
  } finally {
    channel.destroy();
  }
}

async function describeFile(path: string): Promise<FileHeader> {
  let size: number;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('not a file');
    ({ size } = found);
  } catch (error) {
    throw new SymmetraError('NOT_A_FILE', 'there is no file to send', { path }, { cause: error });
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { name: basename(path), size, sha256: hash.digest('hex') };
}

async function readAnswer(channel: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    channel.on('data', (chunk: Buffer) => {
      line += chunk.toString('utf8');
      const end = line.indexOf('\n');
      if (end >= 0) resolve(line.slice(0, end));
      else if (line.length > MAX_HEADER_BYTES) reject(badHeader());
    });
    channel.once('end', () => reject(badHeader()));
    channel.once('error', reject);
    channel.once('close', () => reject(badHeader()));
  });
}
