import type { Socket } from 'node:net';
import { MAX_LINE_BYTES } from './owner-protocol.js';

const NEWLINE = 0x0a;

/** Calls back with every line that a socket brings; one that is too long ends the connection. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let waiting = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let at = waiting.indexOf(NEWLINE); at >= 0; at = waiting.indexOf(NEWLINE)) {
      const line = waiting.toString('utf8', 0, at);
      waiting = waiting.subarray(at + 1);
      onLine(line);
    }
    if (waiting.length > MAX_LINE_BYTES) socket.destroy();
  });
}
