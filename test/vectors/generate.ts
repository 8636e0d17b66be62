import { writeFileSync } from 'node:fs';
import { suites } from '@symmetra/crypto';
import { vectorFiles } from './protocol/files.js';

/*
 * `npm run vectors`: writes the protocol's test vectors anew. They change only when the wire protocol does, and the
 * test beside them fails until they are committed.
 */
for (const [name, text] of vectorFiles(suites)) {
  writeFileSync(new URL(`protocol/data/${name}`, import.meta.url), text);
}
