import { createHash } from 'node:crypto';
import { toHex } from '@symmetra/crypto';
import type { Suite, SuiteTable } from '@symmetra/crypto';

const NAME_LENGTH = 22;

/**
 * Watches every AEAD seal that is made with the suites of a table, in place: whoever holds one of them already is
 * watched too. A key may seal under a nonce once, whatever stops, starts or is sent again.
 */
export class SealWatch {
  readonly #seen = new Set<string>();
  readonly #repeated: string[] = [];
  readonly #restore: (() => void)[] = [];

  constructor(table: SuiteTable) {
    for (const id of table.ids()) this.#watch(table.get(id));
  }

  /** How many seals were seen. */
  get size(): number {
    return this.#seen.size;
  }

  /** Those that used a key and a nonce again, in words. */
  get repeated(): readonly string[] {
    return this.#repeated;
  }

  /** The suites are as they were. */
  end(): void {
    for (const restore of this.#restore) restore();
  }

  #watch(suite: Suite): void {
    const { seal } = suite;
    const watched: Suite['seal'] = (key, nonce, aad, plaintext) => {
      const name = createHash('sha256').update(key).update(nonce).digest('base64').slice(0, NAME_LENGTH);
      if (this.#seen.has(name)) {
        const caller = new Error().stack?.split('\n').slice(2, 6).join('').replaceAll(/\s+/gu, ' ');
        this.#repeated.push(`suite ${suite.id}, nonce ${toHex(nonce)},${caller}`);
      }
      this.#seen.add(name);
      return seal(key, nonce, aad, plaintext);
    };
    Object.assign(suite, { seal: watched });
    this.#restore.push(() => Object.assign(suite, { seal }));
  }
}
