import { fromBase64Url, fromHex } from '@symmetra/crypto';
import type { SymmetraError } from '@symmetra/crypto';

/** An object of a JSON file, whose fields are read by name and kind. */
export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #lacks: (field: string) => SymmetraError;

  /** @param lacks makes the error about a field that is missing, or of another kind */
  constructor(value: unknown, lacks: (field: string) => SymmetraError) {
    if (typeof value !== 'object' || value === null) throw lacks('object');
    this.#fields = value as Readonly<Record<string, unknown>>;
    this.#lacks = lacks;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') throw this.#lacks(name);
    return value;
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== 'number') throw this.#lacks(name);
    return value;
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#fields[name], this.#lacks);
  }

  objects(name: string): readonly JsonObject[] {
    return this.#list(name).map((value) => new JsonObject(value, this.#lacks));
  }

  texts(name: string): readonly string[] {
    return this.#list(name).filter((value) => typeof value === 'string');
  }

  numbers(name: string): readonly number[] {
    return this.#list(name).filter((value) => typeof value === 'number');
  }

  hex(name: string): Uint8Array {
    return fromHex(this.text(name));
  }

  base64(name: string): Uint8Array {
    return fromBase64Url(this.text(name));
  }

  #list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.#lacks(name);
    return value;
  }
}
