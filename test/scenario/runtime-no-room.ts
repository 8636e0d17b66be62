/*
 * Writes a file of 1 MiB and prints the code of the failure: runtime-no-room.ts PATH. The caller
 * limits how large a file may become.
 */
import { SymmetraError } from '@symmetra/crypto';
import { writeFileAtomic } from '@symmetra/runtime';

const [path = ''] = process.argv.slice(2);
try {
  await writeFileAtomic(path, new Uint8Array(2 ** 20));
  process.stdout.write('none');
} catch (error) {
  process.stdout.write(error instanceof SymmetraError ? error.code : String(error));
}
