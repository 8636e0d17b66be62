import type { Readable } from 'node:stream';

/**
 * The next message of a stream that nothing else reads, asking for no more than that, so that the flow control of the
 * connection holds the sender back.
 * @returns undefined when the stream has ended.
 * @throws whatever the stream fails with; the reason of `signal`.
 */
export async function nextMessage(stream: Readable, signal: AbortSignal): Promise<Buffer | undefined> {
  for (;;) {
    signal.throwIfAborted();
    const message = stream.read() as Buffer | null;
    if (message !== null) return message;
    if (stream.errored !== null) throw stream.errored;
    if (stream.readableEnded || stream.destroyed) return undefined;
    await somethingHappens(stream, signal);
  }
}

/** Waits until there may be a message, an end or an error. */
async function somethingHappens(stream: Readable, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      stream.off('readable', onChange).off('end', onChange).off('close', onChange).off('error', onError);
      signal.removeEventListener('abort', onAbort);
    };
    const onChange = (): void => {
      stop();
      resolve();
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    const onAbort = (): void => onError(signal.reason as Error);
    stream.on('readable', onChange).on('end', onChange).on('close', onChange).on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
