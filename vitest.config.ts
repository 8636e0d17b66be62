import { defineConfig } from 'vitest/config';

/** Packages export their sources under this condition, so that tests need no build. */
const conditions = ['@symmetra/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    passWithNoTests: false,
    coverage: {
      provider: 'v8',
      include: ['packages/{crypto,protocol}/src/**'],
      reporter: ['text', 'html'],
      thresholds: { branches: 95 },
    },
  },
});
