import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isSkipped } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Fleet } from './sdk-fleet.js';

const program = fileURLToPath(new URL('sdk-full-disk.ts', import.meta.url));
const run = promisify(execFile);

test('a full disk is an error with a name; with room again, the device goes on', async (context) => {
  const fleet = await Fleet.start();
  try {
    const peer = await fleet.join('peer');
    const mount = fleet.state('disk');
    await mkdir(mount);
    const mounting = 'mount -t tmpfs -o size=2m tmpfs "$0"';
    const inPrivate = async (script: string, ...args: readonly string[]) =>
      run('unshare', ['--mount', '--map-root-user', 'sh', '-c', script, mount, ...args], { timeout: 90_000 });
    const isAllowed = await inPrivate(mounting).then(
      () => true,
      () => false,
    );
    context.skip(isSkipped(isAllowed), 'this machine allows no private mount');
    const node = [process.execPath, '--conditions=@symmetra/source', '--import', 'tsx', program];
    const command = [...node, mount, await fleet.token(), peer.id];
    const { stdout } = await inPrivate(`${mounting} && exec "$@"`, ...command);
    expect(JSON.parse(stdout)).toEqual({ full: 'DISK_FULL', withRoom: 'ok' });
  } finally {
    await fleet.stop();
  }
});
