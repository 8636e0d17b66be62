// Measures the built packages: `npm run bench -- [--only NAME] [--json FILE]`.
import { ensureBuilt, ensureInstalled, run } from './setup.mjs';

await ensureInstalled();
await ensureBuilt();
process.exitCode = await run('node', ['--import', 'tsx', 'test/bench/main.ts', ...process.argv.slice(2)]);
