import type { SourceEvidence } from '@symmetra/entropy';

/** What a report found of one source, in short. */
export interface SourceFinding {
  readonly name: string;
  readonly simulated: boolean;
  readonly quantum: boolean;
  /** Bits of min-entropy per sample. */
  readonly claimed: number;
  /** Likewise, by SP 800-90B; undefined of noise that is not raw. */
  readonly assessed?: number;
  /** Alarms of the health tests over the samples. */
  readonly alarms: number;
}

export function sourceFinding({ description, health, assessment }: SourceEvidence): SourceFinding {
  const { name, simulated, quantum, minEntropyPerSample } = description;
  return {
    name,
    simulated,
    quantum,
    claimed: minEntropyPerSample,
    ...(assessment && { assessed: assessment.minEntropy }),
    alarms: health.alarms.length,
  };
}
