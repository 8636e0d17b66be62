import { SymmetraError } from '@symmetra/crypto';
import { OUTPUT_BATTERY } from '../audit/assessed-source.js';
import type { BatteryThread } from '../audit/battery-thread.js';
import { pause } from '../source/clock.js';
import type { SourceClock } from '../source/clock.js';
import type { NodeRandomness, RandomBytes } from '../source.js';
import { DrbgTier } from '../tier/drbg-tier.js';
import { FullTier } from '../tier/full-tier.js';
import { IdleWatch } from './idle-watch.js';
import { Reservoir } from './reservoir.js';
import { SeedPool } from './seed-pool.js';
import type { PipelineStatus, SourceEvent, TestedSource } from './tested-source.js';

/** What happened to the generator as a whole, beside what happens to its sources. */
export type GeneratorEvent = SourceEvent | { readonly kind: 'exhausted' | 'ready' | 'restored' };

/** Where the generator stands. */
export interface GeneratorStatus {
  /** `starting` until the first source has qualified; `exhausted` while none is left. */
  readonly state: 'exhausted' | 'ready' | 'starting';
  readonly sources: readonly PipelineStatus[];
  /** Seeds of 384 bits that can be made now. */
  readonly availableSeeds: number;
  /** Bits of assessed entropy in, bits out, and what was refused. */
  readonly ledger: {
    readonly creditedBits: number;
    /** Those of them that simulated sources claim, as if the device stood there. */
    readonly simulatedBits: number;
    readonly fullBits: number;
    readonly drbgBits: number;
    readonly refusals: number;
  };
}

/** What a generator is made of. */
export interface GeneratorParts {
  /** Opens the sources behind their tests; their events go to the function that it is given. */
  readonly open: (onEvent: (event: SourceEvent) => void) => readonly TestedSource[];
  /** The operating system's bytes, mixed into every seed and never credited. */
  readonly os: RandomBytes;
  readonly clock: SourceClock;
  /** Runs the batteries of the sources; it ends with the generator. */
  readonly thread?: Pick<BatteryThread, 'close'>;
  /** A source that nobody draws from is tested so often, in milliseconds; not at all unless told. */
  readonly idleTestMs?: number;
  readonly onEvent?: (event: GeneratorEvent) => void;
}

/** Milliseconds between two looks at what is available. */
const POLL_MS = 10;
const REFUSALS = new Set(['ENTROPY_EXHAUSTED', 'ENTROPY_SHORT']);

/**
 * All sources together (SP 800-90C): seeds conditioned over every healthy source, and from them two tiers. `full` is
 * RBG3(XOR): full entropy, or refused. `drbg` is RBG2: a CTR_DRBG reseeded every 2^17 bits, which goes on to that
 * limit when no source is left, and is refused then.
 */
export class RandomBitGenerator {
  readonly #sources: readonly TestedSource[];
  readonly #reservoirs: readonly Reservoir[];
  readonly #seeds: SeedPool;
  readonly #full: FullTier;
  readonly #drbgs = new Set<DrbgTier>();
  readonly #clock: SourceClock;
  readonly #thread: Pick<BatteryThread, 'close'> | undefined;
  readonly #idleWatch: IdleWatch | undefined;
  readonly #onEvent: (event: GeneratorEvent) => void;
  #state: GeneratorStatus['state'] = 'starting';
  #refusals = 0;

