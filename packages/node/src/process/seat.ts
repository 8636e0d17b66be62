import type { SignedDescriptor } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { RunningNode } from '../node-ports.js';

/** What a seat needs. */
export interface SeatParts {
  readonly logger: Logger;
  /** Builds the node, which tells of newer descriptors. @throws what {@link startNode} throws */
  readonly build: (
    signed: SignedDescriptor,
    onDescriptor: (newer: SignedDescriptor) => void,
  ) => Promise<RunningNode>;
}

/** Where a node runs: it is stopped and built again there whenever its descriptor changes (CTL-2). */
export class Seat {
  /** Rejected when the node can not go on. */
  readonly failed: Promise<never>;
  readonly #parts: SeatParts;
  readonly #fail: (error: unknown) => void;
  #node: RunningNode | undefined;
  #change: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: SeatParts) {
    this.#parts = parts;
    let fail: (error: unknown) => void = () => undefined;
    this.failed = new Promise((_resolve, reject) => {
      fail = reject;
    });
    this.failed.catch(() => undefined);
    this.#fail = fail;
  }

  /** The node; undefined while it goes over to another descriptor. */
  get node(): RunningNode | undefined {
    return this.#node;
  }

  /** Builds the node. A descriptor of which it hears meanwhile waits until it is up. @throws what building throws */
  async start(signed: SignedDescriptor): Promise<RunningNode> {
    const started = this.#build(signed);
    this.#change = started.then(
      () => undefined,
      () => {
        this.#stopped = true;
      },
    );
    return started;
  }

  /** The node can not go on. */
  fail(error: unknown): void {
    this.#fail(error);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#change;
    await this.#node?.stop();
    this.#node = undefined;
  }

  async #build(signed: SignedDescriptor): Promise<RunningNode> {
    const node = await this.#parts.build(signed, (newer) => this.#adopt(newer));
    this.#node = node;
    return node;
  }

  #adopt(signed: SignedDescriptor): void {
    const former = this.#change;
    this.#change = (async () => {
      await former;
      if (!this.#stopped) await this.#rebuild(signed);
    })();
  }

  async #rebuild(signed: SignedDescriptor): Promise<void> {
    try {
      await this.#node?.stop();
      this.#node = undefined;
      await this.#build(signed);
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'The node could not go over to a newer descriptor.');
      this.#fail(error);
    }
  }
}
