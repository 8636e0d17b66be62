import { SymmetraError } from '@symmetra/crypto';
import type { NoiseBlock } from '../source/noise-source.js';
import { BlockAssembly } from './block-assembly.js';
import { ClickSimulator } from './click-simulator.js';
import { Digitiser, guardTicks } from './digitiser.js';
import { nextChange } from './fault.js';
import type { Fault } from './fault.js';
import { checkSetup } from './parameters.js';
import type { DetectorSetup } from './parameters.js';
import { trueMinEntropy } from './true-entropy.js';

const CHUNK_CLICKS = 4096;

/** A block of the simulator, which knows what no measurement tells. */
export interface SimulatedBlock extends Required<NoiseBlock> {
  /** The true min-entropy of each sample in bits, by the model (`trueMinEntropy`). */
  readonly trueMinEntropy: Float64Array;
}

/**
 * The simulated detector inside this process: for tests and tables of faults. It is the model that `DetectorSource`
 * runs in a process of its own, and the same seed gives the same samples.
 */
export class SimulatedDetector {
  readonly #setup: DetectorSetup;
  readonly #faults: readonly Fault[];
  readonly #stops: Fault[];
  readonly #simulator: ClickSimulator;
  readonly #digitiser: Digitiser;
  readonly #intervals = new Uint32Array(CHUNK_CLICKS);
  readonly #detectors = new Uint8Array(CHUNK_CLICKS);
  #from = 0;
  #end = 0;

  /**
   * @param seed 32 bytes, lent.
   * @throws DETECTOR_PARAMETERS, DETECTOR_SEED
   */
  constructor(setup: DetectorSetup, seed: Uint8Array, faults: readonly Fault[] = []) {
    checkSetup(setup);
    this.#setup = setup;
    this.#faults = faults;
    this.#stops = faults.filter(({ kind }) => kind === 'short-read' || kind === 'silence');
    this.#simulator = new ClickSimulator(setup.parameters, faults, seed);
    this.#digitiser = new Digitiser(setup, faults);
  }

  /** How many clicks went into samples so far. */
  get click(): number {
    return this.#digitiser.click;
  }

  /**
   * Makes the next samples.
   * @throws SOURCE_SHORT_READ, SOURCE_SILENT as the faults want it, once each; SOURCE_SILENT whenever the detectors will
   *   never click again or hardly any click makes a sample. The samples begun are lost.
   */
  read(count: number): SimulatedBlock {
    const first = this.click;
    const assembly = new BlockAssembly(count, this.#setup.parameters.tickPs);
    while (!assembly.complete) {
      this.#stop();
      if (this.#from === this.#end) this.#refill();
      const { click } = this;
      const stop = Math.min(this.#end - this.#from, ...this.#stops.map(({ at }) => at - click));
      const end = this.#from + stop;
      this.#from += assembly.take(
        this.#intervals.subarray(this.#from, end),
        this.#detectors.subarray(this.#from, end),
        this.#digitiser,
      );
    }
    const block = assembly.block();
    return { ...block, trueMinEntropy: this.#truth(block, first) };
  }

  #stop(): void {
    const index = this.#stops.findIndex(({ at }) => at <= this.click);
    const [fault] = index < 0 ? [] : this.#stops.splice(index, 1);
    if (fault === undefined) return;
    if (fault.kind === 'silence') throw silent();
    throw new SymmetraError('SOURCE_SHORT_READ', 'the detector stopped in the middle of a frame');
  }

  #refill(): void {
    this.#from = 0;
    this.#end = this.#simulator.make(this.#intervals, this.#detectors);
    if (this.#end === 0) throw silent();
  }

  #truth({ samples, clicks }: Required<NoiseBlock>, first: number): Float64Array {
    const { parameters, digitisation } = this.#setup;
    const guard =
      digitisation.kind === 'beam-splitter' ? guardTicks(digitisation.guardPs, parameters.tickPs) : 0;
    const truth = new Float64Array(samples.length);
    let [written, change, entropy] = [0, first, 0];
    for (let index = 0; index < clicks.intervals.length; index += 1) {
      if (first + index >= change) {
        entropy = trueMinEntropy(this.#setup, this.#faults, first + index);
        change = nextChange(this.#faults, first + index);
      }
      if ((clicks.intervals[index] ?? 0) >= guard) truth[written++] = entropy;
    }
    return truth;
  }
}

function silent(): SymmetraError {
  return new SymmetraError('SOURCE_SILENT', 'the detector does not click');
}
