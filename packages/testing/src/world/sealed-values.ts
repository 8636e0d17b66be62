import { toHex } from '@symmetra/crypto';
import { SEAL_OVERHEAD_BYTES } from '@symmetra/storage';

/** Format, nonce of the process, counter: what names the AEAD nonce of a sealed value. */
const HEAD_BYTES = 1 + 32 + 8;

/** What is sealed and written to the disks of a world: no process may seal two values under one counter. */
export class SealedValues {
  readonly #seen = new Map<string, string>();
  #repeated: readonly string[] = [];

  /** Takes note of what is written under a key. */
  note(key: string, value: Uint8Array): void {
    if (value.length < SEAL_OVERHEAD_BYTES) {
      this.#repeated = [...this.#repeated, `${key} is not sealed`];
      return;
    }
    const head = toHex(value.subarray(0, HEAD_BYTES));
    const content = `${key} ${toHex(value.subarray(value.length - 16))}`;
    const before = this.#seen.get(head) ?? content;
    this.#seen.set(head, before);
    if (before !== content) this.#repeated = [...this.#repeated, `${before} and ${content}`];
  }

  /** How many values were seen. */
  get size(): number {
    return this.#seen.size;
  }

  /** Counters that sealed more than one value, in words. */
  get violations(): readonly string[] {
    return this.#repeated;
  }
}
