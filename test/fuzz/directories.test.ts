import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { osRandomness } from '@symmetra/entropy';
import { startNetwork } from '@symmetra/node';
import { createLogger, systemClock } from '@symmetra/runtime';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, agree } from '../integration/sdk-fleet.js';
import { damages, inflict } from './damage.js';
import type { Damage } from './damage.js';
import { effort } from './effort.js';
import { Opener } from './opener.js';
import type { OpenOrder } from './opener.js';

const PASSPHRASE = 'correct horse battery staple';
const STATE_FILES = ['state.json', 'store/FORMAT', 'store/data.mdb', 'store/data.mdb-lock', 'state.key'];
/** The data file again: LMDB's code is the one that trusts what it maps. */
const DEVICE_FILES = [...STATE_FILES, 'store/data.mdb', 'store/data.mdb'];
const NODE_FILES = ['node-1', 'node-2'].flatMap((id) =>
  ['master.key', 'store/FORMAT', 'store/data.mdb'].map((name) => join('nodes', id, name)),
);
const NETWORK_FILES = ['network.json', 'admin.key', 'root.key', ...NODE_FILES];

/** A stable code, or that all went well. */
const NAMED = /^(?:opened|[A-Z][A-Z0-9_]+)$/;

describe('directories whose files were changed', () => {
  const opener = new Opener();
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-fuzz-'));
    const fleet = await Fleet.start();
    try {
      const alice = await fleet.join('alice');
      const bob = await fleet.join('bob', { listen: true, passphrase: PASSPHRASE });
      await agree(alice, bob);
      await fleet.closeDevices();
      await cp(fleet.state('alice'), join(folder, 'device'), { recursive: true });
      await cp(fleet.state('bob'), join(folder, 'sealed'), { recursive: true });
    } finally {
      await fleet.stop();
    }
    const network = await startNetwork({
      dataDir: join(folder, 'network'),
      nodes: 2,
      threshold: 2,
      port: 0,
      randomness: osRandomness,
      logger: createLogger({ level: 'silent', clock: systemClock }),
      clock: systemClock,
    });
    await network.stop();
  });

  afterAll(async () => {
    await opener.stop();
    // An interrupted property may be removing its last case at this moment.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** What comes of opening a copy of a directory after some damage. */
  const openDamaged = async (
    kind: OpenOrder['kind'],
    original: string,
    all: readonly Damage[],
    passphrase?: string,
  ): Promise<string> => {
    const path = join(folder, `case-${++cases}`);
    await cp(join(folder, original), path, { recursive: true });
    for (const damage of all) await inflict(path, damage);
    const outcome = await opener.open({ kind, path, ...(passphrase !== undefined && { passphrase }) });
    await rm(path, { recursive: true, force: true });
    return outcome;
  };

  test('without damage all of them open', async () => {
    expect(await openDamaged('device', 'device', [])).toBe('opened');
    expect(await openDamaged('device', 'sealed', [], PASSPHRASE)).toBe('opened');
    expect(await openDamaged('network', 'network', [])).toBe('opened');
  });

  test("a device's state opens, or says by name why not", async () => {
    await fc.assert(
      fc.asyncProperty(damages(DEVICE_FILES), async (all) => {
        expect(await openDamaged('device', 'device', all)).toMatch(NAMED);
      }),
      effort(60),
    );
  });

  test('a state under a passphrase opens, or says by name why not', async () => {
    await fc.assert(
      fc.asyncProperty(damages(['passphrase.json']), async (all) => {
        expect(await openDamaged('device', 'sealed', all, PASSPHRASE)).toMatch(NAMED);
      }),
      effort(10),
    );
  });

  test("a network's directory opens, or says by name why not", async () => {
    await fc.assert(
      fc.asyncProperty(damages(NETWORK_FILES), async (all) => {
        expect(await openDamaged('network', 'network', all)).toMatch(NAMED);
      }),
      effort(15),
    );
  });
});
