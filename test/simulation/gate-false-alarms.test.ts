import { binomialTail } from '@symmetra/battery';
import { BufferGate, RollingAggregate, UNIFORM_GATE_TESTS } from '@symmetra/entropy';
import { expect, test } from 'vitest';
import { countingSize } from '../../packages/entropy/src/gate/gate-tests.js';
import { GoodData } from '../contract/entropy-gate-data.js';

const BUFFERS = 10_000;
const LEVEL = 0.01;
/** How often good luck or bad may break an expectation; the data are always the same, so it breaks always or never. */
const CHANCE = 1e-3;

/** Asserts that `count` of the buffers is what a share of `rate` may give. */
function expectRate(count: number, rate: number, chance: number, what: string): void {
  expect(binomialTail(BUFFERS, rate, count), `${what}: ${count} are too many`).toBeGreaterThan(chance / 2);
  expect(1 - binomialTail(BUFFERS, rate, count + 1), `${what}: ${count} are too few`).toBeGreaterThan(
    chance / 2,
  );
}

/** Seconds of computing; the machine may have much else to do. */
const PATIENCE_MS = 300_000;

test(
  '10,000 good buffers: false alarms as often as the gate states, none at the default error',
  () => {
    const gate = new BufferGate({ familyWise: LEVEL });
    const { perTest: defaultPerTest } = new BufferGate().statement;
    const aggregate = new RollingAggregate({ tests: UNIFORM_GATE_TESTS, buffers: BUFFERS });
    const good = new GoodData(2_026);
    const low = new Map<string, number>();
    let alarms = 0;
    let defaultAlarms = 0;
    for (let i = 0; i < BUFFERS; i += 1) {
      const { passed, pValues } = gate.check(good.next(gate.statement.bytes));
      if (!passed) alarms += 1;
      if (Object.values(pValues).some((p) => !(p >= defaultPerTest))) defaultAlarms += 1;
      for (const [name, p] of Object.entries(pValues)) {
        low.set(name, (low.get(name) ?? 0) + (p <= LEVEL ? 1 : 0));
      }
      aggregate.add(pValues);
    }

    expectRate(alarms, gate.statement.attained, CHANCE, 'alarms');
    expect(defaultAlarms).toBe(0);

    const bits = gate.statement.bytes * 8;
    expect(low.size).toBe(gate.statement.tests);
    for (const [name, count] of low) {
      const coarse = name === 'longRun' || name === 'repeatedWords';
      const rate = coarse ? countingSize(name, bits, LEVEL) : LEVEL;
      expect(UNIFORM_GATE_TESTS.some((uniform) => uniform === name)).toBe(!coarse);
      expectRate(count, rate, CHANCE / gate.statement.tests, name);
    }
    for (const [name, { count, uniformity, passed }] of Object.entries(aggregate.aggregates)) {
      expect(count, name).toBe(BUFFERS);
      expect(passed, `${name}: uniformity ${uniformity}`).toBe(true);
    }
  },
  PATIENCE_MS,
);
