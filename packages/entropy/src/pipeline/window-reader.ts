import { SymmetraError, wipe } from '@symmetra/crypto';
import { START_UP_SAMPLES } from '../health/health-suite.js';
import type { HealthSuite } from '../health/health-suite.js';
import { graver } from '../health/health-test.js';
import type { Alarm } from '../health/health-test.js';
import { unlessAborted } from '../source/clock.js';
import type { NoiseBlock, NoiseSource } from '../source/noise-source.js';

/** A window is read in parts, so that a slow source gives each within its time limit. */
const READ_SAMPLES = 16_384;

/** Reads windows of raw samples and shows them to every test. */
export class WindowReader {
  readonly #source: NoiseSource;
  readonly #suite: HealthSuite;
  readonly #samples: Uint8Array;
  #tested = 0;
  /** What was tested when the tests were last reset. */
  #origin = 0;

  constructor(source: NoiseSource, suite: HealthSuite, window: number) {
    this.#source = source;
    this.#suite = suite;
    this.#samples = new Uint8Array(window);
  }

  /** How many samples were tested so far. */
  get tested(): number {
    return this.#tested;
  }

  /** The window that was read last, until the next is read or it is wiped. */
  get samples(): Uint8Array {
    return this.#samples;
  }

  /**
   * Reads the next window; stops at an alarm, for then the rest would be thrown away.
   * @returns the alarm, its sample counted over the life of the reader.
   * @throws what the source throws; SOURCE_SHORT_READ and SOURCE_BAD_PAYLOAD when it gives fewer or more samples than it
   *   was asked for; the reason of `signal`, whether the source heeds it or not.
   */
  async read(signal: AbortSignal): Promise<Alarm | undefined> {
    for (let at = 0; at < this.#samples.length;) {
      const count = Math.min(READ_SAMPLES, this.#samples.length - at);
      const block = await this.#next(count, signal);
      const alarm = this.#feed(block);
      this.#samples.set(block.samples, at);
      erase(block);
      if (alarm !== undefined) return alarm;
      at += count;
    }
    return undefined;
  }

  /**
   * The test on demand, over samples that belong to no window. The continuous tests see them, too: to those the noise
   * of a source has no gap.
   *
   * @returns and throws as {@link WindowReader.read}.
   */
  async testOnDemand(signal: AbortSignal): Promise<Alarm | undefined> {
    const block = await this.#next(START_UP_SAMPLES, signal);
    const before = this.#tested;
    const found = this.#suite.onDemand(block);
    const alarm = graver(found && { ...found, sample: before + found.sample }, this.#feed(block));
    erase(block);
    return alarm;
  }

  /** Zeroes the window. */
  wipe(): void {
    wipe(this.#samples);
  }

  /** The next sample is the first of a new run: nothing is left of what came before. */
  reset(): void {
    this.wipe();
    this.#suite.reset();
    this.#origin = this.#tested;
  }

  /** Just so many samples: for fewer a block would be credited what is not in it. */
  async #next(count: number, signal: AbortSignal): Promise<NoiseBlock> {
    const block = await unlessAborted(this.#source.read(count, signal), signal);
    const got = block.samples.length;
    if (got === count) return block;
    erase(block);
    const code = got < count ? 'SOURCE_SHORT_READ' : 'SOURCE_BAD_PAYLOAD';
    throw new SymmetraError(code, `the source gave ${got} samples, not ${count}`, {
      source: this.#source.description.name,
      got,
      wanted: count,
    });
  }

  #feed(block: NoiseBlock): Alarm | undefined {
    const alarm = this.#suite.feed(block);
    this.#tested += block.samples.length;
    return alarm && { ...alarm, sample: this.#origin + alarm.sample };
  }
}

/** Zeroes the samples of a block and the clicks that tell them. */
function erase({ samples, clicks }: NoiseBlock): void {
  wipe(samples);
  clicks?.intervals.fill(0);
  clicks?.detectors.fill(0);
}