  constructor({ open, os, clock, thread, idleTestMs, onEvent = () => undefined }: GeneratorParts) {
    this.#clock = clock;
    this.#thread = thread;
    this.#onEvent = onEvent;
    this.#sources = open((event) => this.#sourceChanged(event));
    this.#reservoirs = this.#sources.map((source) => new Reservoir(source));
    this.#seeds = new SeedPool(this.#reservoirs, os);
    this.#full = new FullTier(this.#seeds);
    for (const source of this.#sources) source.start();
    this.#idleWatch = idleTestMs === undefined ? undefined : new IdleWatch(this.#sources, clock, idleTestMs);
    this.#idleWatch?.start();
  }

  status(): GeneratorStatus {
    const drbgBits = Array.from(this.#drbgs, ({ ledger }) => ledger.bitsOut).reduce((a, b) => a + b, 0);
    return {
      state: this.#state,
      sources: this.#sources.map((source) => source.status()),
      availableSeeds: this.#seeds.available,
      ledger: {
        creditedBits: this.#seeds.creditedBits,
        simulatedBits: this.#seeds.simulatedBits,
        fullBits: this.#full.ledger.bitsOut,
        drbgBits,
        refusals: this.#refusals,
      },
    };
  }

  /**
   * Waits until so many seeds can be made.
   * @throws ENTROPY_NOT_READY when every source that is credited is out of service or closed; the reason of `signal`
   *   when that is aborted.
   */
  async untilAvailable(seeds: number, signal: AbortSignal): Promise<void> {
    // Lets the draw before it set aside what it has to: else less would be there than was found.
    await Promise.resolve();
    while (this.#seeds.available < seeds) {
      signal.throwIfAborted();
      if (this.#sources.every(isOfNoUse)) {
        throw new SymmetraError('ENTROPY_NOT_READY', 'no source of entropy passes its tests');
      }
      await pause(this.#clock, POLL_MS, signal);
    }
  }

  /**
   * Bytes of full entropy: RBG3(XOR).
   * @throws ENTROPY_SHORT when there is not enough for all of them; then nothing was taken. RANDOM_LENGTH
   */
  full(length: number): Uint8Array {
    return this.#counted(() => this.#full.bytes(length));
  }

  /**
   * A generator of the `drbg` tier of its own, such as for a node.
   * @throws ENTROPY_EXHAUSTED when there is no seed for it now.
   */
  drbg(): NodeRandomness {
    const tier = this.#counted(() => new DrbgTier(this.#seeds));
    this.#drbgs.add(tier);
    return {
      bytes: (length) => this.#counted(() => tier.bytes(length)),
      requireEntropy: () => {
        if (this.#seeds.serves) return;
        this.#refusals += 1;
        throw new SymmetraError('ENTROPY_EXHAUSTED', 'no good source of entropy is left');
      },
    };
  }

  /** Lets go of the sources and zeroes all that was drawn from them. */
  async close(): Promise<void> {
    this.#idleWatch?.stop();
    await Promise.all([...this.#sources.map(async (source) => source.close()), this.#thread?.close()]);
    for (const reservoir of this.#reservoirs) reservoir.wipe();
    for (const tier of this.#drbgs) tier.wipe();
    this.#full.wipe();
  }

  #sourceChanged(event: SourceEvent): void {
    if (condemns(event)) this.#forget(event.source);
    const before = this.#state;
    if (this.#seeds.serves) this.#state = 'ready';
    else if (before === 'ready') this.#state = 'exhausted';
    const after = this.#state;
    // Whoever hears of it may draw at once, and finds the generator as it is by now.
    this.#onEvent(event);
    if (after === before) return;
    if (after === 'exhausted') this.#onEvent({ kind: 'exhausted' });
    else this.#onEvent({ kind: before === 'exhausted' ? 'restored' : 'ready' });
  }

  /** What was taken from a source before it was found to be bad for nobody knows how long. */
  #forget(name: string): void {
    this.#reservoirs.find(({ source }) => source.description.name === name)?.wipe();
  }

  #counted<Result>(draw: () => Result): Result {
    try {
      return draw();
    } catch (error) {
      if (error instanceof SymmetraError && REFUSALS.has(error.code)) this.#refusals += 1;
      throw error;
    }
  }
}

/** Whether no seed will ever rest on a source, unless an operator does something. */
function isOfNoUse({ blockEntropyBits, state }: TestedSource): boolean {
  return blockEntropyBits === 0 || state === 'out-of-service' || state === 'closed';
}

/** Whether an event speaks against what a source gave earlier. */
function condemns(event: SourceEvent): boolean {
  if (event.kind === 'assessed') return !event.assessed.passed;
  return 'alarm' in event && event.alarm?.test === OUTPUT_BATTERY;
}
