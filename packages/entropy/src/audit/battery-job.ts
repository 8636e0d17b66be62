import {
  SP80022_TESTS,
  assessIid,
  assessNonIid,
  assessRestarts,
  ent,
  fips1402,
  sp80022,
} from '@symmetra/battery';
import type {
  EntResult,
  Fips1402Result,
  IidAssessment,
  NonIidAssessment,
  RestartAssessment,
  Sp80022Profile,
  Sp80022Result,
} from '@symmetra/battery';

/** A battery and its parameters. Samples of SP 800-90B stand one in a byte, in its low bits. */
export type BatteryJob =
  | { readonly battery: 'sp800-22'; readonly profile: Sp80022Profile }
  | { readonly battery: 'fips140-2' }
  | { readonly battery: 'ent' }
  | { readonly battery: 'sp800-90b'; readonly bitsPerSample: number }
  | {
      readonly battery: 'sp800-90b-restarts';
      readonly bitsPerSample: number;
      /** Bits per sample, of the samples without restarts. */
      readonly initialEntropy: number;
    }
  | {
      readonly battery: 'sp800-90b-iid';
      readonly bitsPerSample: number;
      /** 16 bytes for the permutations; the result repeats them. */
      readonly seed: Uint8Array;
    };

/** What each battery gives. */
export interface BatteryResults {
  readonly 'sp800-22': Sp80022Result;
  readonly 'fips140-2': Fips1402Result;
  readonly ent: EntResult;
  readonly 'sp800-90b': NonIidAssessment;
  readonly 'sp800-90b-iid': IidAssessment;
  readonly 'sp800-90b-restarts': RestartAssessment;
}

export type BatteryName = keyof BatteryResults;

/** Which part of a battery is done. */
export interface BatteryProgress {
  readonly name: string;
  readonly done: number;
  readonly total: number;
}

/** Runs a battery here and now; hours on some data. @throws what the battery throws. */
export function runBattery(
  job: BatteryJob,
  bytes: Uint8Array,
  onProgress: (progress: BatteryProgress) => void,
): BatteryResults[BatteryName] {
  const report = (name: string, done: number, total: number): void => onProgress({ name, done, total });
  switch (job.battery) {
    case 'sp800-22': {
      let done = 0;
      const onTest = (name: string): void => report(name, ++done, SP80022_TESTS.length);
      return sp80022(bytes, { profile: job.profile, onTest });
    }
    case 'fips140-2':
      return fips1402(bytes);
    case 'ent':
      return ent(bytes);
    case 'sp800-90b':
      return assessNonIid(bytes, job.bitsPerSample, { onEstimator: report });
    case 'sp800-90b-restarts':
      return assessRestarts(bytes, job.bitsPerSample, job.initialEntropy, { onEstimator: report });
    case 'sp800-90b-iid': {
      const onPermutation = (done: number, total: number, open: readonly string[]): void =>
        report(`permutations, ${open.length} statistics still open`, done, total);
      return assessIid(bytes, job.bitsPerSample, { seed: job.seed, onPermutation });
    }
  }
}
