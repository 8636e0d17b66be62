import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RestartAssessment } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';
import { ESV_SAMPLES, RESTARTS, batteriesHere } from '@symmetra/entropy';
import type { CollectionOptions, NoiseSource, SourceDescription } from '@symmetra/entropy';
import { afterAll, describe, expect, it } from 'vitest';
import {
  ESV_SIZES,
  assessBundle,
  collectBundle,
  writeBundle,
} from '../../packages/cli/src/entropy/bundle.js';
import type { BundleBatteries } from '../../packages/cli/src/entropy/threaded-batteries.js';
import { goodBytes } from '../contract/battery-data.js';
import { refusal } from './cli-inside.js';
import { Bench } from './cli-program.js';
import { Yaml, physicalFile } from './entropy-yaml.js';

const bench = new Bench();
const yaml = new Yaml(bench);
afterAll(async () => bench.end());

const SMALL = { samples: 10_000, restarts: 20 };
const description: SourceDescription = {
  name: 'card',
  kind: 'file',
  physical: true,
  quantum: false,
  simulated: false,
  raw: true,
  bitsPerSample: 4,
  minEntropyPerSample: 3,
};
const REFUSED: RestartAssessment = {
  verdict: 'sanity-check-failed',
  minEntropy: 0,
  initialEntropy: 3.6,
  sanityCheck: { passed: false, alpha: 1e-6, cutoff: 300, highestInRow: 301, highestInColumn: 91 },
};

/** A source that can be started anew: the n-th start gives the n-th sequence of samples of four bits. */
class Restartable {
  opened = 0;
  closed = 0;
  failing = false;

  readonly open = (): NoiseSource => {
    this.opened += 1;
    const sequence = goodBytes(2 ** 16, this.opened).map((byte) => byte & 15);
    let at = 0;
    return {
      description,
      read: async (count) => {
        if (this.failing) throw new SymmetraError('SOURCE_SILENT', 'nothing came');
        const samples = Uint8Array.from({ length: count }, (_, i) => sequence[(at + i) % 2 ** 16] ?? 0);
        at += count;
        return { samples };
      },
      close: async () => {
        this.closed += 1;
      },
    };
  };
}

const follow = (): CollectionOptions => ({ signal: new AbortController().signal });

describe('the collection of a bundle', () => {
  it('has the sizes that NIST asks for', () => {
    expect(ESV_SIZES).toEqual({ samples: 1_000_000, restarts: 1000 });
    expect([ESV_SAMPLES, RESTARTS]).toEqual([1_000_000, 1000]);
  });

  it('takes consecutive samples, then as many restarts as samples of each, and tells how far it is', async () => {
    const source = new Restartable();
    const told: string[] = [];
    const { raw, extracted, restarts } = await collectBundle(source.open, SMALL, (stage) => ({
      ...follow(),
      onProgress: (done, total) => {
        if (done === total) told.push(`${stage} ${total}`);
      },
    }));
    expect(told).toEqual(['reading samples 10000', 'extracting 10000', 'restarting the source 20']);
    const samplesOf = (start: number, count: number): Uint8Array =>
      goodBytes(2 ** 16, start)
        .map((byte) => byte & 15)
        .subarray(0, count);
    expect(raw).toEqual(samplesOf(1, 10_000));
    expect(extracted).toHaveLength(10_000);
    expect(restarts).toHaveLength(400);
    expect(restarts.subarray(0, 20)).toEqual(samplesOf(2, 20));
    expect(restarts.subarray(380)).toEqual(samplesOf(21, 20));
    expect(source.opened).toBe(21);
    expect(source.closed).toBeGreaterThanOrEqual(21);
  });

  it('closes the source when it fails', async () => {
    const source = new Restartable();
    source.failing = true;
    await expect(collectBundle(source.open, SMALL, follow)).rejects.toMatchObject({ code: 'SOURCE_SILENT' });
    expect(source).toMatchObject({ opened: 1, closed: 1 });
  });
});

