import type { SourceEvidence } from '@symmetra/entropy';
import { labelsOf } from './source-record.js';

const DECIMALS = 4;

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

export const FINDING_HEADINGS = ['source', 'labels', 'claimed', 'assessed', 'alarms'];

/** A finding as a row below {@link FINDING_HEADINGS}. */
export function findingRow(evidence: SourceEvidence): string[] {
  const { name, claimed, assessed, alarms } = sourceFinding(evidence);
  return [
    name,
    labelsOf(evidence.description),
    claimed === 0 ? 'nothing' : claimed.toFixed(DECIMALS),
    assessed?.toFixed(DECIMALS) ?? '-',
    String(alarms),
  ];
}
