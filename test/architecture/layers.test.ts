import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  countImports,
  filesUnder,
  gitFiles,
  importsOf,
  isGenerated,
  manifestOf,
  packageNames,
  packageOf,
  read,
  resolveRelative,
  root,
  sourcesOf,
  withoutComments,
} from './source-tree.js';

/** The level of each package; a package imports only levels below its own. */
const LEVELS: Readonly<Record<string, number>> = {
  crypto: 0,
  protocol: 1,
  battery: 1,
  hardware: 1,
  entropy: 2,
  storage: 2,
  bus: 2,
  rpc: 2,
  runtime: 2,
  node: 3,
  sdk: 3,
  cli: 3,
  testing: 4,
};

/** Imports on one level that are allowed all the same. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = { cli: ['node', 'sdk'] };

/** The one package that may import a third-party library; a name ending in `/` stands for a scope. */
const OWNERS: Readonly<Record<string, string>> = {
  '@noble/': 'crypto',
  koffi: 'hardware',
  '@serialport/': 'hardware',
  lmdb: 'storage',
  ioredis: 'storage',
  nats: 'bus',
  '@grpc/': 'rpc',
  pino: 'runtime',
  zod: 'runtime',
  yaml: 'runtime',
  'prom-client': 'runtime',
  commander: 'cli',
};

const SCOPE = '@symmetra/';
const MAX_LINES = 350;
const DRAWER = /^(?:core|types|(?:.*[-_.])?(?:utils?|helpers?|common|shared|misc))$/;

const files = packageNames.flatMap(sourcesOf);
const handWritten = files.filter((file) => !isGenerated(file));
const imports = files.flatMap(importsOf);
const packageOfFile = (file: string): string => file.split('/')[1] ?? '';
const levelOf = (name: string): number => LEVELS[name] ?? Number.NaN;
const ownerOf = (library: string): string | undefined =>
  Object.entries(OWNERS).find(([name]) =>
    name.endsWith('/') ? library.startsWith(name) : library === name,
  )?.[1];

/** The packages and libraries that a package really imports, the files in bin/ included. */
function importedBy(name: string): string[] {
  const programs = filesUnder(`packages/${name}/bin`).filter((file) => file.endsWith('.mjs'));
  const specifiers = [...sourcesOf(name), ...programs].flatMap(importsOf).map((entry) => entry.specifier);
  const bare = specifiers.filter((specifier) => !/^(?:\.|node:)/.test(specifier));
  return [...new Set(bare.map(packageOf))].filter((library) => library !== SCOPE + name).toSorted();
}

describe('this test sees the whole tree', () => {
  test('every package has a level and at least one source file', () => {
    expect(packageNames.length).toBeGreaterThan(0);
    for (const name of packageNames) {
      expect(LEVELS, `level of ${name}`).toHaveProperty(name);
      expect(sourcesOf(name).length, `sources of ${name}`).toBeGreaterThan(0);
    }
  });

  const tracked = gitFiles('packages')?.filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path));
  test.skipIf(tracked === undefined)('the walk finds the files that git knows', () => {
    expect(files.toSorted()).toEqual(tracked);
  });

  test('packages hold no source file of another kind', () => {
    const others = packageNames
      .flatMap((name) => filesUnder(`packages/${name}/src`))
      .filter((path) => !path.endsWith('.ts'));
    expect(others).toEqual([]);
  });

  test('every import of every file is understood', () => {
    expect(imports.length).toBeGreaterThan(0);
    for (const file of files) expect(importsOf(file).length, file).toBe(countImports(file));
  });

  test('no module is loaded past the import statements', () => {
    const hidden = handWritten.filter((file) =>
      /\bcreateRequire\b|\brequire\(/.test(withoutComments(read(file))),
    );
    expect(hidden).toEqual([]);
  });
});

describe('imports', () => {
  test('go down only', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      if (!specifier.startsWith(SCOPE)) return false;
      const [from, to] = [packageOfFile(file), packageOf(specifier).slice(SCOPE.length)];
      return !(levelOf(to) < levelOf(from) || SIDEWAYS[from]?.includes(to) === true);
    });
    expect(wrong).toEqual([]);
  });

  test('stay inside the package when relative, and name a file that exists', () => {
    const wrong = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter((entry) => {
        const target = resolveRelative(entry).replace(/\.js$/, '.ts');
        const home = `packages/${packageOfFile(entry.file)}/src/`;
        return !target.startsWith(home) || !existsSync(join(root, target));
      });
    expect(wrong).toEqual([]);
  });

  test('take a third-party library only in the package that owns it', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      if (/^(?:\.|node:)/.test(specifier) || specifier.startsWith(SCOPE)) return false;
      return ownerOf(packageOf(specifier)) !== packageOfFile(file);
    });
    expect(wrong).toEqual([]);
  });
});

describe('the pure packages', () => {
  const pure = handWritten.filter((file) => ['battery', 'crypto', 'protocol'].includes(packageOfFile(file)));
  const builtins = imports.filter(
    ({ file, specifier }) => pure.includes(file) && specifier.startsWith('node:'),
  );

  test.each(['battery', 'protocol'])('%s imports nothing of Node', (name) => {
    expect(builtins.filter(({ file }) => packageOfFile(file) === name)).toEqual([]);
  });

  test('crypto imports node:crypto in one file and nothing else of Node', () => {
    expect(builtins.map(({ specifier }) => specifier)).toEqual(['node:crypto']);
  });

  const IMPURE =
    /\bDate\b|\bMath\.random\b|\bprocess\.|\bconsole\.|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bgetRandomValues\b|\brandomUUID\b|\bfetch\(/;

  test('have no clock, randomness, timer or output of their own', () => {
    expect(pure.length).toBeGreaterThan(0);
    expect(pure.filter((file) => IMPURE.test(withoutComments(read(file))))).toEqual([]);
  });
});

describe('files', () => {
  test('none is a drawer', () => {
    const places = ['packages', 'test', 'scripts', 'examples', 'proto'].flatMap(filesUnder);
    expect(places.length).toBeGreaterThan(files.length);
    const drawers = places.filter((path) =>
      path.split('/').some((segment) => DRAWER.test(basename(segment).replace(/(?:\.test)?\.[a-z]+$/, ''))),
    );
    expect(drawers).toEqual([]);
  });

  test(`none is longer than ${MAX_LINES} lines`, () => {
    const long = handWritten
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });
});

describe.each(packageNames)('package %s', (name) => {
  const declared = Object.keys({
    ...manifestOf(`packages/${name}`).dependencies,
    ...manifestOf(`packages/${name}`).optionalDependencies,
  }).toSorted();

  test('declares exactly the dependencies that it imports', () => {
    expect(declared).toEqual(importedBy(name));
  });

  test('references exactly the packages that it depends on', () => {
    const config = read(`packages/${name}/tsconfig.json`);
    const references = [...config.matchAll(/"path":\s*"\.\.\/([^"]+)"/g)].map(([, path]) => SCOPE + path);
    expect(references.toSorted()).toEqual(declared.filter((library) => library.startsWith(SCOPE)));
  });

  test('is built by the solution and known to the tests', () => {
    expect(read('tsconfig.json')).toContain(`"packages/${name}"`);
    expect(read('test/tsconfig.json')).toContain(`"../packages/${name}"`);
  });
});
