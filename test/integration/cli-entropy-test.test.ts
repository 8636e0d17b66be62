import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { assessIid, assessNonIid, ent, fips1402, sp80022 } from '@symmetra/battery';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodBytes } from '../contract/battery-data.js';
import { refusal } from './cli-inside.js';
import { Bench, Running, reply, symmetra } from './cli-program.js';

const bench = new Bench();
afterAll(async () => bench.end());

const LENGTH = 125_000;
const good = goodBytes(LENGTH, 40);
let directory: string;

/** Writes a file of these bytes. @returns its path */
async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

let goodFile: string;
beforeAll(async () => {
  directory = await bench.directory();
  goodFile = await fileOf('good.bin', good);
});

const NAMES = [
  'Frequency',
  'BlockFrequency',
  'CumulativeSums',
  'Runs',
  'LongestRun',
  'Rank',
  'FFT',
  'NonOverlappingTemplate',
  'OverlappingTemplate',
  'Universal',
  'ApproximateEntropy',
  'RandomExcursions',
  'RandomExcursionsVariant',
  'Serial',
  'LinearComplexity',
];

describe('entropy test FILE', () => {
  it('runs SP 800-22 as NIST has it when nothing else is asked for', async () => {
    const { battery, bits, tests } = await reply(['entropy', 'test', goodFile]);
    expect({ battery, bits }).toEqual({ battery: 'sp800-22', bits: LENGTH * 8 });
    expect(Object.keys(tests as object)).toEqual(NAMES);
    expect(tests).toEqual(sp80022(good, { profile: 'nist-sts-2.1.2' }));
  });

  it('runs the corrected profile', async () => {
    const { tests } = await reply(['entropy', 'test', goodFile, '--profile', 'corrected']);
    expect(tests).toEqual(sp80022(good, { profile: 'corrected' }));
  });

  it('reads no more than --bytes', async () => {
    const found = await reply(['entropy', 'test', goodFile, '--bytes', '5000']);
    expect(found).toMatchObject({
      bits: 40_000,
      tests: sp80022(good.subarray(0, 5000), { profile: 'nist-sts-2.1.2' }),
    });
  });

  it('runs FIPS 140-2', async () => {
    const found = await reply(['entropy', 'test', goodFile, '--battery', 'fips140-2']);
    expect(found).toEqual({ battery: 'fips140-2', bits: LENGTH * 8, ...fips1402(good) });
    expect(found).toMatchObject({
      blocks: 50,
      failures: { monobit: 0, poker: 0, runs: 0, longRun: 0, continuous: 0 },
    });
  });

  it('runs ENT', async () => {
    const found = await reply(['entropy', 'test', goodFile, '--battery', 'ent']);
    expect(found).toEqual({ battery: 'ent', bits: LENGTH * 8, ...ent(good) });
  });

  it('assesses the min-entropy of samples', async () => {
    const samples = good.subarray(0, 20_000).map((byte) => byte & 3);
    const file = await fileOf('samples.bin', samples);
    const found = await reply(['entropy', 'test', file, '--battery', 'sp800-90b', '--bits-per-sample', '2']);
    const { minEntropy, estimators } = assessNonIid(samples, 2);
    expect(found).toMatchObject({
      battery: 'sp800-90b',
      samples: 20_000,
      bitsPerSample: 2,
      minEntropy,
      estimators,
    });
  });

  it('looks whether samples are independent and identically distributed', async () => {
    const samples = good.subarray(0, 10_000).map((byte) => byte & 1);
    const file = await fileOf('bits.bin', samples);
    const args = ['entropy', 'test', file, '--battery', 'sp800-90b-iid', '--bits-per-sample', '1'];
    const found = await reply(args);
    const seed = Buffer.from(String((found['permutation'] as { seed: unknown }).seed), 'hex');
    const expected = assessIid(samples, 1, { seed });
    expect(found).toMatchObject({
      battery: 'sp800-90b-iid',
      samples: 10_000,
      bitsPerSample: 1,
      iid: expected.iid,
      minEntropy: expected.minEntropy,
      estimators: { mostCommonValue: expected.original },
      permutation: { ...expected.permutation, seed: seed.toString('hex') },
    });
    const { code, stdout } = await symmetra(args);
    expect(code).toBe(0);
    expect(stdout).toContain('SP 800-90B, IID: ');
  });

  it('ends with 0 whatever a battery found', async () => {
    const file = await fileOf('zeros.bin', new Uint8Array(5000));
    expect(await reply(['entropy', 'test', file, '--battery', 'fips140-2'])).toMatchObject({
      blocks: 2,
      failedBlocks: 2,
    });
  });

  it('prints a table for people', async () => {
    const { code, stdout } = await symmetra(['entropy', 'test', goodFile]);
    expect(code).toBe(0);
    for (const name of NAMES) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
    expect(stdout).toMatch(/SP 800-22, profile nist-sts-2\.1\.2: \d+ of \d+ p-values below 0\.01/);
  });

  it('reads a device as far as --bytes says', async () => {
    const found = await reply(['entropy', 'test', '/dev/zero', '--battery', 'ent', '--bytes', '1000']);
    expect(found).toMatchObject({ bits: 8000, entropy: 0, mean: 0, serialCorrelation: null });
  });
});

