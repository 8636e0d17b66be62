import type { Readable } from 'node:stream';
import { SymmetraError } from '@symmetra/crypto';

/**
 * Fills `target` from a stream that nothing else reads, taking no byte more than that.
 * @returns how many bytes came before the stream ended; `target.length` when it did not.
 * @throws whatever the stream fails with; the reason of `signal`.
 */
export async function fillFrom(stream: Readable, target: Uint8Array, signal: AbortSignal): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    signal.throwIfAborted();
    const chunk = takeUpTo(stream, target.length - filled);
    if (chunk === undefined) {
      if (!(await moreComes(stream, signal))) break;
    } else {
      target.set(chunk, filled);
      filled += chunk.length;
      chunk.fill(0);
    }
  }
  return filled;
}

/** What the stream has at hand, at most `bytes`; undefined when that is nothing. */
function takeUpTo(stream: Readable, bytes: number): Uint8Array | undefined {
  const wanted = Math.min(bytes, stream.readableLength);
  // Asking for no byte is how a stream is told to go and get some.
  const chunk = stream.read(wanted) as Buffer | null;
  return chunk === null || chunk.length === 0 ? undefined : chunk;
}

/** Waits for bytes; false when the stream has ended. */
async function moreComes(stream: Readable, signal: AbortSignal): Promise<boolean> {
  if (stream.readableLength > 0) return true;
  if (stream.errored !== null) throw stream.errored;
  if (stream.readableEnded || stream.destroyed) return false;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      stream.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onReadable = settle(() => resolve(true));
    const onEnd = settle(() => resolve(stream.readableLength > 0));
    const onError = (error: Error): void => settle(() => reject(error))();
    const onAbort = settle(() => reject(signal.reason as Error));
    stream.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The error of a device or connection that ended too early. */
export function shortRead(name: string, got: number, wanted: number): SymmetraError {
  return new SymmetraError('SOURCE_SHORT_READ', 'the source ended before the samples were complete', {
    source: name,
    got,
    wanted,
  });
}

/** What the system says of a failure, such as ENOENT; `unknown` when it says nothing. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}

/** @param cause what the system said; its code goes into the details, its text does not. */
export function unreachable(name: string, message: string, cause: unknown): SymmetraError {
  const details = { source: name, reason: systemCode(cause) };
  return new SymmetraError('SOURCE_UNREACHABLE', message, details, { cause });
}
