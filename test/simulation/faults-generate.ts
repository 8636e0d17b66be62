import { faultCases } from './faults-cases.js';
import { runFault } from './faults-run.js';
import { renderTables, tablesInDocument, writeTables } from './faults-table.js';
import type { FaultRow } from './faults-table.js';

/*
 * `npm run faults`: injects every fault into every source that can have it, and writes what came of it into
 * docs/entropy/faults.md. With `--check` it writes nothing and fails when the document says anything else.
 */
const rows: FaultRow[] = [];
for (const fault of faultCases()) rows.push({ fault, outcome: await runFault(fault) });
const tables = renderTables(rows);
if (!process.argv.includes('--check')) writeTables(tables);
else if (tables !== tablesInDocument()) {
  process.stderr.write('docs/entropy/faults.md does not say what came of the faults: npm run faults\n');
  process.exitCode = 1;
}