describe('a file that can not be tested', () => {
  it.each([
    { name: 'is not there', args: () => [join(directory, 'absent')], code: 'NO_SUCH_FILE' },
    { name: 'is a directory', args: () => [directory], code: 'NOT_A_FILE' },
    { name: 'is a device without an end', args: () => ['/dev/zero'], code: 'NOT_A_FILE' },
    { name: 'has less than --bytes', args: () => [goodFile, '--bytes', '125001'], code: 'FILE_TOO_SHORT' },
    {
      name: 'has less than a block of FIPS 140-2',
      args: () => [goodFile, '--battery', 'fips140-2', '--bytes', '2499'],
      code: 'FILE_TOO_SHORT',
    },
    {
      name: 'has too few bits for SP 800-22',
      args: () => [goodFile, '--bytes', '12'],
      code: 'BATTERY_TOO_FEW_BITS',
    },
    {
      name: 'has too few samples for SP 800-90B',
      args: () => [goodFile, '--battery', 'sp800-90b', '--bytes', '9999'],
      code: 'BATTERY_TOO_FEW_SAMPLES',
    },
    {
      name: 'has a sample that is too large',
      args: () => [goodFile, '--battery', 'sp800-90b', '--bits-per-sample', '4'],
      code: 'BATTERY_SAMPLE_RANGE',
    },
  ])('$name', async ({ args, code }) => {
    expect(await refusal(['entropy', 'test', ...args()])).toMatchObject({ exit: 1, code });
  });

  it('is empty', async () => {
    const file = await fileOf('empty.bin', new Uint8Array());
    expect(await refusal(['entropy', 'test', file])).toMatchObject({ exit: 1, code: 'FILE_TOO_SHORT' });
  });
});

describe('wrong usage', () => {
  it.each([
    { name: 'no file', args: [] },
    { name: 'a battery that does not exist', args: ['x', '--battery', 'diehard'] },
    { name: 'a profile that does not exist', args: ['x', '--profile', 'best'] },
    { name: 'a profile of another battery', args: ['x', '--battery', 'ent', '--profile', 'corrected'] },
    { name: 'bits per sample of another battery', args: ['x', '--bits-per-sample', '4'] },
    { name: 'nine bits per sample', args: ['x', '--battery', 'sp800-90b', '--bits-per-sample', '9'] },
    { name: 'no bytes', args: ['x', '--bytes', '0'] },
    { name: 'two files', args: ['x', 'y'] },
  ])('$name', async ({ args }) => {
    expect(await refusal(['entropy', 'test', ...args])).toMatchObject({ exit: 2, code: 'USAGE' });
  });
});

it('says now and then how far a long battery is, and a signal ends it', async () => {
  const file = await fileOf('long.bin', goodBytes(1_000_000, 41));
  const running = new Running(['entropy', 'test', file, '--battery', 'sp800-90b']);
  for (let waited = 0; waited < 600 && !running.text.includes('% done'); waited += 1) await setTimeout(100);
  const { code, stdout, stderr } = await running.end('SIGINT');
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toMatch(/^\d+ % done: [\w.]+\n/);
});
