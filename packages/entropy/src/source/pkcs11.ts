import { stat } from 'node:fs/promises';
import { SymmetraError, wipe } from '@symmetra/crypto';
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

/**
 * The generator of a PKCS#11 token (C_GenerateRandom), a byte a sample. After a refused login the token is asked again
 * only when the file of the PIN has changed: a few wrong PINs lock a token for good.
 */
export function pkcs11Source({ description, token, clock, timeoutMs }: Pkcs11SourceOptions): NoiseSource {
  const opener = new TokenOpener(token);
  const feed = new DeviceFeed(description.name, clock, async () => new TokenDevice(await opener.open()));
  return new ByteNoise({ description, feed, clock, timeoutMs });
}

/** A PIN that the token did not take. */
interface Refusal {
  readonly error: SymmetraError;
  /** When its file had been written. */
  readonly writtenMs: number;
}

class TokenOpener {
  readonly #options: TokenOptions;
  #refusal: Refusal | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  async open(): Promise<Token> {
    const { pinFile } = this.#options;
    if (pinFile === undefined) return Token.open(this.#options);
    const { mtimeMs: writtenMs } = await stat(pinFile);
    if (this.#refusal?.writtenMs === writtenMs) throw this.#refusal.error;
    try {
      return await Token.open(this.#options);
    } catch (error) {
      if (error instanceof SymmetraError && mayCountAgainstPin(error)) {
        this.#refusal = { error, writtenMs };
      }
      throw error;
    }
  }
}

/**
 * CKR numbers of a login that never came to the PIN (PKCS#11 v2.40, 5.1): no memory on this host, the device or token
 * is gone, the session or the module is closed.
 */
const PIN_UNSEEN = new Set([0x02, 0x32, 0xb0, 0xb3, 0xe0, 0xe1, 0x190]);

function mayCountAgainstPin({ details: { call, ckr } }: SymmetraError): boolean {
  return call === 'C_Login' && !PIN_UNSEEN.has(Number(ckr));
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
