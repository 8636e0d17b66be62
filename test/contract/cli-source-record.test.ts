import type { PipelineStatus } from '@symmetra/entropy';
import { expect, test } from 'vitest';
import { drawnFrom, labelsOf } from '../../packages/cli/src/entropy/source-record.js';

const status = (
  name: string,
  simulated: boolean,
  state: PipelineStatus['state'],
  windows: number,
): PipelineStatus => ({
  description: {
    name,
    kind: 'file',
    physical: true,
    quantum: true,
    simulated,
    raw: true,
    bitsPerSample: 1,
    minEntropyPerSample: 0.5,
  },
  state,
  windows,
  availableBits: 0,
  occupiedBits: 0,
  samples: 0,
  discardedWindows: 0,
  alarms: 0,
});

test('bytes are never said to come from a quantum source alone when a simulated one served before it failed', () => {
  const sources = drawnFrom([
    status('simulator', true, 'quarantined', 40),
    status('device', false, 'qualified', 40),
    status('unplugged', false, 'starting', 0),
  ]);
  expect(sources.map(({ description }) => `${description.name}: ${labelsOf(description)}`)).toEqual([
    'simulator: simulated, quantum, raw',
    'device: quantum, raw',
  ]);
});
