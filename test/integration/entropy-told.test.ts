import type { GeneratorEvent, GeneratorStatus } from '@symmetra/entropy';
import { entropyMetrics, logEntropy } from '@symmetra/node';
import { createLogger } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';

const ASSESSED = { minEntropy: 0.83, passed: true, samples: 1_000_000, time: 1_893_456_000_000 };
const GATE = {
  buffers: 40,
  rejected: 2,
  bytes: 38 * 5120,
  chiSquareP: 0.25,
  suspicious: ['runs', 'lag2'],
  shut: false,
};

/** The line that an event leaves in the log. */
function line(event: GeneratorEvent): unknown {
  let text = '';
  const output = { write: (more: string) => void (text += more) };
  logEntropy(createLogger({ level: 'info', clock: new ManualClock(), output }), event);
  const { time: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

describe('the log tells of', () => {
  const source = 'lamp';
  test.each<[string, GeneratorEvent, object]>([
    [
      'an assessment that bears out the claim',
      { kind: 'assessed', source, assessed: ASSESSED },
      {
        level: 'info',
        source,
        bits: 0.83,
        count: 1_000_000,
        message: 'An assessment bears out what a source of entropy claims.',
      },
    ],
    [
      'one that does not',
      { kind: 'assessed', source, assessed: { ...ASSESSED, passed: false } },
      {
        level: 'error',
        source,
        bits: 0.83,
        count: 1_000_000,
        message: 'An assessment finds less entropy in a source than it claims.',
      },
    ],
    [
      'one that came to nothing',
      { kind: 'assessment-failed', source, error: 'AUDIT_WORKER_LOST' },
      {
        level: 'warn',
        source,
        code: 'AUDIT_WORKER_LOST',
        message: 'An assessment of a source came to nothing.',
      },
    ],
    [
      'a quarantine, with the test',
      { kind: 'quarantined', source, alarm: { test: 'assessment', level: 'permanent', sample: 7 } },
      {
        level: 'warn',
        source,
        test: 'assessment',
        reason: 'permanent',
        message: 'A source of entropy is in quarantine.',
      },
    ],
    [
      'the end of a service',
      { kind: 'out-of-service', source, alarm: { test: 'gate', level: 'intermittent', sample: 7 } },
      {
        level: 'error',
        source,
        test: 'gate',
        reason: 'intermittent',
        message: 'A source of entropy is out of service until an operator says otherwise.',
      },
    ],
  ])('%s', (_, event, expected) => {
    expect(line(event)).toEqual(expected);
  });

  test('a defect of the program, by its name and place and not its words', () => {
    const defect = new TypeError('a value of the noise');
    const told = line({ kind: 'quarantined', source, error: 'UNKNOWN', defect });
    expect(told).toMatchObject({ level: 'warn', source, code: 'UNKNOWN', err: { name: 'TypeError' } });
    expect(JSON.stringify(told)).not.toContain('a value of the noise');
  });
});

describe('the metrics tell of', () => {
  const source: GeneratorStatus['sources'][number] = {
    description: {
      name: 'lamp',
      kind: 'detector',
      physical: true,
      quantum: true,
      simulated: true,
      raw: true,
      bitsPerSample: 1,
      minEntropyPerSample: 0.8,
    },
    state: 'qualified',
    availableBits: 0,
    occupiedBits: 0,
    samples: 0,
    windows: 0,
    discardedWindows: 0,
    alarms: 0,
  };

  function scraped(changed: Partial<typeof source>) {
    const status: GeneratorStatus = {
      state: 'ready',
      sources: [{ ...source, ...changed }],
      availableSeeds: 1,
      ledger: { creditedBits: 0, simulatedBits: 0, fullBits: 0, drbgBits: 0, refusals: 0 },
    };
    return Object.fromEntries(entropyMetrics(() => status).map(({ name, read }) => [name, read()]));
  }

  test('an assessment and a gate, by source', () => {
    const labels = { source: 'lamp' };
    expect(scraped({ assessed: ASSESSED, gate: GATE })).toMatchObject({
      symmetra_entropy_source_assessed_bits: [{ labels, value: 0.83 }],
      symmetra_entropy_source_assessed_timestamp_seconds: [{ labels, value: 1_893_456_000 }],
      symmetra_entropy_gate_buffers_total: [{ labels, value: 40 }],
      symmetra_entropy_gate_rejected_total: [{ labels, value: 2 }],
      symmetra_entropy_gate_chi_square_p: [{ labels, value: 0.25 }],
      symmetra_entropy_gate_suspicious_tests: [{ labels, value: 2 }],
    });
  });

  test('none of them before there is one', () => {
    expect(scraped({})).toMatchObject({
      symmetra_entropy_source_assessed_bits: [],
      symmetra_entropy_source_assessed_timestamp_seconds: [],
      symmetra_entropy_gate_buffers_total: [],
    });
  });
});
