// Fuzzes with fresh seeds until the time is over: `npm run fuzz -- --minutes N [--only TEXT] [--seed N]`. TEXT is a part
// of a test file's name in test/fuzz. Each round says its seed; `--seed` repeats one round.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ensureInstalled, run } from './setup.mjs';
import { readOptions } from './usage.mjs';

/** How many times as many cases a round has as `npm test`. */
const FACTOR = 10;
const MAX_SEED = 2 ** 31 - 1;
const MINUTE_MS = 60_000;

const options = readOptions(
  'usage: npm run fuzz [-- --minutes N] [--only FILE] [--seed N]',
  () =>
    parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        only: { type: 'string', default: '' },
        seed: { type: 'string' },
      },
    }).values,
);

const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');

/** @param {number} seed @param {number} until @returns {Promise<number>} the exit code of one round */
async function round(seed, until) {
  console.log(`\nfuzz: round with seed ${seed}`);
  Object.assign(process.env, { FUZZ_SEED: seed, FUZZ_FACTOR: FACTOR, FUZZ_UNTIL: until });
  const code = await run('vitest', [
    'run',
    '--project=unit',
    '--project=randomness',
    '--reporter=dot',
    `test/fuzz/${options.only}`,
  ]);
  if (code !== 0) {
    const only = options.only === '' ? '' : ` --only ${options.only}`;
    console.log(`\nfuzz: something broke; again with: npm run fuzz --${only} --seed ${seed}`);
  }
  return code;
}

await ensureInstalled();
const until = Date.now() + minutes * MINUTE_MS;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
let rounds = 0;
do {
  process.exitCode = await round(Number(options.seed ?? randomInt(MAX_SEED)), until);
  rounds += 1;
} while (process.exitCode === 0 && options.seed === undefined && !stop.signal.aborted && Date.now() < until);
console.log(`\nfuzz: ${rounds} rounds`);
