import { decodeState, encodeState } from '@symmetra/protocol';

/** What is to be written in one commit; `undefined` removes the entry. */
export type Writes = Readonly<Record<string, object | undefined>>;

/** The durable store of one simulated party: encoded states by name. A commit is all or nothing. */
export class SimulatedDisk {
  #entries = new Map<string, Uint8Array>();

  write(writes: Writes): void {
    const encoded = Object.entries(writes).map(
      ([name, state]) => [name, state && encodeState(state)] as const,
    );
    for (const [name, bytes] of encoded) {
      if (bytes === undefined) this.#entries.delete(name);
      else this.#entries.set(name, bytes);
    }
  }

  read(name: string): object | undefined {
    const bytes = this.#entries.get(name);
    return bytes && decodeState<object>(bytes);
  }

  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  bytes(name: string): Uint8Array | undefined {
    return this.#entries.get(name);
  }

  /** Whether the bytes stand anywhere on the disk, encoded as a secret or in any other place. */
  contains(needle: Uint8Array): boolean {
    const wanted = Buffer.from(needle);
    return [...this.#entries.values()].some((bytes) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(wanted),
    );
  }

  /** A copy as a thief or a backup takes it. */
  copy(): SimulatedDisk {
    const copy = new SimulatedDisk();
    copy.#entries = new Map(this.#entries);
    return copy;
  }

  /** Goes back to a copy that was taken earlier. */
  restore(backup: SimulatedDisk): void {
    this.#entries = new Map(backup.#entries);
  }
}
