// Compiles the WebAssembly of the packages, packages/*/wasm/NAME.wat, to packages/*/src/generated/NAME-wasm.ts, which
// exports the module as base64: `npm run wasm`. With `--check` it writes nothing, and fails when one differs, is
// missing, or has no source any more.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import wabt from 'wabt';
import { root } from './setup.mjs';
import { readOptions } from './usage.mjs';

/** Beyond the first version of WebAssembly: what every Node from 20.19 on has. */
const FEATURES = {
  bulk_memory: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
};

/** @typedef {{ source: string, target: string }} Module both relative to the root */

/** @param {string} folder relative to the root @param {string} ending @returns {string[]} names without the ending */
function namesIn(folder, ending) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .toSorted();
}

/** @type {Module[]} */
const modules = [];
/** @type {string[]} generated files whose source is gone */
const orphans = [];
for (const name of readdirSync(join(root, 'packages')).toSorted()) {
  const [sources, targets] = [`packages/${name}/wasm`, `packages/${name}/src/generated`];
  const found = namesIn(sources, '.wat');
  modules.push(
    ...found.map((module) => ({
      source: `${sources}/${module}.wat`,
      target: `${targets}/${module}-wasm.ts`,
    })),
  );
  const gone = namesIn(targets, '-wasm.ts').filter((module) => !found.includes(module));
  orphans.push(...gone.map((module) => `${targets}/${module}-wasm.ts`));
}

/** @param {Module} module @returns {Promise<string>} the text of the generated file */
async function compile({ source }) {
  const parsed = (await wabt()).parseWat(source, readFileSync(join(root, source), 'utf8'), FEATURES);
  try {
    parsed.validate();
    const { buffer } = parsed.toBinary({});
    const constant = `${source.split('/').at(-1)?.slice(0, -'.wat'.length)}-wasm`
      .replaceAll('-', '_')
      .toUpperCase();
    return [
      `// Generated from ${source} by \`npm run wasm\`.`,
      '',
      `/** The WebAssembly module (${buffer.length} bytes) in base64. */`,
      `export const ${constant} =`,
      `  '${Buffer.from(buffer).toString('base64')}';`,
      '',
    ].join('\n');
  } finally {
    parsed.destroy();
  }
}

/** @param {boolean} check @returns {Promise<boolean>} whether everything is as it should be */
async function build(check) {
  if (modules.length === 0) throw new Error('no packages/*/wasm/*.wat was found');
  const wrong = check ? [...orphans] : [];
  if (!check) for (const path of orphans) rmSync(join(root, path));
  for (const module of modules) {
    const path = join(root, module.target);
    const text = await compile(module);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    if (check) {
      wrong.push(module.target);
    } else {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
      console.log(`wrote ${module.target}`);
    }
  }
  if (wrong.length > 0) console.error(`not what packages/*/wasm compiles to: ${wrong.join(', ')}`);
  else console.log(`modules of WebAssembly up to date: ${modules.length}`);
  return wrong.length === 0;
}

const { check } = readOptions(
  'usage: npm run wasm [-- --check]',
  () => parseArgs({ options: { check: { type: 'boolean', default: false } } }).values,
);

try {
  process.exitCode = (await build(check)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
