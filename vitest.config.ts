import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Packages export their sources under this condition: tests need no build. */
const conditions = ['@symmetra/source'];

/** Most of what tests make is short-lived: room for it saves a tenth of the time (MiB). */
const execArgv = ['--min-semi-space-size=16'];

/** A limit for what hangs, also on a machine that does much else (ms). */
const TIMEOUT = 120_000;

/** What replaces a module must load the sources by itself. */
const MOCKED = ['test/integration/lying-node-*.test.ts', 'test/contract/hardware-unavailable.test.ts'];

/** Batteries, sources and hardware: nothing of crypto and protocol, and counting branches makes them take twice as long. */
const RANDOMNESS = [
  'test/vectors/{conditioning,sp800-*,toeplitz}.test.ts',
  'test/{contract,fuzz}/{battery,entropy,hardware}*.test.ts',
];

/** What takes longest, lest one of them runs alone in the end. A run that has no record of times goes by size. */
const LONG = [
  /\/integration\/(?:fleet|cluster|cluster-hosts|entropy-nodes|entropy-load|logs|group-fleet|processes)\.test\.ts$/,
  /\/simulation\/(?:group|pairwise|system|gate-false-alarms)\.test\.ts$/,
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = (file: TestSpecification): string =>
      `${file.project.name} ${LONG.some((names) => names.test(file.moduleId)) ? 0 : 1}`;
    // oxlint-disable-next-line unicorn/no-array-sort -- it is not that of an array
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => (place(a) < place(b) ? -1 : Number(place(a) > place(b))));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // One more than the cores of a small machine: some tests mostly wait.
    maxWorkers: 3,
    passWithNoTests: false,
    // Where only the first line of a failure is seen, it says all.
    chaiConfig: { truncateThreshold: 0 },
    projects: [
      project(
        'unit',
        ['test/**/*.test.ts'],
        ['test/{simulation,integration,interop}/**', ...RANDOMNESS, ...MOCKED],
      ),
      project('randomness', RANDOMNESS, MOCKED),
      project('simulation', ['test/simulation/**/*.test.ts']),
      project('processes', ['test/{integration,interop}/**/*.test.ts'], MOCKED),
      project('mocked', MOCKED),
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/{crypto,protocol}/src/**'],
      reporter: ['text-summary', 'html'],
      thresholds: { branches: 95 },
    },
  },
});

/** A set of tests that may run by itself (`vitest run --project NAME`). */
function project(name: string, include: string[], exclude: string[] = []) {
  return {
    ssr: { resolve: { conditions } },
    // One process runs many files one after the other and loads the sources once: no test leaves global state behind.
    test: {
      name,
      include,
      exclude,
      isolate: name === 'mocked',
      testTimeout: TIMEOUT,
      hookTimeout: TIMEOUT,
      execArgv,
    },
  };
}
