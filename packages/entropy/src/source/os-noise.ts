import { osRandom } from '../os-random.js';
import { ByteNoise } from './byte-noise.js';
import type { ByteFeed } from './byte-noise.js';
import type { SourceClock } from './clock.js';
import type { NoiseSource } from './noise-source.js';

/** It never waits, so that the limit is one in name only. */
const TIMEOUT_MS = 10_000;

/**
 * The operating system's generator as a source: mixed in, and credited with nothing. It is a DRBG that the kernel seeds
 * from we know not what, so it is labelled neither physical nor quantum nor raw.
 */
export function osNoise(clock: SourceClock, name = 'os'): NoiseSource {
  return new ByteNoise({
    description: {
      name,
      kind: 'os',
      physical: false,
      quantum: false,
      simulated: false,
      raw: false,
      bitsPerSample: 8,
      minEntropyPerSample: 0,
    },
    feed: new OsFeed(),
    clock,
    timeoutMs: TIMEOUT_MS,
  });
}

class OsFeed implements ByteFeed {
  readonly #bytes = osRandom().bytes;

  async readInto(target: Uint8Array): Promise<void> {
    const drawn = this.#bytes(target.length);
    target.set(drawn);
    drawn.fill(0);
  }

  reset(): void {
    // Nothing is ever half done.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
