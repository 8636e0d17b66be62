// Runs seeds of the whole system until the time is over: `npm run soak`. One JSON line for each seed that fails, and one
// with the totals at the end, which scripts/soak.mjs reads.
import { Occurrences } from '@symmetra/testing';
import { replayCommand } from './system-seeds.js';
import { SystemRun } from './system-run.js';

const [first = '0', step = '1', until = '0'] = process.argv.slice(2);
const occurrences = new Occurrences();
let seeds = 0;
let failed = 0;
let current = '';

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function fail(reasons: readonly string[]): void {
  failed += 1;
  tell({ seed: current, replay: replayCommand(current), reasons });
}

process.on('unhandledRejection', (error) => fail([`unhandled: ${String(error)}`]));

for (let number = Number(first); Date.now() < Number(until); number += Number(step)) {
  current = `system/${number}`;
  seeds += 1;
  try {
    const { violations } = await SystemRun.of(current, occurrences);
    if (violations.length > 0) fail(violations.map(({ rule, text }) => `${rule}: ${text}`));
  } catch (error) {
    fail([error instanceof Error ? (error.stack ?? error.message) : String(error)]);
  }
}
tell({ seeds, failed, occurrences: occurrences.all() });
