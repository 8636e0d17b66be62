// Writes the TypeScript types of the protobuf messages and services to packages/rpc/src/generated.
// With --check it changes nothing and fails when the committed files are not what it would write.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loaderOptions } from '../packages/rpc/src/loader-options.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'packages', 'rpc', 'src', 'generated');

/** Every file under `folder`, as sorted paths relative to it; none when it does not exist. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function generate(folder: string): void {
  const protos = filesIn(join(root, 'proto')).filter((file) => file.endsWith('.proto'));
  if (protos.length === 0) throw new Error('proto/ holds no .proto file');
  const { keepCase, longs, enums, defaults, oneofs } = loaderOptions;
  execFileSync(
    join(root, 'node_modules', '.bin', 'proto-loader-gen-types'),
    [
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.js',
      `--keepCase=${keepCase}`,
      `--longs=${longs.name}`,
      `--enums=${enums.name}`,
      `--defaults=${defaults}`,
      `--oneofs=${oneofs}`,
      '--includeComments',
      '--includeDirs=proto',
      `--outDir=${folder}`,
      ...protos,
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** The files that differ between two folders, or stand in only one of them. */
function differences(one: string, other: string): string[] {
  const names = new Set([...filesIn(one), ...filesIn(other)]);
  const read = (folder: string, name: string, present: readonly string[]): string | undefined =>
    present.includes(name) ? readFileSync(join(folder, name), 'utf8') : undefined;
  const [inOne, inOther] = [filesIn(one), filesIn(other)];
  return [...names].filter((name) => read(one, name, inOne) !== read(other, name, inOther));
}

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'symmetra-types-'));
  try {
    generate(fresh);
    const stale = differences(fresh, target);
    if (stale.length > 0) {
      console.error(`not what proto/ generates (npm run generate): ${stale.join(', ')}`);
      process.exitCode = 1;
    } else {
      console.log(`${filesIn(fresh).length} generated files are current`);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
} else {
  rmSync(target, { recursive: true, force: true });
  generate(target);
  console.log(`${filesIn(target).length} files written`);
}
