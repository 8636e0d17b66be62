import type { BatteryJob, BatteryName, BatteryProgress, BatteryResults } from './battery-job.js';

/** What the thread is asked to do. The bytes lie in memory that both sides see, so that both can erase them. */
export interface BatteryOrder {
  readonly job: BatteryJob;
  readonly bytes: Uint8Array;
}

/** A failure as it crosses from thread to thread. */
interface BatteryFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** What the thread says: how far it is, then one of the other two. */
export type BatteryAnswer =
  | { readonly kind: 'progress'; readonly progress: BatteryProgress }
  | { readonly kind: 'done'; readonly result: BatteryResults[BatteryName] }
  | { readonly kind: 'failed'; readonly failure: BatteryFailure };
