import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The shape of a package.json as far as the rules of the house look at it. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export const manifestOf = (folder: string): Manifest =>
  JSON.parse(read(join(folder, 'package.json'))) as Manifest;

/** The folder names under packages/. */
export const packageNames: readonly string[] = readdirSync(join(root, 'packages')).toSorted();

/** Everything git tracks or would add, as paths relative to the root; undefined outside a git checkout. */
export function gitFiles(...paths: string[]): string[] | undefined {
  if (!existsSync(join(root, '.git'))) return undefined;
  const listing = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  return [...new Set(listing.split('\0'))]
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .toSorted();
}

/** Every file under `folder`, as paths relative to the root; none when the folder does not exist. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !path.includes('node_modules/') && !path.includes('/dist/'))
    .toSorted();
}

/** Files that a generator wrote: from protobuf, or from the text form of WebAssembly. */
export const isGenerated = (path: string): boolean => /^packages\/[^/]+\/src\/generated\//.test(path);

/** The TypeScript sources of one package, generated ones included. */
export const sourcesOf = (name: string): string[] =>
  filesUnder(`packages/${name}/src`).filter((path) => path.endsWith('.ts'));

/** A module specifier with its file. */
export interface Import {
  readonly file: string;
  readonly specifier: string;
}

// The formatter puts each static import and re-export at the start of a line.
const STATIC_FROM = /^(?:import|export)\s[\w\s{},*$]*?\bfrom\s+['"]([^'"]+)['"]/gm;
const STATIC_BARE = /^import\s+['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every import of a file: static, re-exported, dynamic and in types. */
export function importsOf(file: string): Import[] {
  const text = withoutComments(read(file));
  return [STATIC_FROM, STATIC_BARE, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, specifier = '']) => ({ file, specifier })),
  );
}

/** Counts the imports of a file in another, cruder way, to notice any that {@link importsOf} misses. */
export function countImports(file: string): number {
  const code = withoutComments(read(file));
  const count = (pattern: RegExp): number => code.match(pattern)?.length ?? 0;
  return count(/\bfrom\s+['"][^'"]+['"];?$/gm) + count(/^\s*import\s+['"]/gm) + count(/\bimport\(/g);
}

/** The code of a file without its comments. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
}

/** The package of a bare specifier: `@scope/name` or `name`, without a path inside it. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The file or folder that a relative specifier names, relative to the root. */
export const resolveRelative = ({ file, specifier }: Import): string =>
  normalize(join(dirname(file), specifier));
