// Bundles `symmetra` (docs/decisions/0021-bundle.md): the program starts in half the time when it need not look up some
// hundreds of files. The compiled packages stay what libraries are made of.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const packages = join(root, 'packages');
const folder = join(packages, 'cli', 'dist', 'program');
const entry = join(folder, 'symmetra.mjs');

/** Their programs are machine code that they look for beside themselves. */
const NATIVE = ['lmdb', 'koffi', '@serialport/bindings-cpp'];

/** What every chunk begins with: the `require` of CommonJS code, and where the bundled files came from. */
const BANNER = `import { createRequire as symmetraRequire } from 'node:module';
const require = symmetraRequire(import.meta.url);
const symmetraOrigin = (path) => new URL(path, import.meta.url);`;

/**
 * Files find others beside themselves (protobuf files, programs of workers): in the bundle too they look from where
 * they come from. `src/` and `dist/` stand at the same depth.
 * @type {import('esbuild').Plugin}
 */
const origins = {
  name: 'origins',
  setup(bundler) {
    bundler.onLoad({ filter: /\.(?:[cm]?js|ts)$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const loader = path.endsWith('.ts') ? 'ts' : 'js';
      const from = JSON.stringify(relative(folder, path).replaceAll(sep, '/'));
      if (text.includes('import.meta.url')) {
        return { contents: text.replaceAll('import.meta.url', `symmetraOrigin(${from}).href`), loader };
      }
      if (/\b__dirname\b/.test(text)) {
        const here = `require('node:path').dirname(require('node:url').fileURLToPath(symmetraOrigin(${from})))`;
        return { contents: `var __dirname = ${here};${text}`, loader };
      }
      return undefined;
    });
  },
};

/** @param {string} file @returns {number} when it was written; 0 when it is not there */
const writtenAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** @returns {boolean} whether nothing has changed since; the compiler writes its records anew when a source has */
function isFresh() {
  const records = readdirSync(packages).map((name) => join(packages, name, 'dist', '.tsbuildinfo'));
  const inputs = [...records, join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
  return inputs.every((file) => writtenAt(file) <= writtenAt(entry));
}

async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { symmetra: 'packages/cli/src/main.ts' },
    conditions: ['@symmetra/source'],
    external: NATIVE,
    plugins: [origins],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: { js: BANNER },
    sourcemap: 'linked',
    sourcesContent: false,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    write: false,
    logLevel: 'warning',
  });

  // Commands that are started meanwhile find a whole build: what is the same stays, and the entry comes last.
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles.toSorted(
    (a, b) => +(a.path === entry) - +(b.path === entry),
  )) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, contents);
    renameSync(temporary, path);
  }
  const names = new Set(outputFiles.map(({ path }) => basename(path)));
  const former = readdirSync(folder).filter((name) => /\.(?:mjs|map)$/.test(name) && !names.has(name));
  for (const name of former) rmSync(join(folder, name), { force: true });
  const now = new Date();
  utimesSync(entry, now, now);
}

if (!isFresh()) await bundle();
