#!/usr/bin/env node
// Starts `symmetra`: the bundle; where that is missing or older than what was compiled, the compiled packages; else,
// inside the repository, the sources through tsx.
import { existsSync, statSync } from 'node:fs';
import { register } from 'node:module';

const bundle = new URL('../dist/program/symmetra.mjs', import.meta.url);
const built = new URL('../dist/main.js', import.meta.url);
/** The compiler touches it whenever this package or one below it has changed. */
const compiled = new URL('../dist/.tsbuildinfo', import.meta.url);
const source = new URL('../src/main.ts', import.meta.url);

/** The condition under which our packages resolve to their sources. */
const CONDITION = '@symmetra/source';

/** A resolver that adds the condition to whatever Node resolves. */
const RESOLVER = `export const resolve = (specifier, context, next) =>
  next(specifier, { ...context, conditions: ['${CONDITION}', ...context.conditions] });`;

/** The compiler that the repository installs for its developers. An installed package neither has it nor needs it. */
const COMPILER = 'tsx/esm/api';

/** @returns {string | undefined} where it stands */
function findCompiler() {
  try {
    return import.meta.resolve(COMPILER);
  } catch {
    return undefined;
  }
}

/** @param {URL} file @returns {number} when it was written; 0 when it is not there */
const writtenAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const program = existsSync(bundle) && writtenAt(bundle) >= writtenAt(compiled) ? bundle : built;
const wantsSource = process.execArgv.includes(`--conditions=${CONDITION}`);

if (existsSync(program) && !wantsSource) {
  await import(program.href);
} else {
  const found = existsSync(source) ? findCompiler() : undefined;
  if (found === undefined) {
    console.error('NOT_BUILT: this copy of symmetra is not built; run `npm ci` and `npm run build` first');
    process.exitCode = 1;
  } else {
    register(`data:text/javascript,${encodeURIComponent(RESOLVER)}`);
    const compiler = /** @type {{ register: () => void }} */ (await import(found));
    compiler.register();
    await import(source.href);
  }
}
