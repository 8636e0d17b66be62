import type { PipelineStatus, SourceDescription } from '@symmetra/entropy';

const DECIMALS = 3;

/** What a source says of itself, in words. A simulated one is called so before anything else. */
export function labelsOf(description: SourceDescription): string {
  const { simulated, quantum, physical, raw } = description;
  const labels = [
    ...(simulated ? ['simulated'] : []),
    ...(quantum ? ['quantum'] : []),
    ...(physical && !quantum ? ['physical'] : []),
    raw ? 'raw' : 'conditioned',
  ];
  return labels.join(', ');
}

/** A source as programs are told of it. */
export function sourceRecord(status: PipelineStatus): object {
  const { description, state, samples, windows, discardedWindows, alarms, lastAlarm, lastError, minEntropy } =
    status;
  return {
    ...description,
    state,
    samples,
    windows,
    discardedWindows,
    alarms,
    ...(minEntropy !== undefined && { minEntropy }),
    ...(lastAlarm !== undefined && { lastAlarm }),
    ...(lastError !== undefined && { lastError }),
  };
}

export const SOURCE_HEADINGS = ['source', 'kind', 'labels', 'bits', 'claimed', 'measured', 'state'];

/** A source as a row below {@link SOURCE_HEADINGS}. */
export function sourceRow({
  description,
  state,
  minEntropy,
  lastAlarm,
  lastError,
}: PipelineStatus): string[] {
  const { name, kind, bitsPerSample, minEntropyPerSample } = description;
  const cause = lastError ?? lastAlarm?.test;
  return [
    name,
    kind,
    labelsOf(description),
    String(bitsPerSample),
    minEntropyPerSample === 0 ? 'nothing' : minEntropyPerSample.toFixed(DECIMALS),
    minEntropy === undefined ? '-' : minEntropy.toFixed(DECIMALS),
    state === 'qualified' || cause === undefined ? state : `${state} (${cause})`,
  ];
}
