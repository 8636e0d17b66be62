// `npm test`: everything that must hold, in one run. `npm run check` (--fast): the same without the
// tests that simulate at length or start processes; the gate before each commit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, run } from './setup.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { readResults } from './test-results.mjs';

/** @typedef {{ name: string, command: readonly [string, ...string[]], yields?: boolean }} Step */
/** @typedef {readonly [Step, ...Step[]]} Lane one after the other */
/** @typedef {readonly [Lane, ...Lane[]]} Stage side by side */
/** @typedef {{ name: string, healthy: boolean, seconds: number }} Outcome */

const fast = process.argv.includes('--fast');
const scratch = mkdtempSync(join(tmpdir(), 'symmetra-verify-'));

/** @param {string} script of package.json @returns {Step['command']} */
const npm = (script) => ['npm', 'run', '--silent', script];

/** @type {string[]} */
const resultFiles = [];
let interrupted = false;

/**
 * A run of tests whose results are counted.
 * @param {string} name
 * @param {readonly string[]} projects
 * @param {...string} options
 * @returns {Step}
 */
function tests(name, projects, ...options) {
  const resultFile = join(scratch, `${resultFiles.length}.json`);
  resultFiles.push(resultFile);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  const chosen = projects.map((project) => `--project=${project}`);
  // Real servers and processes race with whatever else the machine does: what failed is run once more.
  return { name, command: ['vitest', 'run', '--retry=1', ...chosen, ...options, ...reporters] };
}

/**
 * What is done, stage by stage. The lanes of a stage run side by side: few checks use more than one core, and while
 * processes wait for one another, simulations compute.
 * @type {readonly Stage[]}
 */
const stages = [
  [
    [
      { name: 'types', command: npm('build') },
      { name: 'lint', command: npm('lint') },
      { name: 'proto lint', command: npm('proto') },
      { name: 'generated types', command: npm('generate:check') },
      { name: 'WebAssembly', command: [...npm('wasm'), '--', '--check'] },
      { name: 'unused code', command: npm('unused') },
    ],
    [{ name: 'format', command: npm('format:check') }],
  ],
  [[tests('tests, with the coverage of crypto and protocol', ['unit'], '--coverage')]],
  fast
    ? [[tests('tests of randomness', ['randomness'])]]
    : [
        [tests('processes and randomness', ['mocked', 'processes', 'randomness'])],
        [{ ...tests('simulations', ['simulation'], '--maxWorkers=2'), yields: true }],
      ],
];
const steps = stages.flat(2);

/**
 * Does the steps of a lane, one after the other.
 * @param {Lane} lane
 * @param {(output: string | Buffer) => void} [hold] takes what they write; without it, that is shown at once
 * @returns {Promise<Outcome[]>}
 */
async function perform(lane, hold) {
  const outcomes = [];
  for (const { name, command, yields = false } of lane) {
    const [program, ...args] = command;
    const heading = `\n[${steps.findIndex((step) => step.name === name) + 1}/${steps.length}] ${name}\n`;
    if (hold === undefined) process.stdout.write(heading);
    else hold(heading);
    const start = performance.now();
    const code = await run(program, args, { yields, ...(hold !== undefined && { hold }) });
    if (interrupted) return [];
    outcomes.push({ name, healthy: code === 0, seconds: (performance.now() - start) / 1000 });
  }
  return outcomes;
}

/**
 * Does the lanes of a stage side by side. The first is shown at once, the others when it has ended.
 * @param {Stage} stage
 * @returns {Promise<Outcome[]>}
 */
async function performStage([shown, ...others]) {
  const held = others.map((lane) => {
    /** @type {(string | Buffer)[]} */
    const output = [];
    return { output, ended: perform(lane, (part) => output.push(part)) };
  });
  const outcomes = await perform(shown);
  for (const { output, ended } of held) {
    outcomes.push(...(await ended));
    for (const part of output) process.stdout.write(part);
  }
  return outcomes;
}

/** @returns {Promise<boolean>} whether everything holds */
async function verify() {
  ensureSystemPackages();
  await ensureInstalled();
  const stop = () => {
    interrupted = true;
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);

  const outcomes = [];
  for (const stage of stages) {
    outcomes.push(...(await performStage(stage)));
    if (interrupted) return false;
  }

  const { passed, failed, skipped, failures, repeated } = readResults(resultFiles);
  console.log();
  for (const { name, healthy, seconds } of outcomes) {
    console.log(`${healthy ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  }
  if (passed + failed === 0) console.log('no test ran');
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  for (const test of repeated) console.log(`\nonly when it was run once more: ${test}`);
  for (const test of failures) console.log(`\nFAILED ${test}`);
  return outcomes.every(({ healthy }) => healthy) && passed > 0 && failed === 0;
}

try {
  process.exitCode = (await verify()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