describe('the files of a bundle', () => {
  it('hold what was collected, what it shows and what NIST asks, and their hashes', async () => {
    const collected = await collectBundle(new Restartable().open, SMALL, follow);
    const asked: Parameters<BundleBatteries['restarts']>[0][] = [];
    const findings = await assessBundle(description, collected, {
      ...batteriesHere,
      restarts: async (data) => {
        asked.push(data);
        return REFUSED;
      },
    });
    const initialEntropy = findings.raw.minEntropy;
    expect(asked).toEqual([{ matrix: collected.restarts, bitsPerSample: 4, initialEntropy }]);

    const out = join(await bench.directory(), 'esv');
    await writeBundle(out, description, collected, findings);
    const contentOf = async (name: string): Promise<Buffer> => readFile(join(out, name));
    expect(new Uint8Array(await contentOf('raw-samples.bin'))).toEqual(collected.raw);
    expect(new Uint8Array(await contentOf('restart-samples.bin'))).toEqual(collected.restarts);
    expect(new Uint8Array(await contentOf('conditioned-samples.bin'))).toEqual(collected.extracted);
    expect(JSON.parse(String(await contentOf('assessment.json')))).toEqual({
      source: description,
      ...findings,
    });
    expect(JSON.parse(String(await contentOf('metadata.json')))).toMatchObject({
      primaryNoiseSource: 'card (file)',
      iidClaim: false,
      bitsPerSample: 4,
      hminEstimate: 3,
      physical: true,
      numberOfRestarts: 1000,
      samplesPerRestart: 1000,
      conditioningComponent: [
        { sequencePosition: 1, vetted: false, nOut: 1024 },
        { sequencePosition: 2, vetted: true, nOut: 384 },
      ],
    });
    const sums = String(await contentOf('SHA256SUMS'))
      .trimEnd()
      .split('\n');
    const files = (await readdir(out)).filter((name) => name !== 'SHA256SUMS');
    expect(sums.map((line) => line.slice(66)).toSorted()).toEqual(files.toSorted());
    for (const line of sums) {
      const content = await contentOf(line.slice(66));
      expect(line.slice(0, 64)).toBe(createHash('sha256').update(content).digest('hex'));
    }
    expect((await stat(out)).mode & 0o777).toBe(0o700);
    await expect(writeBundle(out, description, collected, findings)).rejects.toMatchObject({
      code: 'EEXIST',
    });
  });
});

describe('entropy bundle', () => {
  it('asks which source when there are several raw ones', async () => {
    const file = await yaml.file(physicalFile('one', '/dev/urandom'), physicalFile('two', '/dev/urandom'));
    const out = join(await bench.directory(), 'esv');
    const { code, message } = await refusal(['entropy', 'bundle', '--out', out, '--sources', file]);
    expect({ code, message }).toEqual({ code: 'USAGE', message: 'name one with --source: one, two' });
  });

  it('knows the sources that there are', async () => {
    const out = join(await bench.directory(), 'esv');
    const args = ['entropy', 'bundle', '--out', out, '--source', 'os'];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'SOURCE_UNKNOWN' });
  });

  it('never writes over what is there', async () => {
    const out = join(await bench.directory(), 'esv');
    await mkdir(out);
    await writeFile(join(out, 'raw-samples.bin'), 'mine');
    expect(await refusal(['entropy', 'bundle', '--out', out])).toMatchObject({
      exit: 1,
      code: 'FILE_EXISTS',
    });
    expect(await readdir(out)).toEqual(['raw-samples.bin']);
  });

  it('names the source that ends too early, and leaves nothing', async () => {
    const directory = await bench.directory();
    const short = join(directory, 'short.bin');
    await writeFile(short, goodBytes(1000, 5));
    const file = await yaml.file(physicalFile('short', short));
    const args = ['entropy', 'bundle', '--out', join(directory, 'esv'), '--sources', file];
    const { exit, code, message } = await refusal(args);
    expect({ exit, code }).toEqual({ exit: 1, code: 'SOURCE_SHORT_READ' });
    expect(message).toMatch(/^source short: /);
    expect(await readdir(directory)).toEqual(['short.bin']);
  });
});
