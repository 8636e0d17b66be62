import { SymmetraError } from '@symmetra/crypto';
import { loadKoffi, unavailable } from '../native.js';

const MODE = 0o600;

/**
 * Makes a FIFO that only this user may open.
 * @returns false when something stands there already, whatever it is.
 * @throws HARDWARE_UNAVAILABLE, FIFO_FAILED with the errno.
 */
export async function makeFifo(path: string): Promise<boolean> {
  if (process.platform === 'win32') throw unavailable('FIFOs');
  const koffi = await loadKoffi();
  // <sys/stat.h>: int mkfifo(const char *pathname, mode_t mode);
  const mkfifo = koffi.load(null).func('int mkfifo(const char *pathname, unsigned int mode)');
  if (mkfifo(path, MODE) === 0) return true;
  const errno = koffi.errno();
  if (errno === koffi.os.errno['EEXIST']) return false;
  throw new SymmetraError('FIFO_FAILED', `the FIFO ${path} could not be made: errno ${errno}`, { errno });
}
