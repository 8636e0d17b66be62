import { signatureKeygen } from '@symmetra/crypto';
import {
  FIRST_PREVIOUS,
  REPORT_FORMAT,
  batteriesHere,
  examineOutput,
  examineSource,
  parseReport,
  signReport,
  verifyReport,
} from '@symmetra/entropy';
import type { Report, SourceDescription } from '@symmetra/entropy';
import { beforeAll, describe, expect, test } from 'vitest';
import { goodBytes } from './battery-data.js';

const signer = signatureKeygen(new Uint8Array(32).fill(1));

/** Conditioned, so that nothing but the labels says what it is. */
const vendor: SourceDescription = {
  name: 'vendor',
  kind: 'http',
  physical: true,
  quantum: true,
  simulated: false,
  raw: false,
  bitsPerSample: 8,
  minEntropyPerSample: 8,
};

let good: Report;

beforeAll(async () => {
  good = {
    format: REPORT_FORMAT,
    number: 1,
    previous: FIRST_PREVIOUS,
    time: '2026-01-01T00:00:00.000Z',
    software: { symmetra: '0.1.0', node: 'v20.0.0' },
    sources: [await examineSource(vendor, goodBytes(4096, 5), batteriesHere)],
    outputs: [await examineOutput('full', goodBytes(12_500, 6), batteriesHere)],
  };
});

/** Verifies what a dishonest signer wrote. */
const verify = async (report: unknown) =>
  verifyReport(signReport(report as Report, signer), {}, batteriesHere);

/** The report with another description of its source. */
const described = (change: object): object => ({
  ...good,
  sources: good.sources.map((source) => ({
    ...source,
    description: { ...source.description, ...change },
  })),
});

describe('what nobody can compute again', () => {
  test('is no reason to refuse a report that has its form', async () => {
    expect(await verify(good)).toMatchObject({ number: 1 });
    expect(await verify(described({ simulated: true, physical: false }))).toMatchObject({ number: 1 });
  });

  test.each([
    ['more entropy than bits', { minEntropyPerSample: 8000 }],
    ['less than none', { minEntropyPerSample: -1 }],
    ['entropy in words', { minEntropyPerSample: '8 (certified)' }],
    ['part of a bit', { bitsPerSample: 7.5 }],
    ['no word of being simulated', { simulated: undefined }],
    ['a label in words', { simulated: 'no' }],
    ['an unknown kind', { kind: 'quantum' }],
    ['a member of every object as its kind', { kind: 'constructor' }],
    ['a name that is an announcement', { name: 'certified quantum noise' }],
    ['a detector that is not simulated', { kind: 'detector' }],
    ['an operating system that is a quantum process', { kind: 'os' }],
    ['a quantum process that is neither physical nor simulated', { physical: false }],
  ])('has its form: not %s', async (_what, change) => {
    const written: unknown = JSON.parse(JSON.stringify(described(change)));
    await expect(verify(written)).rejects.toMatchObject({ code: 'REPORT_MALFORMED' });
  });

  test.each([
    ['number', { number: 0 }],
    ['number', { number: -3 }],
    ['previous', { number: 2, previous: 'none' }],
    ['time', { time: 'yesterday' }],
    ['time', { time: { of: 'day' } }],
    ['software', { software: 'symmetra' }],
    ['software', { software: { symmetra: 1, node: 'v20.0.0' } }],
  ])('has its form: %s of a report', async (_what, change) => {
    await expect(verify({ ...good, ...change })).rejects.toMatchObject({ code: 'REPORT_MALFORMED' });
  });

  test('has its form: the tier of an output', async () => {
    const outputs = good.outputs.map((output) => ({ ...output, tier: 'quantum' }));
    await expect(verify({ ...good, outputs })).rejects.toMatchObject({ code: 'REPORT_MALFORMED' });
  });

  test('has nothing written beside it', async () => {
    await expect(verify(described({ certified: 'by NIST' }))).rejects.toMatchObject({
      code: 'REPORT_DIFFERS',
      details: { path: 'sources.0.description.certified' },
    });
    const software = { ...good.software, audited: true };
    await expect(verify({ ...good, software })).rejects.toMatchObject({
      code: 'REPORT_DIFFERS',
      details: { path: 'software.audited' },
    });
    const inherited: unknown = JSON.parse(
      JSON.stringify(good).replace('"description":{', '"description":{"__proto__":{"certified":true},'),
    );
    await expect(verify(inherited)).rejects.toMatchObject({
      code: 'REPORT_DIFFERS',
      details: { path: 'sources.0.description.__proto__' },
    });
  });

  test('is not counted among the numbers that follow from the samples', async () => {
    const bare = { ...good, outputs: [] };
    // The number of bytes in its sample; the alarms, of which there are none.
    expect(good.sources[0]?.health).toEqual({ alarms: [] });
    expect(await verify(bare)).toMatchObject({ values: 1 });
  });
});

describe('the text of a report', () => {
  test('holds what was written', () => {
    const signed = signReport({ ...good, software: { symmetra: '"{:\\', node: '\\":' } }, signer);
    for (const space of [undefined, 1]) {
      expect(parseReport(JSON.stringify(signed, undefined, space))).toEqual(signed);
    }
    for (const text of ['[]', '7', '"a:b"', 'null', '{"a":{"b":[{"c":":"}]}}']) {
      expect(parseReport(text)).toEqual(JSON.parse(text));
    }
  });

  test('has no member twice, of which a reader would see the other one', () => {
    const text = JSON.stringify(signReport(good, signer));
    for (const twice of [
      text.replace('"simulated":false', '"simulated":true,"simulated":false'),
      text.replace('"simulated":false', String.raw`"simul\u0061ted":true,"simulated":false`),
      text.replace('{"report"', '{"report":{},"report"'),
    ]) {
      expect(JSON.parse(twice)).toEqual(JSON.parse(text));
      expect(() => parseReport(twice)).toThrow(expect.objectContaining({ code: 'REPORT_MALFORMED' }));
    }
  });

  test('may nest deeply', () => {
    const depth = 200_000;
    const deep = `${'[{"a":'.repeat(depth)}0${'}]'.repeat(depth)}`;
    expect(Array.isArray(parseReport(deep))).toBe(true);
    expect(() => parseReport(deep.replace('{"a":', '{"a":1,"a":'))).toThrow(
      expect.objectContaining({ code: 'REPORT_MALFORMED' }),
    );
  });
});
