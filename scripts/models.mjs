// Runs the models of docs/models and compares what ProVerif says with expected.txt:
// `npm run models -- [MODEL...]`. PROVERIF names the program; otherwise it is looked for on PATH.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const folder = join(root, 'docs', 'models');
const program = process.env['PROVERIF'] ?? 'proverif';

/** Minutes that one model may take; the slowest needs about two. */
const LIMIT_MINUTES = 15;

/**
 * @typedef {object} Expectation what one query of a model gives
 * @property {string} query
 * @property {string} result
 */

/** @returns {Map<string, Expectation[]>} by model, in the order of its queries */
function expectations() {
  /** @type {Map<string, Expectation[]>} */
  const models = new Map();
  for (const line of readFileSync(join(folder, 'expected.txt'), 'utf8').split('\n')) {
    const [model, query, result] = line.split(' ');
    if (!model || !query || !result) continue;
    models.set(model, [...(models.get(model) ?? []), { query, result }]);
  }
  return models;
}

/**
 * @param {string} model
 * @returns {Promise<string[]>} one word for each query: true, false or unproved
 */
function resultsOf(model) {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [join(folder, model)],
      { timeout: LIMIT_MINUTES * 60_000, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout) => {
        if (error) {
          reject(new Error(`${model}: ${program} failed (${String(error.code ?? error.signal)})`));
          return;
        }
        // A line in brackets, "(even event ...", only says more about the query above it.
        const lines = stdout.split('\n').filter((line) => /^RESULT (?!\()/.test(line));
        resolve(lines.map((line) => / is (true|false)\.$/.exec(line)?.[1] ?? 'unproved'));
      },
    );
  });
}

/**
 * @param {Error} error
 * @returns {never}
 */
function fail(error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}

const all = expectations();
const asked = process.argv.slice(2);
const unknown = asked.filter((model) => !all.has(model));
if (unknown.length > 0) fail(new Error(`expected.txt names no model ${unknown.join(', ')}`));

let differences = 0;
for (const [model, queries] of all) {
  if (asked.length > 0 && !asked.includes(model)) continue;
  const results = await resultsOf(model).catch(fail);
  const differing = queries.filter(({ result }, i) => results[i] !== result).map(({ query }) => query);
  if (results.length !== queries.length) differing.push(`${results.length} results`);
  differences += differing.length;
  process.stdout.write(
    differing.length === 0 ? `ok ${model}\n` : `DIFFERS ${model}: ${differing.join(', ')}\n`,
  );
}
if (differences > 0) process.exitCode = 1;
