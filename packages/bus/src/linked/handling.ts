/** LINK-8: requests of one node that are being answered, and the bytes of their payloads. */
const MAX_REQUESTS = 16_384;
const MAX_BYTES = 64 * 1024 * 1024;

/** What is being answered of each node: all its processes together, so that none gains by starting again. */
export class Handling {
  readonly #ofNode = new Map<string, { requests: number; bytes: number }>();

  /** Counts a request in. @returns false when too much of the node is being answered already */
  begin(node: string, bytes: number): boolean {
    let load = this.#ofNode.get(node);
    if (load === undefined) {
      load = { requests: 0, bytes: 0 };
      this.#ofNode.set(node, load);
    }
    if (load.requests >= MAX_REQUESTS || load.bytes + bytes > MAX_BYTES) return false;
    load.requests += 1;
    load.bytes += bytes;
    return true;
  }

  /** Counts it out: it has been answered. */
  end(node: string, bytes: number): void {
    const load = this.#ofNode.get(node);
    if (load === undefined) return;
    load.requests -= 1;
    load.bytes -= bytes;
  }
}
