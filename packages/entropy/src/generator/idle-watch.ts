import type { SourceClock, SourceTimer } from '../source/clock.js';
import type { TestedSource } from './tested-source.js';

/** What is known of one source. */
interface Watched {
  readonly source: TestedSource;
  /** Samples that had been tested at the last look. */
  samples: number;
  testing: boolean;
}

/**
 * A source that has given what there is room for is not read, and could fail unnoticed until somebody draws. So every
 * qualified source whose noise has not been tested since the last look is tested on demand (SP 800-90B, 4.3).
 */
export class IdleWatch {
  readonly #watched: readonly Watched[];
  readonly #clock: SourceClock;
  readonly #everyMs: number;
  #timer: SourceTimer | undefined;

  constructor(sources: readonly TestedSource[], clock: SourceClock, everyMs: number) {
    this.#watched = sources.map((source) => ({ source, samples: 0, testing: false }));
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#timer = this.#clock.setTimer(this.#everyMs, () => {
      for (const one of this.#watched) void look(one);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

async function look(watched: Watched): Promise<void> {
  const { source, samples: before } = watched;
  const { samples, state } = source.status();
  watched.samples = samples;
  if (watched.testing || samples !== before || state !== 'qualified') return;
  watched.testing = true;
  try {
    await source.onDemandTest();
  } catch {
    // The source has told its listeners why.
  } finally {
    watched.testing = false;
    watched.samples = source.status().samples;
  }
}
