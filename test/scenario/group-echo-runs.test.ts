import { describe, expect, it } from 'vitest';
import { GroupRun } from './group-run.js';

/** In two of these seeds some nodes have an epoch in force that others gave up. */
const FIRST_SEED = 101;
const SEEDS = 40;
const STEPS = 160;

describe('GRP-5, GRP-11: whatever is lost, and whoever deals at once', () => {
  it('an epoch number has one id, epochs are one chain, and one manager brings all nodes to one epoch again', () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = new GroupRun(seed);
      for (let i = 0; i < STEPS; i++) run.step(i);
      run.talk();
      for (const node of run.nodes) run.settle(node);
      for (const node of run.nodes) expect(node.state?.ended, `seed ${seed}`).toBe(false);
      expect(
        [...run.ids.values()].every((ids) => ids.size === 1),
        `seed ${seed}: two ids of one number`,
      ).toBe(true);
      const healed = run.heal();
      expect(healed, `seed ${seed}, n ${run.n}, k ${run.k}`).toBeGreaterThan(0);
      expect(run.isOneChain(), `seed ${seed}`).toBe(true);
    }
  });
});
