import { SymmetraError } from '@symmetra/crypto';
import { DetectorMonitor, SimulatedDetector, claimedMinEntropy } from '@symmetra/entropy';
import type { Alarm, Defect, DetectorSetup } from '@symmetra/entropy';

const BLOCK = 1024;
/** Clicks before the fault: the charts are in their usual state by then. */
const HEALTHY_CLICKS = 100_000;

/** What became of a fault. Counts are samples; those after the fault count from the first sample that it touched. */
export interface Outcome {
  /** The alarm or, when the source itself gave up, the code of its error; undefined when neither came. */
  readonly test: string | undefined;
  readonly level: Alarm['level'] | undefined;
  /** Samples from the start of the fault to the alarm; negative for an alarm before it, 0 when the source gave up at once. */
  readonly latency: number;
  /** Samples below the claim up to the alarm. */
  readonly belowClaim: number;
  /** Samples from the first one below the claim to the alarm. */
  readonly exposure: number;
}

/** Injects a fault and watches until the monitor speaks, at most so many samples. */
export function watch(setup: DetectorSetup, defect: Defect, seed: number, most: number): Outcome {
  const faults = [{ at: HEALTHY_CLICKS, ...defect }];
  const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(seed), faults);
  const monitor = new DetectorMonitor(setup);
  const claim = claimedMinEntropy(setup);
  const { digitisation, parameters } = setup;
  const guard = digitisation.kind === 'beam-splitter' ? digitisation.guardPs / parameters.tickPs + 1 : 0;
  const truth: number[] = [];
  let start: number | undefined;
  const outcome = (test: string | undefined, alarm?: Alarm): Outcome => {
    const end = alarm?.sample ?? truth.length;
    const first = truth.findIndex((entropy) => entropy < claim);
    return {
      test,
      level: alarm?.level,
      latency: end - (start ?? end),
      belowClaim: truth.slice(0, end).filter((entropy) => entropy < claim).length,
      exposure: first < 0 ? 0 : Math.max(0, end - first),
    };
  };
  try {
    for (let read = 0; read < most + HEALTHY_CLICKS; read += BLOCK) {
      const before = detector.click;
      const block = detector.read(BLOCK);
      if (start === undefined && detector.click > HEALTHY_CLICKS) {
        const healthy = block.clicks.intervals.subarray(0, HEALTHY_CLICKS - before);
        start = truth.length + healthy.reduce((count, interval) => count + (interval >= guard ? 1 : 0), 0);
      }
      for (const entropy of block.trueMinEntropy) truth.push(entropy);
      const alarm = monitor.feed(block);
      if (alarm !== undefined) return outcome(alarm.test, alarm);
    }
    return outcome(undefined);
  } catch (error) {
    if (error instanceof SymmetraError) return outcome(error.code);
    throw error;
  }
}
