import { type Suite, suites } from '@symmetra/crypto';
import { CHEAP_SUITE_ID, Occurrences, cheapSuite } from '@symmetra/testing';
import { expect, test } from 'vitest';

/** Seeds of one flow: of the cheap suite, and of each suite of the protocol. */
export interface SeedCounts {
  readonly cheap: number;
  readonly real: number;
}

/** How the 15,000 seeds are spread over the flows; the totals are asserted in `seeds.test.ts`. */
export const SEEDS = {
  enrolment: { cheap: 2400, real: 105 },
  introduction: { cheap: 400, real: 20 },
  ratchet: { cheap: 2500, real: 125 },
  session: { cheap: 2000, real: 125 },
  pairwise: { cheap: 1200, real: 125 },
  group: { cheap: 4964, real: 12 },
} as const satisfies Record<string, SeedCounts>;

/** So many fit into the time of one test many times over. */
const SEEDS_PER_TEST = 250;

export type Flow = keyof typeof SEEDS;

/** One run: everything in it follows from the seed's text. */
export interface Run {
  readonly seed: string;
  readonly suite: Suite;
  readonly occurrences: Occurrences;
}

const chosen = process.env['SIM_SEED'];

/**
 * Runs every seed of a flow, then asks that everything in `expected` really occurred. A seed that fails prints the
 * command that runs it alone.
 */
export function simulate(flow: Flow, expected: readonly string[], run: (run: Run) => void): void {
  const occurrences = new Occurrences();
  const own = chosen?.startsWith(`${flow}/`) === true ? chosen : undefined;

  for (const suite of [cheapSuite, ...suites.ids().map((id) => suites.get(id))]) {
    const count = suite.id === CHEAP_SUITE_ID ? SEEDS[flow].cheap : SEEDS[flow].real;
    for (let from = 0; from < count; from += SEEDS_PER_TEST) {
      const last = Math.min(from + SEEDS_PER_TEST, count) - 1;
      const seeds = Array.from({ length: last - from + 1 }, (_, i) => `${flow}/${suite.id}/${from + i}`);
      const wanted = chosen === undefined ? seeds : seeds.filter((seed) => seed === own);
      test.skipIf(wanted.length === 0)(
        `${flow}: suite ${suite.id} (${suite.name}), seeds ${from} to ${last}`,
        () => {
          const before = occurrences.count('run');
          for (const seed of wanted) {
            replayable(flow, seed, () => {
              run({ seed, suite, occurrences });
              occurrences.note('run');
            });
          }
          expect(occurrences.count('run')).toBe(before + wanted.length);
        },
      );
    }
  }

  test.skipIf(chosen !== undefined)(`${flow}: every fault, crash point and transition occurred`, () => {
    expect({ missing: occurrences.missing(expected), of: occurrences.all() }).toMatchObject({ missing: [] });
  });
}

function replayable(flow: Flow, seed: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const command = `SIM_SEED=${seed} npx vitest run --project simulation test/simulation/${flow}.test.ts`;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed} failed: ${reason}\nreplay it with: ${command}`, { cause: error });
  }
}
