import { SymmetraError } from '@symmetra/crypto';
import { freeBytes, storeFull } from './room.js';

/** errno of Linux, as LMDB gives them; Node's own errors carry names instead. */
const NO_ROOM = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', 28, 122, 27, -30792]);
const NO_PERMISSION = new Set<unknown>(['EACCES', 'EPERM', 'EROFS', 13, 1, 30]);
/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID. */
const DAMAGED = new Set<unknown>([-30797, -30796, -30794, -30793]);
const IO_ERROR = 5;
/** LMDB reports a write that a full disk cut short as an I/O error; less free room than this decides. */
const NEARLY_FULL_BYTES = 2 ** 20;

/**
 * The named error for a failure underneath a store in `dir`: STORE_FULL, STORE_PERMISSION,
 * STORE_CORRUPT or STORE_FAILED.
 * @param neededBytes what was to be written, as far as that is known.
 */
export async function storageError(cause: unknown, dir: string, neededBytes = 0): Promise<SymmetraError> {
  if (cause instanceof SymmetraError) return cause;
  const code = (cause as { readonly code?: unknown } | null)?.code;
  if (
    NO_ROOM.has(code) ||
    (code === IO_ERROR && (await freeBytes(dir)) < NEARLY_FULL_BYTES + 2 * neededBytes)
  ) {
    return storeFull(cause);
  }
  if (NO_PERMISSION.has(code)) {
    return new SymmetraError(
      'STORE_PERMISSION',
      "the store's files can not be read or written",
      {},
      { cause },
    );
  }
  if (DAMAGED.has(code)) return new SymmetraError('STORE_CORRUPT', 'the data file is damaged', {}, { cause });
  const details = typeof code === 'string' || typeof code === 'number' ? { cause: code } : {};
  return new SymmetraError('STORE_FAILED', 'the storage underneath the store failed', details, { cause });
}
