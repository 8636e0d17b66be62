import { wipe } from '@symmetra/crypto';
import { Tpm } from '@symmetra/hardware';
import type { TpmAddress } from '@symmetra/hardware';
import { ByteNoise } from './byte-noise.js';
import { pause } from './clock.js';
import type { SourceClock } from './clock.js';
import { DeviceFeed } from './device-feed.js';
import type { NoiseDevice } from './device-feed.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';

/** How the source over a TPM is opened. */
export interface TpmSourceOptions {
  /** Of kind `tpm`. What a TPM gives is conditioned (TPM 2.0 Library, part 1, 11.4.10). */
  readonly description: SourceDescription;
  readonly address: TpmAddress;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered; a TPM of hardware gives some kilobytes in a second. */
  readonly timeoutMs: number;
}

/** The generator of a TPM 2.0 (TPM2_GetRandom), a byte a sample. */
export function tpmSource({ description, address, clock, timeoutMs }: TpmSourceOptions): NoiseSource {
  const feed = new DeviceFeed(description.name, clock, async () => {
    const wait = async (ms: number): Promise<void> => pause(clock, ms, new AbortController().signal);
    return new TpmDevice(await Tpm.open(address, wait));
  });
  return new ByteNoise({ description, feed, clock, timeoutMs });
}

class TpmDevice implements NoiseDevice {
  readonly #tpm: Tpm;

  constructor(tpm: Tpm) {
    this.#tpm = tpm;
  }

  async read(target: Uint8Array): Promise<number> {
    const bytes = await this.#tpm.random(target.length);
    target.set(bytes);
    wipe(bytes);
    return bytes.length;
  }

  async close(): Promise<void> {
    await this.#tpm.close();
  }
}
