import type { PipelineEvent, PipelineStatus, SourceDescription, TestedSource } from '@symmetra/entropy';

const BLOCK_BYTES = 128;
const CREDIT = 1022;

/** A tested source whose stock and state a test sets. Every block is different, and remembered. */
export class ScriptedSource implements TestedSource {
  readonly description: SourceDescription;
  readonly blockEntropyBits: number;
  /** Each block that was taken. */
  readonly taken: Uint8Array[] = [];
  availableBlocks = 0;
  /** Tests on demand so far. */
  demands = 0;
  samples = 0;
  closed = false;
  #state: PipelineStatus['state'] = 'starting';
  readonly #notify: (event: PipelineEvent) => void;
  readonly #number: number;

  constructor(name: string, number: number, notify: (event: PipelineEvent) => void, credit = CREDIT) {
    this.#number = number;
    this.#notify = notify;
    this.blockEntropyBits = credit;
    this.description = {
      name,
      kind: 'file',
      physical: true,
      quantum: true,
      simulated: true,
      raw: true,
      bitsPerSample: 8,
      minEntropyPerSample: credit > 0 ? 7 : 0,
    };
  }

  get state(): PipelineStatus['state'] {
    return this.#state;
  }

  start(): void {
    this.closed = false;
  }

  status(): PipelineStatus {
    return {
      description: this.description,
      state: this.#state,
      availableBits: this.availableBlocks * this.blockEntropyBits,
      occupiedBits: 0,
      samples: this.samples,
      windows: 0,
      discardedWindows: 0,
      alarms: 0,
    };
  }

  async onDemandTest(): Promise<undefined> {
    this.demands += 1;
    this.samples += 1024;
  }

  take(): { readonly bytes: Uint8Array } | undefined {
    if (this.availableBlocks === 0) return undefined;
    this.availableBlocks -= 1;
    const words = new Uint32Array(BLOCK_BYTES / 4).fill(this.#number * 2 ** 24 + this.taken.length);
    const bytes = new Uint8Array(words.buffer);
    this.taken.push(bytes.slice());
    return { bytes };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#state = 'closed';
  }

  /** Gives it so many blocks more; it passes its tests. */
  qualify(blocks: number): void {
    const kind = this.#state === 'starting' ? 'qualified' : 'requalified';
    this.availableBlocks += blocks;
    this.#turn('qualified', kind);
  }

  fail(state: 'out-of-service' | 'quarantined' = 'quarantined'): void {
    this.#turn(state, state);
  }

  #turn(state: PipelineStatus['state'], kind: PipelineEvent['kind']): void {
    this.#state = state;
    this.#notify({ kind, source: this.description.name });
  }
}
