import type { NodeTokenSecret } from '@symmetra/protocol';
import { hexOf } from '../rows/row-keys.js';

/**
 * The secrets of tokens for which an offer came, in bounded memory: the one that was asked for longest ago is erased
 * first. A token's secret never changes, so that what stands here can not be out of date.
 */
export class TokenSecrets {
  readonly #secrets = new Map<string, NodeTokenSecret>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Lent until the end of this turn. */
  of(tokenId: Uint8Array): NodeTokenSecret | undefined {
    const name = hexOf(tokenId);
    const secret = this.#secrets.get(name);
    if (secret !== undefined) {
      this.#secrets.delete(name);
      this.#secrets.set(name, secret);
    }
    return secret;
  }

  /** Keeps a copy. */
  keep(tokenId: Uint8Array, secret: NodeTokenSecret): void {
    const name = hexOf(tokenId);
    if (this.#secrets.has(name)) return;
    this.#secrets.set(name, secret.clone());
    if (this.#secrets.size <= this.#limit) return;
    for (const [oldest, forgotten] of this.#secrets) {
      forgotten.wipe();
      this.#secrets.delete(oldest);
      return;
    }
  }
}
