import { suiteTable, toHex } from '@symmetra/crypto';
import type { Suite, SuiteTable } from '@symmetra/crypto';

/**
 * Watches every AEAD operation of the suites that it wraps: a key may seal under a nonce once, whatever crashes or is
 * sent again (bytes that were stored are sent again without sealing them anew).
 */
export class SealLedger {
  readonly suites: SuiteTable;
  readonly #used = new Set<string>();
  readonly #keys = new Set<string>();
  #repeated: readonly string[] = [];

  constructor(suites: readonly Suite[]) {
    this.suites = suiteTable(suites.map((suite) => this.#watch(suite)));
  }

  /** Every nonce that was used again, in words: who provoked it was told so too, and may have kept it for itself. */
  get repeated(): readonly string[] {
    return this.#repeated;
  }

  /** The keys that sealed anything, hexadecimal. */
  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  /** How many seals were seen. */
  get size(): number {
    return this.#used.size;
  }

  #watch(suite: Suite): Suite {
    return {
      ...suite,
      seal: (key, nonce, aad, plaintext) => {
        const name = toHex(key);
        this.#keys.add(name);
        const pair = `${name}/${toHex(nonce)}`;
        if (this.#used.has(pair)) {
          const text = `an AEAD key of suite ${suite.id} sealed twice under one nonce`;
          this.#repeated = [...this.#repeated, text];
          throw new Error(text);
        }
        this.#used.add(pair);
        return suite.seal(key, nonce, aad, plaintext);
      },
    };
  }
}
