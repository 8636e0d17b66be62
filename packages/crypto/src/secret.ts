import { SecretWipedError } from './error.js';

const REDACTED = '[secret]';

/**
 * Key bytes that know what they are. The name is part of the type, so that a chain key can not be
 * passed where a ratchet key belongs; no way of printing or serialising it shows the bytes.
 */
export class Secret<Name extends string> {
  readonly name: Name;
  #bytes: Uint8Array | undefined;

  private constructor(name: Name, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  /** Takes ownership of `bytes`: the caller neither keeps nor changes them. */
  static of<N extends string>(name: N, bytes: Uint8Array): Secret<N> {
    return new Secret(name, bytes);
  }

  /**
   * The bytes themselves, lent and not copied: they become zero when the secret is wiped.
   * @throws SecretWipedError after {@link Secret.wipe}.
   */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new SecretWipedError(this.name);
    return this.#bytes;
  }

  /** Overwrites the bytes and makes the secret unusable. Doing it again has no effect. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  /** An independent copy, to be wiped on its own. */
  clone(): Secret<Name> {
    return new Secret(this.name, this.bytes.slice());
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
