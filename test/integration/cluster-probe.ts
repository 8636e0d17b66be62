/*
 * Loaded into the processes of nodes before their program (NODE_OPTIONS=--import). It writes down every AEAD seal, in
 * a folder SYMMETRA_TEST_SEALS, and moves the clock by the milliseconds in SYMMETRA_TEST_CLOCKS/<port of the process>.
 */
import crypto, { createHash } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const NAME_BYTES = 16;
const LOOK_MS = 20;
const {
  SYMMETRA_TEST_SEALS: seals,
  SYMMETRA_TEST_CLOCKS: clocks,
  SYMMETRA_NODE_LISTEN_PORT: port,
} = process.env;

if (port !== undefined && seals !== undefined) {
  watchSeals(join(seals, `${port}-${process.pid}-${Date.now()}`));
}
if (port !== undefined && clocks !== undefined) {
  moveClock(join(clocks, port));
}

/** A name of fixed length for the key and nonce of each seal; those of a process that is killed are in the file, too. */
function watchSeals(path: string): void {
  const file = openSync(path, 'a');
  const { createCipheriv } = crypto;
  const watched = (
    name: string,
    key: Uint8Array,
    nonce: Uint8Array,
    options?: { readonly authTagLength: number },
  ): unknown => {
    if (options !== undefined) {
      const digest = createHash('sha256').update(key).update(nonce).digest();
      writeSync(file, digest.subarray(0, NAME_BYTES));
    }
    return Reflect.apply(createCipheriv, crypto, [name, key, nonce, options]);
  };
  Object.assign(crypto, { createCipheriv: watched });
}

function moveClock(path: string): void {
  const now = Date.now.bind(Date);
  let offset = 0;
  const look = (): void => {
    try {
      offset = Number(readFileSync(path, 'utf8'));
    } catch {
      offset = 0;
    }
  };
  look();
  setInterval(look, LOOK_MS).unref();
  Date.now = () => now() + offset;
}
