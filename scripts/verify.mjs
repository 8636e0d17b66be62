// `npm test`: everything that must hold, in one run. `npm run check` (--fast): the same without the
// tests that simulate at length or start processes; the gate before each commit.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, run } from './setup.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

/** @typedef {{ name: string, command: readonly [string, ...string[]] }} Step */
/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile */

const fast = process.argv.includes('--fast');
const scratch = mkdtempSync(join(tmpdir(), 'symmetra-verify-'));

/** @param {string} script of package.json @returns {Step['command']} */
const npm = (script) => ['npm', 'run', '--silent', script];

/** @type {string[]} */
const resultFiles = [];

/** @param {string} name @param {...string} options @returns {Step} a run of tests whose results are counted */
function tests(name, ...options) {
  const resultFile = join(scratch, `${resultFiles.length}.json`);
  resultFiles.push(resultFile);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  // Real servers and processes race with whatever else the machine does: what failed is run once more.
  return { name, command: ['vitest', 'run', '--retry=1', ...options, ...reporters] };
}

/** @type {readonly Step[]} */
const steps = [
  { name: 'types', command: npm('build') },
  { name: 'lint', command: npm('lint') },
  { name: 'format', command: npm('format:check') },
  { name: 'proto lint', command: npm('proto') },
  { name: 'generated types', command: npm('generate:check') },
  { name: 'WebAssembly', command: [...npm('wasm'), '--', '--check'] },
  { name: 'unused code', command: npm('unused') },
  tests('tests, with the coverage of crypto and protocol', '--project=unit', '--coverage'),
  fast
    ? tests('tests of randomness', '--project=randomness')
    : tests(
        'randomness, simulations and processes',
        ...['randomness', 'simulation', 'processes', 'mocked'].map((project) => `--project=${project}`),
      ),
];

/** @returns {Totals} what the test run itself reports; a file that could not be loaded counts as a failure */
function totals() {
  const testResults = resultFiles.flatMap(
    (file) => /** @type {{ testResults: TestFile[] }} */ (JSON.parse(readFileSync(file, 'utf8'))).testResults,
  );
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const file of testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    for (const status of statuses) {
      count[status === 'passed' || status === 'failed' ? status : 'skipped'] += 1;
    }
    if (file.status === 'failed' && !statuses.includes('failed')) count.failed += 1;
  }
  return count;
}

/** @returns {Promise<boolean>} whether everything holds */
async function verify() {
  ensureSystemPackages();
  await ensureInstalled();
  let interrupted = false;
  const stop = () => {
    interrupted = true;
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);

  const summary = [];
  let healthy = true;
  for (const [index, { name, command }] of steps.entries()) {
    const [program, ...args] = command;
    console.log(`\n[${index + 1}/${steps.length}] ${name}`);
    const start = performance.now();
    const code = await run(program, args);
    if (interrupted) return false;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    summary.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
    healthy &&= code === 0;
  }

  const { passed, failed, skipped } = totals();
  console.log(`\n${summary.join('\n')}`);
  if (passed + failed === 0) console.log('no test ran');
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return healthy && passed > 0 && failed === 0;
}

try {
  process.exitCode = (await verify()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
