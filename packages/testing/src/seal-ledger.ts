import { suiteTable, toHex } from '@symmetra/crypto';
import type { Suite, SuiteTable } from '@symmetra/crypto';

/**
 * Watches every AEAD operation of the suites that it wraps: a key may seal under a nonce once, whatever crashes or is
 * sent again (bytes that were stored are sent again without sealing them anew).
 */
export class SealLedger {
  readonly suites: SuiteTable;
  readonly #used = new Set<string>();

  constructor(suites: readonly Suite[]) {
    this.suites = suiteTable(suites.map((suite) => this.#watch(suite)));
  }

  /** How many seals were seen. */
  get size(): number {
    return this.#used.size;
  }

  #watch(suite: Suite): Suite {
    return {
      ...suite,
      seal: (key, nonce, aad, plaintext) => {
        const pair = `${toHex(key)}/${toHex(nonce)}`;
        if (this.#used.has(pair)) {
          throw new Error(`an AEAD key of suite ${suite.id} sealed twice under one nonce`);
        }
        this.#used.add(pair);
        return suite.seal(key, nonce, aad, plaintext);
      },
    };
  }
}
