import type { BatteryJob, BatteryResults } from './battery-job.js';
import type { BatteryThread } from './battery-thread.js';

export interface SampleAuditOptions<Job extends BatteryJob> {
  /** One thread does for the audits of all sources. */
  readonly thread: Pick<BatteryThread, 'room' | 'run'>;
  readonly job: Job;
  /** How many bytes a run of the battery takes: 1,000,000 samples for SP 800-90B, 125,000 bytes for SP 800-22. */
  readonly bytes: number;
  readonly onResult: (result: BatteryResults[Job['battery']]) => void;
  /** Told of AUDIT_WORKER_LOST, AUDIT_CLOSED and what the battery refuses. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Gathers the windows or buffers that a pipeline sets aside, which are served to nobody, until a heavy battery has
 * enough of them, and has it run in the thread. It holds nothing up: what comes while the thread has no room is
 * erased and counted.
 */
export class SampleAudit<Job extends BatteryJob> {
  readonly #options: SampleAuditOptions<Job>;
  readonly #gathered: Uint8Array;
  #filled = 0;
  #skipped = 0;

  constructor(options: SampleAuditOptions<Job>) {
    this.#options = options;
    this.#gathered = new Uint8Array(options.bytes);
  }

  /** Runs that fell out because the thread had too much to do. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Takes a buffer over and erases it. What it has beyond a run begins the next one. Never throws. */
  readonly take = (buffer: Uint8Array): void => {
    let rest = buffer;
    while (rest.length > 0) {
      const part = rest.subarray(0, this.#gathered.length - this.#filled);
      this.#gathered.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#gathered.length) this.#run();
    }
    buffer.fill(0);
  };

  /** Erases what waits for a run, for example when the source has failed since. */
  wipe(): void {
    this.#gathered.fill(0);
    this.#filled = 0;
  }

  #run(): void {
    const { thread, job, onResult, onFailure } = this.#options;
    this.#filled = 0;
    if (thread.room === 0) {
      this.#skipped += 1;
      this.#gathered.fill(0);
      return;
    }
    // The thread copies the bytes and erases them at once.
    thread.run(job, this.#gathered).then(onResult, onFailure);
  }
}
