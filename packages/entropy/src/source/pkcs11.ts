import { wipe } from '@symmetra/crypto';
import { TOKEN_MAX_BYTES, Token } from '@symmetra/hardware';
import type { TokenOptions } from '@symmetra/hardware';
import { ByteNoise } from './byte-noise.js';
import type { SourceClock } from './clock.js';
import { DeviceFeed } from './device-feed.js';
import type { NoiseDevice } from './device-feed.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';

/** How the source over a PKCS#11 token is opened. */
export interface Pkcs11SourceOptions {
  /** Of kind `pkcs11`. What a token gives is conditioned, unless its maker says otherwise. */
  readonly description: SourceDescription;
  readonly token: TokenOptions;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered. */
  readonly timeoutMs: number;
}

/** The generator of a PKCS#11 token (C_GenerateRandom), a byte a sample. */
export function pkcs11Source({ description, token, clock, timeoutMs }: Pkcs11SourceOptions): NoiseSource {
  const feed = new DeviceFeed(description.name, clock, async () => new TokenDevice(await Token.open(token)));
  return new ByteNoise({ description, feed, clock, timeoutMs });
}

class TokenDevice implements NoiseDevice {
  readonly #token: Token;

  constructor(token: Token) {
    this.#token = token;
  }

  async read(target: Uint8Array): Promise<number> {
    const bytes = await this.#token.random(Math.min(target.length, TOKEN_MAX_BYTES));
    target.set(bytes);
    wipe(bytes);
    return bytes.length;
  }

  async close(): Promise<void> {
    await this.#token.close();
  }
}
