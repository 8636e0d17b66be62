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

/**
 * The sources on which bytes that were drawn may rest: all whose noise ever passed, also those that have failed since,
 * so that none is left unnamed.
 */
export function drawnFrom(sources: readonly PipelineStatus[]): readonly PipelineStatus[] {
  return sources.filter(({ windows }) => windows > 0);
}

/** A source as programs are told of it. */
export function sourceRecord(status: PipelineStatus): object {
  const { description, state, samples, windows, discardedWindows, alarms } = status;
  const { lastAlarm, lastError, minEntropy, assessed } = status;
  return {
    ...description,
    state,
    samples,
    windows,
    discardedWindows,
    alarms,
    ...(minEntropy !== undefined && { minEntropy }),
    ...(assessed !== undefined && { assessed }),
    ...(lastAlarm !== undefined && { lastAlarm }),
    ...(lastError !== undefined && { lastError }),
  };
}

export const SOURCE_HEADINGS = ['source', 'kind', 'labels', 'bits', 'claimed', 'measured', 'state'];

/** The state of a source, with the reason where it does not serve. */
export function standingOf({ state, lastAlarm, lastError }: PipelineStatus): string {
  const cause = lastError ?? lastAlarm?.test;
  return state === 'qualified' || cause === undefined ? state : `${state} (${cause})`;
}

/** What is to be said of sources that are simulated; nothing when none is. */
export function simulatedNotes(descriptions: readonly SourceDescription[]): string[] {
  return descriptions
    .filter(({ simulated }) => simulated)
    .map(({ name }) => `${name} is simulated: a program computes its noise, no photon is measured.`);
}

/** A source as a row below {@link SOURCE_HEADINGS}. */
export function sourceRow(status: PipelineStatus): string[] {
  const { description, minEntropy } = status;
  const { name, kind, bitsPerSample, minEntropyPerSample } = description;
  return [
    name,
    kind,
    labelsOf(description),
    String(bitsPerSample),
    minEntropyPerSample === 0 ? 'nothing' : minEntropyPerSample.toFixed(DECIMALS),
    minEntropy === undefined ? '-' : minEntropy.toFixed(DECIMALS),
    standingOf(status),
  ];
}
