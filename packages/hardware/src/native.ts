import { SymmetraError } from '@symmetra/crypto';
import type * as koffi from 'koffi';

/** The library that calls C. It is loaded with the first call that needs it, never by an import of this package. */
export type Koffi = typeof koffi;

/** @throws HARDWARE_UNAVAILABLE where the platform has no binary of it. */
export async function loadKoffi(): Promise<Koffi> {
  try {
    return await import('koffi');
  } catch (error) {
    throw unavailable('calls of C libraries', error);
  }
}

/** What this machine or its architecture does not offer. `what` is the subject of the sentence, in the plural. */
export function unavailable(what: string, cause?: unknown): SymmetraError {
  return new SymmetraError(
    'HARDWARE_UNAVAILABLE',
    `${what} are not available on ${process.platform} ${process.arch}`,
    { platform: process.platform, arch: process.arch },
    { cause },
  );
}
