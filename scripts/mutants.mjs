// Plants bugs in a copy of the checkout, one at a time, and asks that the tests notice:
// `npm run mutants -- [--only NAME ... | --group NAME]`,
// `npm run mutants -- --sweep [--files TEXT] [--sample N] [--seed N]`.
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from './setup.mjs';
import { writePlanted, writeSweep } from './mutants/document.mjs';
import { GROUPS, PLANTED, plant } from './mutants/planted.mjs';
import { ScratchCopy } from './mutants/scratch-copy.mjs';
import { SuiteRunner } from './mutants/suite-run.mjs';
import { sweep } from './mutants/sweep.mjs';
import { readOptions } from './usage.mjs';

/** @typedef {import('./mutants/planted.mjs').Mutant} Mutant */
/** @typedef {import('./mutants/document.mjs').Caught} Caught */

const BUDGET_MS = 180_000;

const options = readOptions(
  `usage: npm run mutants [-- --only NAME ... | --group ${Object.keys(GROUPS).join('|')} | --sweep [--files TEXT] [--sample N] [--seed N]]`,
  () =>
    parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        group: { type: 'string' },
        sweep: { type: 'boolean', default: false },
        files: { type: 'string', default: '' },
        sample: { type: 'string' },
        seed: { type: 'string', default: '1' },
      },
    }).values,
);

/**
 * Plants the bugs of the list, or of one group; the document gets the rows of those that were caught.
 * @param {ScratchCopy} scratch
 * @param {SuiteRunner} runner
 * @returns {Promise<boolean>} whether each bug was caught
 */
async function runPlanted(scratch, runner) {
  const { only, group } = options;
  const listed = group === undefined ? PLANTED : (GROUPS[group] ?? []);
  const chosen = listed.filter(({ name }) => only === undefined || only.includes(name));
  if (chosen.length === 0) throw new Error('there is no mutant of that name or group');
  for (const mutant of PLANTED) plant(mutant, scratch.read(mutant.file));

  const { directory } = scratch;
  const suites = [...new Set(chosen.flatMap((mutant) => mutant.suites))];
  console.log(`without a mutant: ${suites.length} test files`);
  const sound = await runner.run({ directory, files: suites, budgetMs: suites.length * BUDGET_MS });
  if (sound.kind !== 'green') throw new Error(`the suites fail without a mutant: ${JSON.stringify(sound)}`);

  /** @type {Caught[]} */
  const caught = [];
  for (const mutant of chosen) {
    const original = scratch.read(mutant.file);
    scratch.write(mutant.file, plant(mutant, original));
    const verdict = await runner.run({ directory, files: mutant.suites, budgetMs: BUDGET_MS });
    scratch.write(mutant.file, original);
    if (runner.stopped) return false;
    if (verdict.kind === 'caught') caught.push({ mutant, test: verdict.test, file: verdict.file });
    const told = verdict.kind === 'caught' ? verdict.test : JSON.stringify(verdict);
    console.log(`${verdict.kind === 'caught' ? 'caught  ' : 'NOT CAUGHT'} ${mutant.name}: ${told}`);
  }
  console.log(`\n${caught.length} of ${chosen.length} caught`);
  await writePlanted(chosen, caught);
  return caught.length === chosen.length;
}

/**
 * @param {ScratchCopy} scratch
 * @param {SuiteRunner} runner
 * @returns {Promise<boolean>} whether each mutation was caught, or is known to change nothing
 */
async function runSweep(scratch, runner) {
  const { files, sample, seed } = options;
  const result = await sweep(scratch, runner, {
    files,
    seed: Number(seed),
    ...(sample !== undefined && { sample: Number(sample) }),
  });
  if (runner.stopped) return false;
  const { ran, caught, late, broken, equivalent, survivors } = result;
  console.log(
    `\n${ran} mutations: ${caught} caught, ${late} ran too long, ${broken} kept a test file from loading`,
  );
  console.log(`${equivalent.length} equivalent, ${survivors.length} survived`);
  if (files === '') await writeSweep(result);
  return survivors.length === 0;
}

const runner = new SuiteRunner();
/** @type {ScratchCopy | undefined} */
let scratch;
const stop = () => runner.stop();
process.once('SIGINT', stop).once('SIGTERM', stop);
try {
  await ensureInstalled();
  await ensureBuilt();
  scratch = new ScratchCopy();
  const healthy = options.sweep ? await runSweep(scratch, runner) : await runPlanted(scratch, runner);
  process.exitCode = healthy ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  scratch?.remove();
}
