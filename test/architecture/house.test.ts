import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitFiles, type Manifest, manifestOf, packageNames, read, root } from './source-tree.js';

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const folders = ['.', ...packageNames.map((name) => `packages/${name}`)];
const rootManifest = manifestOf('.');

const pins = (manifest: Manifest): [string, string][] =>
  [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((group) =>
    Object.entries(group ?? {}),
  );

describe.each(folders)('the manifest of %s', (folder) => {
  const manifest = manifestOf(folder);

  test('pins every dependency exactly', () => {
    expect(pins(manifest).filter(([, version]) => !EXACT.test(version))).toEqual([]);
  });

  test('is private, a module, and for the same engines as the root', () => {
    expect(manifest).toMatchObject({ private: true, type: 'module' });
    expect(manifest.engines?.['node']).toMatch(/^>=20\.19/);
    expect(manifest.engines).toEqual(rootManifest.engines);
  });
});

test('one version of each dependency in all manifests', () => {
  const versions = new Map<string, string>();
  const conflicts = folders
    .flatMap((folder) => pins(manifestOf(folder)))
    .filter(([name, version]) => {
      const first = versions.get(name) ?? version;
      versions.set(name, first);
      return version !== first;
    });
  expect(versions.size).toBeGreaterThan(0);
  expect(conflicts).toEqual([]);
});

describe('the lockfile', () => {
  test('names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
    expect(read('.npmrc')).not.toMatch(/registry\s*=|_auth/i);
  });

  test('knows the checksum of every package that is installed', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { integrity?: string; link?: boolean }>;
    };
    const installed = Object.entries(packages).filter(
      ([path, entry]) => path.includes('node_modules/') && entry.link !== true,
    );
    expect(installed.length).toBeGreaterThan(0);
    expect(installed.filter(([, entry]) => entry.integrity?.startsWith('sha512-') !== true)).toEqual([]);
  });
});

describe('the checkout', () => {
  const tracked = gitFiles();

  test.skipIf(tracked === undefined)('holds no path of the machine that made it', () => {
    const homes = ['work', 'root', 'home', 'Users'].join('|');
    const machinePath = new RegExp(`(?<![\\w.@~-])/(?:${homes})/\\w`);
    expect(tracked?.length).toBeGreaterThan(0);
    const guilty = (tracked ?? []).filter((path) => {
      const bytes = readFileSync(join(root, path));
      return !bytes.includes(0) && machinePath.test(bytes.toString('utf8'));
    });
    expect(guilty).toEqual([]);
  });

  test.skipIf(tracked === undefined)('holds nothing that a build makes', () => {
    const built = (tracked ?? []).filter((path) =>
      /(?:^|\/)(?:dist|node_modules|coverage)\/|\.tsbuildinfo$/.test(path),
    );
    expect(built).toEqual([]);
  });
});
