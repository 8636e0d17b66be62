// Runs whole simulated systems with new seeds until the time is over:
// `npm run soak -- --minutes N [--workers N] [--from N]`. A seed that fails is told at once, with the command that runs it
// again; the exit code is 1 then. `--from` is the first seed, drawn when it is left out.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ensureInstalled } from './setup.mjs';
import { readOptions } from './usage.mjs';

/** Below it stand the seeds of `npm test`. */
const FIRST_SEED = 1000;
const LAST_SEED = 2 ** 31;
const MINUTE_MS = 60_000;
const RUN = ['--conditions=@symmetra/source', '--import', 'tsx', 'test/simulation/system-soak.ts'];

const options = readOptions(
  'usage: npm run soak [-- --minutes N] [--workers N] [--from N]',
  () =>
    parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        workers: { type: 'string', default: String(availableParallelism()) },
        from: { type: 'string' },
      },
    }).values,
);
const minutes = Number(options.minutes);
const workers = Number(options.workers);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');
if (!Number.isInteger(workers) || workers < 1) throw new Error('--workers takes a whole number above 0');

/** @typedef {{ seeds: number, failed: number, occurrences: Record<string, number> }} Totals */
/** @typedef {{ seed: string, replay: string, reasons: string[] }} Failure */

/**
 * @param {number} first @param {number} until
 * @returns {Promise<Totals>} what one worker saw
 */
async function work(first, until) {
  const child = spawn(process.execPath, [...RUN, String(first), String(workers), String(until)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  /** @type {Totals | undefined} */
  let totals;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = /** @type {Totals | Failure} */ (JSON.parse(line));
    if ('seeds' in told) {
      totals = told;
    } else {
      console.log(`soak: seed ${told.seed} failed; again with: ${told.replay}`);
      for (const reason of told.reasons) console.log(`  ${reason}`);
    }
  }
  if (totals === undefined) throw new Error('a worker ended before its time');
  return totals;
}

await ensureInstalled();
const first = Number(options.from ?? randomInt(FIRST_SEED, LAST_SEED));
const until = Date.now() + minutes * MINUTE_MS;
console.log(`soak: seeds from system/${first}, ${workers} workers, ${minutes} minutes`);
const all = await Promise.all(Array.from({ length: workers }, (_, i) => work(first + i, until)));

/** @type {Record<string, number>} */
const occurred = {};
for (const { occurrences } of all) {
  for (const [name, count] of Object.entries(occurrences)) occurred[name] = (occurred[name] ?? 0) + count;
}
for (const [name, count] of Object.entries(occurred).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(`  ${String(count).padStart(9)}  ${name}`);
}
const seeds = all.reduce((sum, one) => sum + one.seeds, 0);
const failed = all.reduce((sum, one) => sum + one.failed, 0);
console.log(`soak: ${seeds} seeds, ${failed} failures`);
process.exitCode = failed === 0 ? 0 : 1;
