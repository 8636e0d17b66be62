import { SymmetraError } from '@symmetra/crypto';
import { SimulatedDetector, describeDetector } from '@symmetra/entropy';
import type { DetectorSetup, Fault, NoiseBlock, NoiseSource, SourceDescription } from '@symmetra/entropy';
import { Prng } from '@symmetra/testing';

/** Samples of which it is known what they are worth. */
export interface KnownBlock extends NoiseBlock {
  /** Bits of min-entropy that each sample really has. */
  readonly trueMinEntropy: Float64Array;
}

/** A source whose noise is known. */
export interface KnownSource extends NoiseSource {
  /** The first sample after the fault began, counted from 0; undefined before. */
  readonly onset: number | undefined;
  read(count: number, signal: AbortSignal): Promise<KnownBlock>;
}

/** A law of noise: the sample at a place, and how much min-entropy it has. */
export interface NoiseLaw {
  /** @param ago the sample that was given so many samples before; 0 before the first. */
  readonly sample: (position: number, ago: (distance: number) => number, random: Prng) => number;
  readonly trueMinEntropy: (position: number) => number;
  /** The code of the error that is raised instead, if any. */
  readonly error?: (position: number) => string | undefined;
}

const REMEMBERED = 2 ** 16;

/** A source that follows one law up to a place, and another one from there. */
export class LawSource implements KnownSource {
  readonly description: SourceDescription;
  readonly #good: NoiseLaw;
  readonly #bad: NoiseLaw;
  readonly #at: number;
  readonly #random: Prng;
  readonly #given = new Uint8Array(REMEMBERED);
  #position = 0;

  /** @param at the first sample of the other law. */
  constructor(description: SourceDescription, good: NoiseLaw, bad: NoiseLaw, at: number) {
    this.description = description;
    this.#good = good;
    this.#bad = bad;
    this.#at = at;
    this.#random = new Prng(description.name);
  }

  get onset(): number | undefined {
    return this.#at;
  }

  async read(count: number, signal: AbortSignal): Promise<KnownBlock> {
    signal.throwIfAborted();
    const samples = new Uint8Array(count);
    const trueMinEntropy = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const position = this.#position;
      const law = position < this.#at ? this.#good : this.#bad;
      const since = position < this.#at ? position : position - this.#at;
      const code = law.error?.(since);
      if (code !== undefined) throw new SymmetraError(code, 'the fault says so');
      const ago = (distance: number): number =>
        this.#given[(position - distance) & (REMEMBERED - 1)] as number;
      const sample = law.sample(since, ago, this.#random);
      this.#given[position & (REMEMBERED - 1)] = sample;
      this.#position++;
      samples[i] = sample;
      trueMinEntropy[i] = law.trueMinEntropy(since);
    }
    return { samples, trueMinEntropy };
  }

  async close(): Promise<void> {
    // There is nothing to let go of.
  }
}

/** The simulated detector with a fault. */
export class FaultyDetector implements KnownSource {
  readonly description: SourceDescription;
  readonly #detector: SimulatedDetector;
  readonly #guardTicks: number;
  readonly #at: number;
  #onset: number | undefined;
  #samples = 0;

  constructor(name: string, setup: DetectorSetup, fault: Fault) {
    this.description = describeDetector(name, setup);
    this.#detector = new SimulatedDetector(setup, new Prng(name).bytes(32), [fault]);
    this.#at = fault.at;
    const { digitisation, parameters } = setup;
    const guardPs = digitisation.kind === 'beam-splitter' ? digitisation.guardPs : 0;
    // As the digitiser: a tag stands for the whole of its tick.
    this.#guardTicks = guardPs === 0 ? 0 : Math.ceil(guardPs / parameters.tickPs) + 1;
  }

  get onset(): number | undefined {
    return this.#onset;
  }

  async read(count: number, signal: AbortSignal): Promise<KnownBlock> {
    signal.throwIfAborted();
    const first = this.#detector.click;
    const block = this.#detector.read(count);
    const before = this.#at - first;
    if (this.#onset === undefined && before < block.clicks.intervals.length) {
      const accepted = block.clicks.intervals
        .subarray(0, before)
        .filter((ticks) => ticks >= this.#guardTicks);
      this.#onset = this.#samples + accepted.length;
    }
    this.#samples += count;
    return block;
  }

  async close(): Promise<void> {
    // The simulator is in this process.
  }
}
