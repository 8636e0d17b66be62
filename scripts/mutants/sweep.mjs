// The sweep: every comparison, boolean operator and number of packages/protocol is changed once.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EQUIVALENT } from './equivalent.mjs';
import { mutationsOf } from './operators.mjs';

/** @typedef {import('./operators.mjs').Mutation} Mutation */
/** @typedef {import('./scratch-copy.mjs').ScratchCopy} ScratchCopy */
/** @typedef {import('./suite-run.mjs').SuiteRunner} SuiteRunner */
/** @typedef {import('./suite-run.mjs').Verdict} Verdict */
/**
 * @typedef {object} SweepOptions
 * @property {string} files only files whose path contains this
 * @property {number} [sample] so many mutations, drawn by the seed; all when absent
 * @property {number} seed
 */
/**
 * @typedef {object} SweepResult
 * @property {number} places how many mutations there are
 * @property {number} ran
 * @property {number} caught by a failing test
 * @property {number} late by a run that did not end in its time
 * @property {number} broken by a test file that could not be loaded, and by nothing else
 * @property {readonly { mutation: Mutation, reason: string }[]} equivalent
 * @property {readonly Mutation[]} survivors
 */

const SOURCES = 'packages/protocol/src';
const SCENARIOS = 'test/scenario/protocol-';
const QUICK_MS = 40_000;
const SIMULATION_MS = 120_000;

/**
 * @param {ScratchCopy} scratch
 * @param {SuiteRunner} runner
 * @param {SweepOptions} options
 * @returns {Promise<SweepResult>}
 */
export async function sweep(scratch, runner, { files, sample, seed }) {
  const sources = readdirSync(join(scratch.directory, SOURCES), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('index.ts'))
    .map((name) => `${SOURCES}/${name}`)
    .filter((file) => file.includes(files))
    .toSorted();
  const all = sources.flatMap((file) => mutationsOf(file, scratch.read(file)));
  const chosen = sample === undefined ? all : draw(all, sample, seed);
  console.log(`${all.length} mutations in ${sources.length} files; ${chosen.length} are run`);
  await checkSound(scratch, runner);

  const count = { caught: 0, late: 0, broken: 0 };
  const equivalent = [];
  const survivors = [];
  for (const [index, mutation] of chosen.entries()) {
    const reason = EQUIVALENT.find((one) => isSame(one, mutation))?.reason;
    const verdict =
      reason === undefined
        ? await judge(scratch, runner, mutation)
        : { kind: /** @type {const} */ ('equivalent') };
    if (runner.stopped) break;
    if (reason !== undefined) equivalent.push({ mutation, reason });
    else if (verdict.kind === 'green') survivors.push(mutation);
    else if (verdict.kind !== 'equivalent') count[verdict.kind] += 1;
    const told = 'test' in verdict ? `: ${verdict.test}` : '';
    const { file, line, from, to, nth } = mutation;
    console.log(`[${index + 1}] ${verdict.kind} ${file}: ${from} -> ${to} (${nth}) in \`${line}\`${told}`);
  }
  return { places: all.length, ran: chosen.length, ...count, equivalent, survivors };
}

/** The folders of sources that scenarios and simulations of the same name exercise. */
const FLOWS = ['enrolment', 'ratchet', 'session', 'pairwise'];

/**
 * The stages from quick to slow: the first that notices ends it.
 * @param {string} file
 * @returns {{ files: string[], titles?: string, budgetMs: number }[]}
 */
function stagesFor(file) {
  const flow = FLOWS.find((name) => file.startsWith(`${SOURCES}/${name}/`));
  const near = flow ?? (file.includes('/control/') ? 'control' : 'session');
  const quick = [
    { files: [SCENARIOS + near, `${SCENARIOS}edges`, 'test/vectors/protocol'], budgetMs: QUICK_MS },
    { files: [SCENARIOS, 'test/fuzz/protocol-', 'test/contract/protocol-'], budgetMs: QUICK_MS * 2 },
  ];
  if (flow === undefined) return quick;
  const simulation = { files: [`test/simulation/${flow}`], titles: 'suite 240 .*, seeds (0|250) to' };
  return [...quick, { ...simulation, budgetMs: SIMULATION_MS }];
}

/** @param {ScratchCopy} scratch @param {SuiteRunner} runner */
async function checkSound({ directory }, runner) {
  for (const stage of stagesFor(`${SOURCES}/ratchet/`)) {
    const verdict = await runner.run({ ...stage, directory, isolate: false });
    if (verdict.kind !== 'green') throw new Error(`the suites fail unchanged: ${JSON.stringify(verdict)}`);
  }
}

/**
 * @param {ScratchCopy} scratch
 * @param {SuiteRunner} runner
 * @param {Mutation} mutation
 * @returns {Promise<Verdict>}
 */
async function judge(scratch, runner, mutation) {
  const { file, at, from, to } = mutation;
  const original = scratch.read(file);
  scratch.write(file, original.slice(0, at) + to + original.slice(at + from.length));
  /** @type {Verdict} */
  let outcome = { kind: 'green' };
  try {
    for (const stage of stagesFor(file)) {
      const verdict = await runner.run({ ...stage, directory: scratch.directory, isolate: false });
      if (verdict.kind === 'caught' || verdict.kind === 'late') return verdict;
      if (verdict.kind === 'broken') outcome = verdict;
    }
    return outcome;
  } finally {
    scratch.write(file, original);
  }
}

/** @param {Omit<Mutation, 'at'>} known @param {Mutation} mutation @returns {boolean} */
function isSame(known, mutation) {
  return (
    known.file === mutation.file &&
    known.line === mutation.line &&
    known.from === mutation.from &&
    known.nth === mutation.nth
  );
}

/**
 * Draws without repetition, the same for one seed (a linear congruence, Numerical Recipes' constants).
 * @param {readonly Mutation[]} all
 * @param {number} count
 * @param {number} seed
 * @returns {readonly Mutation[]}
 */
function draw(all, count, seed) {
  const left = [...all];
  const drawn = [];
  let state = seed >>> 0;
  while (drawn.length < count && left.length > 0) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    drawn.push(...left.splice(Math.floor((state / 2 ** 32) * left.length), 1));
  }
  return drawn;
}
