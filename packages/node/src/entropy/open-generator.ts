import { SymmetraError } from '@symmetra/crypto';
import {
  ARRIVAL_TIME_SETUP,
  AssessedSource,
  BEAM_SPLITTER_SETUP,
  BatteryThread,
  DetectorMonitor,
  RandomBitGenerator,
  SourcePipeline,
  WatchedGate,
  openSource,
  osRandom,
} from '@symmetra/entropy';
import type { GeneratorEvent, NoiseSource } from '@symmetra/entropy';
import { NoiseFeed } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { EntropyConfig, EntropySourceConfig } from '@symmetra/runtime/configuration';

/** How a generator is opened. */
export interface EntropyOptions {
  readonly config: EntropyConfig;
  readonly clock: Clock;
  readonly onEvent?: (event: GeneratorEvent) => void;
}

/**
 * The source that one entry of the configuration describes, untested. Nothing is connected before the first read.
 * @throws BAD_CONFIG
 */
export function openNoise(config: EntropySourceConfig, clock: Clock): NoiseSource {
  return openSource(config, {
    clock,
    random: osRandom().bytes,
    grpc: (upstream) => new NoiseFeed(upstream),
  });
}

/**
 * The generator over the sources of a configuration, each behind its tests. It begins to read them at once; who needs
 * bytes waits with `untilAvailable`.
 * @throws BAD_CONFIG; HEALTH_CUTOFF and EXTRACTOR_SIZE when a source claims too little for tests that can fail.
 */
export function openGenerator({ config, clock, onEvent }: EntropyOptions): RandomBitGenerator {
  const { bytes: random } = osRandom();
  const thread = new BatteryThread();
  return new RandomBitGenerator({
    os: random,
    clock,
    thread,
    idleTestMs: IDLE_TEST_MS,
    ...(onEvent && { onEvent }),
    open: (notify) =>
      config.sources.map((entry) => {
        const source = openNoise(entry, clock);
        const options = {
          random,
          clock,
          gate: (bytes: number) => new WatchedGate({ bytes }),
          monitors: entry.kind === 'detector' ? [new DetectorMonitor(SETUPS[entry.setup])] : [],
          onEvent: notify,
        };
        const { raw, minEntropyPerSample } = source.description;
        return named(entry.name, () =>
          raw && minEntropyPerSample > 0
            ? new AssessedSource(source, { ...options, thread })
            : new SourcePipeline(source, options),
        );
      }),
  });
}

/** How long a source may be silent or stuck without anybody knowing, when nobody draws. */
const IDLE_TEST_MS = 10_000;
/** Builds a source behind its tests; a claim that they can not hold is refused with the name of the source. */
function named<Source>(source: string, build: () => Source): Source {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof SymmetraError)) throw error;
    const { code, message, details } = error;
    throw new SymmetraError(code, `source ${source}: ${message}`, { ...details, source }, { cause: error });
  }
}

/** Seeds that wait before a generator counts as ready: enough for the generators of all nodes of a process. */
const READY_SEEDS = 64;

/**
 * Waits until the generator can serve.
 * @param ms how long at most.
 * @throws ENTROPY_NOT_READY; the reason of `signal` when that is aborted.
 */
export async function untilReady(
  generator: RandomBitGenerator,
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  const limit = new AbortController();
  const timer = clock.setTimer(ms, () => {
    limit.abort(
      new SymmetraError('ENTROPY_NOT_READY', 'no source of entropy has passed its tests in time', { ms }),
    );
  });
  try {
    await generator.untilAvailable(
      READY_SEEDS,
      signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]),
    );
  } finally {
    timer.cancel();
  }
}

const SETUPS = { 'arrival-time': ARRIVAL_TIME_SETUP, 'beam-splitter': BEAM_SPLITTER_SETUP } as const;
