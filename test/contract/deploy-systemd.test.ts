import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNodeConfig } from '@symmetra/runtime/configuration';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandFaults, root, textOf } from './deploy-files.js';

const FOLDER = 'deploy/systemd';
const ANALYZER = 'systemd-analyze';
const UNIT = 'symmetra-node@.service';
/** Tenths: 2.0 of 10. */
const THRESHOLD = 20;

const isThere = spawnSync(ANALYZER, ['--version'], { stdio: 'ignore' }).status === 0;
const isSkipped = !isThere && process.env['CI'] !== 'true';

const scratch = mkdtempSync(join(tmpdir(), 'symmetra-units-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The settings of a unit, by name; those of the section [Unit] too. */
async function settingsOf(file: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const line of (await textOf(`${FOLDER}/${file}`)).split('\n')) {
    const [, name, value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

const settings = await settingsOf(UNIT);
const [start = ''] = settings.get('ExecStart') ?? [];
const environment = Object.fromEntries(
  (settings.get('Environment') ?? []).map((text) => {
    const [name = '', ...value] = text.split('=');
    return [
      name,
      value.join('=').replace('%S', '/var/lib').replace('%d', '/run/credentials').replace('%i', 'node-1'),
    ];
  }),
);

describe('the unit of a node', () => {
  it('starts a command that there is', async () => {
    expect(await commandFaults(start.split(' '))).toEqual([]);
    expect(start).toMatch(/^\/usr\/bin\/node \/opt\/symmetra\//);
    expect(start).toContain(`--config ${(settings.get('ConditionPathExists') ?? [])[0]}`);
  });

  it('sets what the configuration knows, over the sample beside it', async () => {
    const config = await readNodeConfig(join(root, FOLDER, 'node.yaml'), environment);
    expect(config).toMatchObject({
      node: 'node-1',
      data: '/var/lib/symmetra/node-1',
      masterKeyFile: '/run/credentials/master.key',
      bus: { nkeySeedFile: '/run/credentials/nkey.seed' },
    });
    expect(settings.get('StateDirectory')).toEqual(['symmetra/%i']);
  });

  it('hands over the very secrets that the sample names', async () => {
    const { masterKeyFile, bus } = await readNodeConfig(join(root, FOLDER, 'node.yaml'));
    const loaded = (settings.get('LoadCredential') ?? []).map((text) => text.replace('%i', 'node-1'));
    expect(loaded).toEqual([`master.key:${masterKeyFile}`, `nkey.seed:${bus.nkeySeedFile}`]);
  });

  it('gives the node longer to end than it takes', () => {
    expect(settings.get('TimeoutStopSec')).toEqual(['30s']);
    expect(settings.get('KillMode')).toEqual(['mixed']);
  });
});

describe.skipIf(isSkipped)('systemd-analyze', () => {
  const NODE = UNIT.replace('@', '@node-1');
  // Our units, and those of the distribution that ours change, where they are there.
  beforeAll(() => {
    cpSync(join(root, FOLDER), scratch, { recursive: true });
    cpSync(join(root, FOLDER, UNIT), join(scratch, NODE));
    for (const name of ['nats-server.service', 'redis-server@.service']) {
      const places = ['/lib/systemd/system', '/usr/lib/systemd/system'].map((folder) => join(folder, name));
      const path = places.find((place) => existsSync(place));
      if (path !== undefined) cpSync(path, join(scratch, name), { dereference: true });
    }
  });

  const analyze = (...args: readonly string[]) =>
    spawnSync(ANALYZER, args, {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${scratch}:`, SYSTEMD_COLORS: '0' },
    });

  it(`finds the unit of a node exposed to ${THRESHOLD / 10} at most`, () => {
    const { status, stdout, stderr } = analyze(
      'security',
      '--offline=true',
      '--no-pager',
      `--threshold=${THRESHOLD}`,
      join(scratch, UNIT),
    );
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    const [, level = '10'] = /Overall exposure level for \S+: (\d+\.\d)/.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThanOrEqual(THRESHOLD / 10);
  });

  it('notices a unit that is more exposed', () => {
    const { status } = analyze('security', '--offline=true', '--threshold=10', join(scratch, UNIT));
    expect(status).not.toBe(0);
  });

  it('understands the unit of a node, and those of NATS and Redis as changed by ours', () => {
    // Verified units name programs: those of the image and of the distribution.
    const names = [NODE, 'nats-server.service', 'redis-server@node-1.service'];
    const { stderr } = analyze('verify', '--man=no', ...names);
    const ours = stderr.split('\n').filter((line) => /symmetra|nats|redis/.test(line));
    expect(ours.filter((line) => !/Command \S+ is not executable/.test(line))).toEqual([]);
  });

  it('notices a setting that there is not', () => {
    const unit = join(scratch, 'wrong.service');
    writeFileSync(unit, '[Service]\nExecStart=/bin/true\nProtectSystems=yes\n');
    expect(analyze('verify', '--man=no', unit).stderr).toContain('ProtectSystems');
  });
});
