import type { AssessmentEvent } from '../audit/assessed-source.js';
import type { PipelineEvent, PipelineStatus } from '../pipeline/source-pipeline.js';
import type { SourceDescription } from '../source/noise-source.js';

export type { PipelineStatus };

/** What happens to a source. */
export type SourceEvent = PipelineEvent | AssessmentEvent;

/** One source behind its tests, as the generator sees it: a `SourcePipeline`, or an `AssessedSource` around one. */
export interface TestedSource {
  readonly description: SourceDescription;
  /** Extracted blocks that can be taken now. */
  readonly availableBlocks: number;
  /** What each of them is credited, in bits; 0 for a source that is only mixed in. */
  readonly blockEntropyBits: number;
  readonly state: PipelineStatus['state'];
  status(): PipelineStatus;
  /** The next extracted block, which the caller owns. */
  take(): { readonly bytes: Uint8Array } | undefined;
  /** Tests fresh samples, which nobody gets; what it finds has its usual consequences. */
  onDemandTest(): Promise<unknown>;
  start(): void;
  close(): Promise<void>;
}
