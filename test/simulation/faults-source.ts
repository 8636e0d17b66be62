import { setImmediate as othersTurn } from 'node:timers/promises';
import { SymmetraError } from '@symmetra/crypto';
import type {
  ExtractedBlock,
  NoiseBlock,
  NoiseSource,
  RandomBytes,
  SourceDescription,
} from '@symmetra/entropy';
import { Prng } from '@symmetra/testing';

const BLOCK_BITS = 1024;

/** What a scripted source gives at a place: the probability of its most frequent value, or the code of an error. */
export type Script = (position: number) => number | string;

/** A source of bits whose true min-entropy at every place is known, because the script says it. */
export class ScriptedSource implements NoiseSource {
  readonly description: SourceDescription;
  closed = false;
  #script: Script;
  readonly #random: Prng;
  #position = 0;

  constructor(seed: string, script: Script, changed: Partial<SourceDescription> = {}) {
    this.#random = new Prng(seed);
    this.#script = script;
    this.description = describeBits(changed);
  }

  /** Samples given so far. */
  get position(): number {
    return this.#position;
  }

  /** Another script from here on. */
  become(script: Script): void {
    this.#script = script;
  }

  async read(count: number, signal: AbortSignal): Promise<NoiseBlock> {
    signal.throwIfAborted();
    if (this.closed) throw new SymmetraError('SOURCE_CLOSED', 'the scripted source was closed');
    const { bitsPerSample } = this.description;
    const samples = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const share = this.#script(this.#position + i);
      if (typeof share === 'string') throw new SymmetraError(share, 'the script says so');
      if (this.#random.chance(share)) samples[i] = 0;
      else samples[i] = bitsPerSample === 1 ? 1 : 1 + this.#random.below(2 ** bitsPerSample - 1);
    }
    this.#position += count;
    return { samples };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Hands on what a source gives and remembers it, so that one can tell which samples a block was made of. */
export class TappedSource implements NoiseSource {
  readonly description: SourceDescription;
  readonly #source: NoiseSource;
  #log: Buffer = Buffer.alloc(1 << 20);
  #length = 0;
  /** Released blocks keep the order of their samples. */
  #searchFrom = 0;

  constructor(source: NoiseSource) {
    this.#source = source;
    this.description = source.description;
  }

  async read(count: number, signal: AbortSignal): Promise<NoiseBlock> {
    const block = await this.#source.read(count, signal);
    if (this.#length + count > this.#log.length) {
      this.#log = Buffer.concat([this.#log, Buffer.alloc(this.#log.length)]);
    }
    this.#log.set(block.samples, this.#length);
    this.#length += count;
    return block;
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  /** Samples given so far. */
  get position(): number {
    return this.#length;
  }

  /** Whatever is taken from now on was read from now on. */
  forgetEarlier(): void {
    this.#searchFrom = this.#length;
  }

  /**
   * The place of the first sample under a block that was extracted with {@link transparentSeed}, counted over all
   * samples of the source. Blocks must be asked for in the order in which they were taken.
   *
   * @returns -1 when the block does not consist of samples that came after those of the block before.
   */
  origin(block: ExtractedBlock): number {
    const { bitsPerSample } = this.description;
    const samples = unpack(block.bytes, bitsPerSample);
    const found = this.#log.subarray(0, this.#length).indexOf(samples, this.#searchFrom);
    if (found >= 0) this.#searchFrom = found + samples.length;
    return found;
  }
}

/** A seed under which the matrix hands out the first 1,024 bits of its input: one can see what a block was made of. */
export const transparentSeed: RandomBytes = (length) => {
  const seed = new Uint8Array(length);
  const last = length * 8 - BLOCK_BITS - 1;
  seed[last >> 3] = 0x80 >> (last & 7);
  return seed;
};

/** Lets everything else run until something has come true. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return;
    await othersTurn();
  }
  throw new Error(`it never came to this: ${what}`);
}

function describeBits(changed: Partial<SourceDescription>): SourceDescription {
  return {
    name: 'scripted',
    kind: 'detector',
    physical: true,
    quantum: true,
    simulated: true,
    raw: true,
    bitsPerSample: 1,
    minEntropyPerSample: 0.8,
    ...changed,
  };
}

function unpack(bytes: Uint8Array, bitsPerSample: number): Uint8Array {
  const samples = new Uint8Array(Math.floor((bytes.length * 8) / bitsPerSample));
  for (let i = 0; i < samples.length * bitsPerSample; i++) {
    const bit = ((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1;
    const at = Math.floor(i / bitsPerSample);
    samples[at] = ((samples[at] as number) << 1) | bit;
  }
  return samples;
}
