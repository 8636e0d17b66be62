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

/** @returns {string | undefined} where the compiler stands that the repository installs for its developers */
function findTsx() {
  try {
    return import.meta.resolve('tsx/esm/api');
  } catch {
    return undefined;
  }
}

const wantsSource = process.execArgv.includes(`--conditions=${CONDITION}`);

if (existsSync(fileURLToPath(built)) && !wantsSource) {
  await import(built.href);
} else {
  const tsx = existsSync(fileURLToPath(source)) ? findTsx() : undefined;
  if (tsx === undefined) {
    console.error('NOT_BUILT: this copy of symmetra is not built; run `npm ci` and `npm run build` first');
    process.exitCode = 1;
  } else {
    register(`data:text/javascript,${encodeURIComponent(RESOLVER)}`);
    const compiler = /** @type {{ register: () => void }} */ (await import(tsx));
    compiler.register();
    await import(source.href);
  }
}
