import {
  ARRIVAL_TIME_SETUP,
  BEAM_SPLITTER_SETUP,
  DetectorMonitor,
  SimulatedDetector,
  claimedMinEntropy,
  trueMinEntropy,
} from '@symmetra/entropy';
import type { Defect, DetectorSetup } from '@symmetra/entropy';
import { describe, expect, test } from 'vitest';
import { watch } from './detector-latency.js';

const SETUPS = { 'beam splitter': BEAM_SPLITTER_SETUP, 'arrival time': ARRIVAL_TIME_SETUP } as const;
type Name = keyof typeof SETUPS;
const names = Object.keys(SETUPS) as Name[];

describe.each(names)('a healthy detector, %s', (name) => {
  const setup = SETUPS[name];

  test('raises no alarm in six million clicks', () => {
    const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(0x51));
    const monitor = new DetectorMonitor(setup);
    const alarms = [];
    while (detector.click < 6_000_000) {
      const alarm = monitor.feed(detector.read(65_536));
      if (alarm !== undefined) alarms.push(alarm);
    }
    expect(alarms).toEqual([]);
  });

  test('raises no more alarms than stated when 2^-8 and 2^-16 of the clicks may raise one', () => {
    const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(0x52));
    const monitor = new DetectorMonitor(setup, { intermittent: 8, permanent: 16 });
    const raised = { intermittent: 0, permanent: 0 };
    while (detector.click < 1_500_000) {
      const alarm = monitor.feed(detector.read(128));
      if (alarm !== undefined) raised[alarm.level] += 1;
    }
    expect(raised.intermittent).toBeGreaterThan(0);
    expect(raised.intermittent).toBeLessThan(detector.click * 2 ** -8);
    expect(raised.permanent).toBeLessThan(
      detector.click * 2 ** -16 + 5 * Math.sqrt(detector.click * 2 ** -16),
    );
  });

  test('is judged alike however its noise is cut', () => {
    const alarmOf = (cut: number) => {
      const faults = [{ kind: 'lamp', power: 0.8, at: 30_000 }] as const;
      const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(0x53), faults);
      const monitor = new DetectorMonitor(setup);
      for (let read = 0; read < 100_000; read += cut) {
        const alarm = monitor.feed(detector.read(cut));
        if (alarm !== undefined) return alarm;
      }
      return undefined;
    };
    const whole = alarmOf(1);
    expect(whole).toMatchObject({ test: 'detector-rate', level: 'intermittent' });
    expect([7, 100].map(alarmOf)).toEqual([whole, whole]);
  });

  test('is forgotten by a reset', () => {
    const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(0x54), [
      { kind: 'lamp', power: 0.5, at: 10_000, until: 60_000 },
    ]);
    const monitor = new DetectorMonitor(setup);
    const alarms = [];
    while (detector.click < 60_000) alarms.push(monitor.feed(detector.read(1024)));
    expect(alarms.some((alarm) => alarm !== undefined)).toBe(true);
    detector.read(2000);
    monitor.reset();
    expect(monitor.feed(detector.read(65_536))).toBeUndefined();
  });
});

interface Case {
  readonly on: readonly Name[];
  readonly defect: Defect;
  readonly tests: readonly string[];
  /** Samples within which the alarm comes. */
  readonly within: number;
}

const rate = 'detector-rate';
const dead = 'detector-dead-time';

