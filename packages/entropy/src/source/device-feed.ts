import { SymmetraError } from '@symmetra/crypto';
import type { ByteFeed } from './byte-noise.js';
import { pause, unlessAborted } from './clock.js';
import type { SourceClock } from './clock.js';

/** How long closing waits for a call that the hardware holds. */
const CLOSE_PATIENCE_MS = 2000;

/** A piece of hardware that is open. One call at a time. */
export interface NoiseDevice {
  /** Waits for bytes and puts them at the start of `target`. Returns how many, at least 1. */
  read(target: Uint8Array): Promise<number>;
  /** Returns when nothing is under way in the hardware any more. Never rejected. */
  close(): Promise<void>;
}

/**
 * A feed from a piece of hardware, opened at the first read and again after each error. Its calls can not be taken
 * back: one that takes too long is left to itself, and the hardware is opened again only when it is over.
 */
export class DeviceFeed implements ByteFeed {
  readonly #name: string;
  readonly #clock: SourceClock;
  readonly #openDevice: () => Promise<NoiseDevice>;
  #device: NoiseDevice | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  /** @param name of the source. */
  constructor(name: string, clock: SourceClock, openDevice: () => Promise<NoiseDevice>) {
    this.#name = name;
    this.#clock = clock;
    this.#openDevice = openDevice;
  }

  /** @throws SOURCE_UNREACHABLE, with the code and the details of what the hardware said. */
  async readInto(target: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      this.#device ??= await this.#open(signal);
      const device = this.#device;
      for (let filled = 0; filled < target.length;) {
        filled += await unlessAborted(device.read(target.subarray(filled)), signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  reset(): void {
    if (this.#device !== undefined) this.#ended = this.#device.close();
    this.#device = undefined;
  }

  async close(): Promise<void> {
    this.reset();
    const patience = new AbortController();
    await Promise.race([this.#ended, pause(this.#clock, CLOSE_PATIENCE_MS, patience.signal)]);
    patience.abort();
  }

  async #open(signal: AbortSignal): Promise<NoiseDevice> {
    await unlessAborted(this.#ended, signal);
    const opening = this.#openDevice();
    try {
      return await unlessAborted(opening, signal);
    } catch (error) {
      this.#ended = opening.then(
        async (late) => late.close(),
        () => undefined,
      );
      throw error;
    }
  }

  #unreachable(cause: unknown): SymmetraError {
    const ours = cause instanceof SymmetraError ? cause : undefined;
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return new SymmetraError(
      'SOURCE_UNREACHABLE',
      ours === undefined ? `the hardware of the source failed: ${reason}` : ours.message,
      { ...ours?.details, source: this.#name, reason },
      { cause },
    );
  }
}
