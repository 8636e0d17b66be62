import { DOCUMENTS, GROUP_DOCUMENT, writeTable } from './collusion-documents.js';
import { GROUP_ROWS, renderGroupTable } from './collusion-groups.js';
import { COLUMNS, ROWS, renderTable, runCell, verdictOf } from './collusion-table.js';

/*
 * `npm run collusion`: runs every coalition and writes what came of it into the documents. The test beside it fails
 * while they say anything else.
 */
const verdicts = ROWS.map((row) => COLUMNS.map((column) => verdictOf(runCell(row, column))));
for (const document of DOCUMENTS) writeTable(document, renderTable(verdicts));
writeTable(GROUP_DOCUMENT, renderGroupTable(GROUP_ROWS.map(({ run }) => run())), 'group collusion table');
