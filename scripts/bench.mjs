// Measures the built packages: `npm run bench -- [--only NAME] [--cluster] [--json FILE]`.
import { ensureBuilt, ensureInstalled, run } from './setup.mjs';

await ensureInstalled();
await ensureBuilt();
const built = await run('tsc', ['-b', 'packages/testing']);
process.exitCode =
  built === 0
    ? await run('node', ['--import', 'tsx', 'test/bench/main.ts', ...process.argv.slice(2)])
    : built;
