import { SymmetraError } from '@symmetra/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOrder } from '../../packages/entropy/src/detector/detector-order.js';
import { ARRIVAL_TIME_SETUP, BEAM_SPLITTER_SETUP } from '@symmetra/entropy';
import { effort } from './effort.js';

const ORDER = { seed: '5a'.repeat(32), faults: [{ at: 10, kind: 'lamp', power: 0 }], firstClick: 0 };
const GOOD = [
  { ...ORDER, setup: ARRIVAL_TIME_SETUP },
  { ...ORDER, setup: BEAM_SPLITTER_SETUP },
];

/** A good order in which one figure, or a whole part, is something else. */
const nearly = fc
  .record({
    order: fc.constantFrom(...GOOD),
    path: fc.constantFrom(
      ['seed'],
      ['faults'],
      ['faults', '0'],
      ['firstClick'],
      ['setup'],
      ['setup', 'parameters'],
      ['setup', 'digitisation'],
      ...Object.keys(ARRIVAL_TIME_SETUP.parameters).map((name) => ['setup', 'parameters', name]),
      ...['kind', 'bins', 'binPs', 'guardPs'].map((name) => ['setup', 'digitisation', name]),
    ),
    put: fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.integer()),
  })
  .map(({ order, path, put }) => {
    const copy = structuredClone(order) as unknown as Record<string, unknown>;
    const holder = path.slice(0, -1).reduce((part, key) => part[key] as Record<string, unknown>, copy);
    holder[path.at(-1) ?? ''] = put;
    return JSON.stringify(copy);
  });

describe('the order of a detector', () => {
  it('is taken when it is good', () => {
    for (const order of GOOD) expect(parseOrder(JSON.stringify(order))).toEqual(order);
  });

  it('of any text is an order that the model covers, or is refused', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), nearly, nearly), (line) => {
        let code = 'OK';
        try {
          const { seed, faults, firstClick } = parseOrder(line);
          expect(seed).toHaveLength(64);
          expect(faults.every(({ at }) => Number.isSafeInteger(at))).toBe(true);
          expect(Number.isSafeInteger(firstClick)).toBe(true);
        } catch (error) {
          code = error instanceof SymmetraError ? error.code : String(error);
        }
        seen.add(code);
        expect(['OK', 'DETECTOR_ORDER', 'DETECTOR_PARAMETERS']).toContain(code);
      }),
      effort(1000),
    );
    expect(seen.size).toBe(3);
  });
});
