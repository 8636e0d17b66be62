#!/usr/bin/env node
// Starts `symmetra`: the build when there is one, else, inside the repository, the sources through tsx.
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
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

const wantsSource = process.execArgv.includes(`--conditions=${CONDITION}`);

if (existsSync(fileURLToPath(built)) && !wantsSource) {
  await import(built.href);
} else {
  const found = existsSync(fileURLToPath(source)) ? findCompiler() : undefined;
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
