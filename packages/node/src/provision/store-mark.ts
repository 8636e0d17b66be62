import { readJsonFile, writeJsonFile } from '@symmetra/runtime';

interface Mark {
  readonly store: string;
  readonly version: number;
}

/**
 * How far a store on a server is known to have come, in a file beside it: a process that starts afresh notices by it
 * that the server lost what it had acknowledged. The file lags behind the store and is never ahead of it, so a store
 * that lost nothing passes, and a loss of less than the lag is not noticed.
 */
export class StoreMark {
  readonly #file: string;
  readonly #store: string;
  #version: number;

  private constructor(file: string, store: string, version: number) {
    this.#file = file;
    this.#store = store;
    this.#version = version;
  }

  /** The mark of the store of that name; one of another store counts as none. @throws FILE_CORRUPT, NO_PERMISSION, FILE_FAILED */
  static async read(file: string, store: string): Promise<StoreMark> {
    const found = (await readJsonFile(file)) as Partial<Record<keyof Mark, unknown>> | null | undefined;
    const version = found?.store === store && typeof found.version === 'number' ? found.version : 0;
    return new StoreMark(file, store, version);
  }

  /** The version that the store must have reached; 0 when nothing is known. */
  get version(): number {
    return this.#version;
  }

  /** Writes down a version that the store acknowledged. @throws DISK_FULL, NO_PERMISSION, NO_DIRECTORY, FILE_FAILED */
  async keep(version: number): Promise<void> {
    if (version <= this.#version) return;
    await writeJsonFile(this.#file, { store: this.#store, version } satisfies Mark);
    this.#version = version;
  }
}