/** Faults of plain severity: which test speaks, and how soon. */
const CASES: readonly Case[] = [
  { on: names, defect: { kind: 'lamp', power: 0 }, tests: [rate], within: 64 },
  { on: names, defect: { kind: 'lamp', power: 0.5 }, tests: [rate], within: 1000 },
  { on: names, defect: { kind: 'lamp', power: 0.9 }, tests: [rate], within: 16_000 },
  { on: names, defect: { kind: 'lamp', power: 1.1 }, tests: [rate], within: 24_000 },
  {
    on: names,
    defect: { kind: 'laser-decay', halfLife: 1e6 },
    tests: [rate, 'detector-interval'],
    within: 100_000,
  },
  { on: ['arrival time'], defect: { kind: 'blinding', factor: 1000 }, tests: [dead, rate], within: 64 },
  {
    on: ['beam splitter'],
    defect: { kind: 'blinding', factor: 1000 },
    tests: ['SOURCE_SILENT'],
    within: 1024,
  },
  { on: names, defect: { kind: 'blinding', factor: 10 }, tests: [dead, rate], within: 400 },
  {
    on: ['beam splitter'],
    defect: { kind: 'efficiency-drift', clicks: 1e5, factor: 0.5 },
    tests: [rate, 'detector-balance', 'detector-interval'],
    within: 40_000,
  },
  { on: names, defect: { kind: 'dead-time', factor: 0.7 }, tests: [dead], within: 1000 },
  {
    on: names,
    defect: { kind: 'dead-time', factor: 1.1 },
    tests: [dead, 'detector-interval'],
    within: 40_000,
  },
  { on: names, defect: { kind: 'dead-time', factor: 1.5 }, tests: [dead], within: 8000 },
  {
    on: names,
    defect: { kind: 'afterpulse', probability: 0.2 },
    tests: [rate, 'detector-afterpulse'],
    within: 50_000,
  },
  { on: names, defect: { kind: 'heating', celsius: 80 }, tests: [rate, 'detector-interval'], within: 50_000 },
  {
    on: ['beam splitter'],
    defect: { kind: 'interference', periodPs: 1e6, probability: 0.5 },
    tests: ['detector-coincidence'],
    within: 1500,
  },
  {
    on: ['arrival time'],
    defect: { kind: 'interference', periodPs: 1e6, probability: 0.5 },
    tests: [rate, 'detector-interval'],
    within: 60_000,
  },
  {
    on: ['beam splitter'],
    defect: { kind: 'interference', periodPs: 1e7, probability: 1 },
    tests: ['detector-coincidence'],
    within: 1500,
  },
  { on: names, defect: { kind: 'replay', length: 4096 }, tests: ['detector-repetition'], within: 2048 },
  {
    on: names,
    defect: { kind: 'replay', length: 90_000 },
    tests: ['detector-repetition', dead],
    within: 2048,
  },
  { on: names, defect: { kind: 'stuck-bit', bit: 0, value: 1 }, tests: ['detector-digitiser'], within: 64 },
  {
    on: ['arrival time'],
    defect: { kind: 'stuck-bit', bit: 5, value: 0 },
    tests: ['detector-digitiser'],
    within: 64,
  },
  {
    on: ['beam splitter'],
    defect: { kind: 'entropy-drift', clicks: 1e6, from: 0.9, to: 0.6 },
    tests: ['detector-balance', rate],
    within: 24_000,
  },
];

const SEEDS = [1, 2, 3];
const runs = CASES.flatMap(({ on, ...rest }) =>
  on.map((name) => ({ name, fault: JSON.stringify(rest.defect), ...rest })),
);

test.each(runs)('$name: $fault is seen in time', ({ name, defect, tests, within }) => {
  for (const seed of SEEDS) {
    const { test: seen, latency } = watch(SETUPS[name], defect, seed, within);
    expect(tests).toContain(seen);
    expect(latency).toBeGreaterThanOrEqual(0);
    expect(latency).toBeLessThanOrEqual(within);
  }
});

/** Faults whose severity is raised until the true min-entropy just falls below the claim: the hardest to see. */
const MARGINAL: readonly { on: readonly Name[]; label: string; defect: (severity: number) => Defect }[] = [
  { on: names, label: 'dark counts', defect: (severity) => ({ kind: 'heating', celsius: 100 * severity }) },
  {
    on: ['arrival time'],
    label: 'more light',
    defect: (severity) => ({ kind: 'lamp', power: 1 + severity }),
  },
  {
    on: ['arrival time'],
    label: 'afterpulses',
    defect: (severity) => ({ kind: 'afterpulse', probability: 0.03 + 0.4 * severity }),
  },
  {
    on: names,
    label: 'a clock that couples in',
    defect: (severity) => ({ kind: 'interference', periodPs: 1e6, probability: severity }),
  },
  {
    on: ['beam splitter'],
    label: 'an efficiency that drops at once',
    defect: (severity) => ({ kind: 'efficiency-drift', clicks: 1, factor: 1 - severity }),
  },
  {
    on: ['beam splitter'],
    label: 'a beam splitter that turns at once',
    defect: (severity) => ({ kind: 'entropy-drift', clicks: 1, from: 1 - severity, to: 1 - severity }),
  },
];

/** The least severity that brings the setup below 99.9 % of its claim. */
function leastSeverity(setup: DetectorSetup, defect: (severity: number) => Defect): number {
  const claim = 0.999 * claimedMinEntropy(setup);
  let [harmless, harmful] = [0, 1];
  for (let step = 0; step < 40; step += 1) {
    const middle = (harmless + harmful) / 2;
    const below = trueMinEntropy(setup, [{ at: 0, ...defect(middle) }], 1024) < claim;
    [harmless, harmful] = below ? [harmless, middle] : [middle, harmful];
  }
  return harmful;
}

const marginal = MARGINAL.flatMap(({ on, ...rest }) => on.map((name) => ({ name, ...rest })));

test.each(marginal)(
  '$name: $label, just enough to break the claim, is seen within the span',
  ({ name, defect }) => {
    const setup = SETUPS[name];
    const { span } = new DetectorMonitor(setup);
    const worst = defect(leastSeverity(setup, defect));
    for (const seed of SEEDS) {
      const { test: seen, exposure } = watch(setup, worst, seed, span);
      expect(seen).toBeDefined();
      expect(exposure).toBeLessThanOrEqual(span);
    }
  },
);
