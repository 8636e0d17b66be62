import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquire } from '@symmetra/storage';
import type { Ownership } from '@symmetra/storage';
import { describe, expect, it } from 'vitest';
import { refusal, startProgram, temporaryDirectory } from './store-fixtures.js';

/** Starts a process that claims the directory; what it printed, and the process. */
async function claimant(dir: string): Promise<{ readonly outcome: string; readonly child: ChildProcess }> {
  const child = startProgram(new URL('store-claimant.ts', import.meta.url), [dir]);
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { outcome: line.trim(), child };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

function owned(outcome: Ownership | { readonly ownedBy: number }): Ownership {
  if ('ownedBy' in outcome) throw new Error(`owned by ${outcome.ownedBy}`);
  return outcome;
}

describe('ownership of a directory', () => {
  it('is exclusive until it is released', async () => {
    const dir = await temporaryDirectory();
    const ownership = owned(await acquire(dir));
    expect(await acquire(dir)).toEqual({ ownedBy: process.pid });
    owned(await acquire(dir, 'another-role'));
    await ownership.release();
    await ownership.release();
    owned(await acquire(dir));
    expect((await readdir(dir)).toSorted()).toEqual(['another-role', 'owner']);
  });

  it('tells who has it, and passes on when that process is killed', async () => {
    const dir = await temporaryDirectory();
    const { outcome, child } = await claimant(dir);
    expect(outcome).toBe(`mine ${child.pid}`);
    expect(await acquire(dir)).toEqual({ ownedBy: child.pid });
    await kill(child);
    await owned(await acquire(dir)).release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes to exactly one of many who take it over at once', async () => {
    const dir = await temporaryDirectory();
    for (let round = 0; round < 20; round++) {
      const dead = { pid: 2 ** 22 + 1 + round, claim: `round ${round}` };
      await writeFile(join(dir, 'owner'), JSON.stringify(dead));
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => acquire(dir)));
      const winners = outcomes.filter((outcome) => !('ownedBy' in outcome));
      expect(winners).toHaveLength(1);
      await owned(winners[0]!).release();
    }
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes to exactly one of several processes that take it over at once', async () => {
    const dir = await temporaryDirectory();
    const first = await claimant(dir);
    await kill(first.child);
    const rivals = await Promise.all(Array.from({ length: 4 }, () => claimant(dir)));
    const winners = rivals.filter(({ outcome }) => outcome.startsWith('mine'));
    expect(winners).toHaveLength(1);
    const { pid } = winners[0]!.child;
    const told = rivals.filter(({ outcome }) => outcome.startsWith('owned')).map(({ outcome }) => outcome);
    expect(told).toHaveLength(3);
    expect(await acquire(dir)).toEqual({ ownedBy: pid });
  });

  it('is taken over from a process id that another process has by now', async () => {
    const dir = await temporaryDirectory();
    const ownership = owned(await acquire(dir));
    const claim = JSON.parse(await readFile(join(dir, 'owner'), 'utf8')) as Record<string, unknown>;
    expect(claim).toMatchObject({ pid: process.pid });
    await ownership.release();
    for (const stale of [{ startTime: '1' }, { bootId: 'an earlier boot' }]) {
      await writeFile(join(dir, 'owner'), JSON.stringify({ ...claim, ...stale }));
      await owned(await acquire(dir)).release();
    }
    await writeFile(join(dir, 'owner'), JSON.stringify(claim));
    expect(await acquire(dir)).toEqual({ ownedBy: process.pid });
  });

  it('is taken over from a claim that names no process', async () => {
    const dir = await temporaryDirectory();
    for (const content of ['', 'null', '{}', '{"pid":"1"}', '{"pid":-1}', 'half a cla']) {
      await writeFile(join(dir, 'owner'), content);
      const ownership = owned(await acquire(dir));
      expect(await readFile(join(dir, 'owner'), 'utf8')).toContain(`"pid":${process.pid}`);
      await ownership.release();
    }
  });

  it('is taken over although an earlier taker died half way, and cleans up after it', async () => {
    const dir = await temporaryDirectory();
    const dead = { pid: 2 ** 22 + 1, claim: 'dead' };
    await writeFile(join(dir, 'owner'), JSON.stringify(dead));
    // The guard of that claim, left by a taker that died before it replaced the claim.
    const digest = createHash('sha256').update(JSON.stringify(dead)).digest('hex').slice(0, 32);
    await writeFile(join(dir, `owner.guard-${digest}`), JSON.stringify({ pid: 2 ** 22 + 2, claim: 'taker' }));
    await writeFile(join(dir, 'owner.claim-left'), 'left over');
    const ownership = owned(await acquire(dir));
    expect(await readdir(dir)).toEqual(['owner']);
    await ownership.release();
  });

  it('of a directory that is not there is refused', async () => {
    expect(await refusal(acquire(join(await temporaryDirectory(), 'missing')))).toBe('STORE_FAILED');
  });
});
