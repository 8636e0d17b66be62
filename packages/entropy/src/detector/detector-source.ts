import { SymmetraError } from '@symmetra/crypto';
import type { RandomBytes } from '../source.js';
import { MAX_READ_SAMPLES } from '../source/byte-noise.js';
import { unlessAborted } from '../source/clock.js';
import type { SourceClock } from '../source/clock.js';
import type { NoiseBlock, NoiseSource, SourceDescription } from '../source/noise-source.js';
import { BlockAssembly } from './block-assembly.js';
import type { ClickFrame } from './click-frame.js';
import { DetectorProcess } from './detector-process.js';
import { Digitiser } from './digitiser.js';
import type { Fault } from './fault.js';
import { DETECTOR_SEED_BYTES } from './keystream.js';
import { checkSetup } from './parameters.js';
import type { DetectorSetup } from './parameters.js';
import { claimedMinEntropy, sampleBits } from './true-entropy.js';

/** How a {@link DetectorSource} is built. */
export interface DetectorSourceOptions {
  readonly name: string;
  readonly setup: DetectorSetup;
  readonly faults?: readonly Fault[];
  /** Where each process takes its seed from: the operating system, or a fixed seed in a test. */
  readonly random: RandomBytes;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered in full. */
  readonly timeoutMs: number;
  /** The program that makes the clicks; the simulator of this package when left out. */
  readonly program?: string;
}

/** What a setup says of itself as a source of noise. See {@link DetectorSource} about the labels. */
export function describeDetector(name: string, setup: DetectorSetup): SourceDescription {
  return {
    name,
    kind: 'detector',
    physical: true,
    quantum: true,
    simulated: true,
    raw: true,
    bitsPerSample: sampleBits(setup.digitisation),
    minEntropyPerSample: claimedMinEntropy(setup),
  };
}

/**
 * The simulated single-photon detector, which runs in a process of its own from the first read on. When that dies or
 * fails, the next read starts another with a new seed.
 *
 * The labels: `simulated` is always true; `physical` and `quantum` say what the modelled source would be if it stood
 * there. Whatever prints either of the two prints "simulated" beside it, and whatever counts entropy counts that of
 * simulated sources apart: all that is really in these samples is the seed.
 */
export class DetectorSource implements NoiseSource {
  readonly description: SourceDescription;
  readonly #options: DetectorSourceOptions;
  #faults: readonly Fault[];
  #process: DetectorProcess | undefined;
  #digitiser: Digitiser;
  #frame: ClickFrame | undefined;
  #current: AbortController | undefined;
  #closed = false;

  /** @throws DETECTOR_PARAMETERS */
  constructor(options: DetectorSourceOptions) {
    checkSetup(options.setup);
    this.description = describeDetector(options.name, options.setup);
    this.#options = options;
    this.#faults = options.faults ?? [];
    this.#digitiser = new Digitiser(options.setup, this.#faults);
  }

  /** @throws also SOURCE_BAD_COUNT and SOURCE_BUSY, which are defects of the program. */
  async read(count: number, signal: AbortSignal): Promise<Required<NoiseBlock>> {
    this.#checkCall(count);
    signal.throwIfAborted();
    const { clock, timeoutMs } = this.#options;
    const limit = new AbortController();
    const stop = (): void => limit.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const timer = clock.setTimer(timeoutMs, () => limit.abort(this.#silent(count)));
    this.#current = limit;
    try {
      return await this.#assemble(count, limit.signal);
    } catch (error) {
      await this.#startAfresh(error);
      throw error;
    } finally {
      this.#current = undefined;
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#current?.abort(this.#closedError());
    await this.#process?.kill();
  }

  async #assemble(count: number, signal: AbortSignal): Promise<Required<NoiseBlock>> {
    const assembly = new BlockAssembly(count, this.#options.setup.parameters.tickPs);
    while (!assembly.complete) {
      this.#process ??= this.#start();
      const frame = this.#frame ?? (await unlessAborted(this.#process.next(), signal));
      signal.throwIfAborted();
      const used = assembly.take(frame.intervals, frame.detectors, this.#digitiser);
      const rest = { intervals: frame.intervals.subarray(used), detectors: frame.detectors.subarray(used) };
      this.#frame = rest.intervals.length > 0 ? rest : undefined;
    }
    return assembly.block();
  }

  #start(): DetectorProcess {
    const { random, setup, program } = this.#options;
    const seed = random(DETECTOR_SEED_BYTES);
    const order = {
      seed: Buffer.from(seed).toString('hex'),
      setup,
      faults: this.#faults,
      firstClick: this.#digitiser.click,
    };
    seed.fill(0);
    return new DetectorProcess(order, program);
  }

  /** Lets go of the process. A fault that stops it has then happened, and does not again. */
  async #startAfresh(error: unknown): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    this.#frame = undefined;
    const stopped = error instanceof SymmetraError ? STOPS[error.code] : undefined;
    const happened = this.#faults
      .filter(({ kind }) => kind === stopped)
      .toSorted((first, second) => first.at - second.at)[0];
    this.#faults = this.#faults.filter((fault) => fault !== happened);
    this.#digitiser = new Digitiser(this.#options.setup, this.#faults, this.#digitiser.click);
    await process?.kill();
  }

  #checkCall(count: number): void {
    const source = this.description.name;
    if (this.#closed) throw this.#closedError();
    if (!Number.isInteger(count) || count < 1 || count > MAX_READ_SAMPLES) {
      throw new SymmetraError('SOURCE_BAD_COUNT', `${count} is not a number of samples that can be read`, {
        source,
        count,
      });
    }
    if (this.#current !== undefined) {
      throw new SymmetraError('SOURCE_BUSY', 'the source is being read already', { source });
    }
  }

  #silent(count: number): SymmetraError {
    return new SymmetraError('SOURCE_SILENT', 'the source did not give the samples in time', {
      source: this.description.name,
      count,
      timeoutMs: this.#options.timeoutMs,
    });
  }

  #closedError(): SymmetraError {
    return new SymmetraError('SOURCE_CLOSED', 'the source is closed', { source: this.description.name });
  }
}

/** The faults that show themselves as an error. */
const STOPS: Readonly<Record<string, Fault['kind']>> = {
  SOURCE_SHORT_READ: 'short-read',
  SOURCE_SILENT: 'silence',
};
