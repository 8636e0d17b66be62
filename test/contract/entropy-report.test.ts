import { createCipheriv } from 'node:crypto';
import { signatureKeygen } from '@symmetra/crypto';
import {
  BEAM_SPLITTER_SETUP,
  FIRST_PREVIOUS,
  REPORT_FORMAT,
  SimulatedDetector,
  batteriesHere,
  claimedMinEntropy,
  examineOutput,
  examineSource,
  reportHash,
  signReport,
  verifyReport,
} from '@symmetra/entropy';
import type { Report, SignedReport, SourceDescription } from '@symmetra/entropy';
import { beforeAll, describe, expect, test } from 'vitest';

const signer = signatureKeygen(new Uint8Array(32).fill(1));
const mallory = signatureKeygen(new Uint8Array(32).fill(2));

const detector: SourceDescription = {
  name: 'detector',
  kind: 'detector',
  physical: true,
  quantum: true,
  simulated: true,
  raw: true,
  bitsPerSample: 1,
  minEntropyPerSample: claimedMinEntropy(BEAM_SPLITTER_SETUP),
};
const system: SourceDescription = {
  name: 'os',
  kind: 'os',
  physical: false,
  quantum: false,
  simulated: false,
  raw: false,
  bitsPerSample: 8,
  minEntropyPerSample: 0,
};

/** Bytes that are as good as random ones, and the same each time. */
function keystream(length: number): Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', new Uint8Array(32).fill(3), new Uint8Array(16));
  return new Uint8Array(cipher.update(new Uint8Array(length)));
}

let first: SignedReport;
let second: SignedReport;

beforeAll(async () => {
  const { samples } = new SimulatedDetector(BEAM_SPLITTER_SETUP, new Uint8Array(32).fill(4)).read(20_000);
  const common = {
    format: REPORT_FORMAT,
    time: '2026-01-01T00:00:00.000Z',
    software: { symmetra: '0.1.0', node: 'v20.0.0' },
    sources: [
      await examineSource(detector, samples, batteriesHere),
      await examineSource(system, keystream(4096), batteriesHere),
    ],
    outputs: [await examineOutput('drbg', keystream(12_500), batteriesHere)],
  } as const;
  first = signReport({ ...common, number: 1, previous: FIRST_PREVIOUS }, signer);
  second = signReport({ ...common, number: 2, previous: reportHash(first.report) }, signer);
});

/** What `JSON.parse` makes of a report that was written to a file. */
const reread = (report: SignedReport): SignedReport => JSON.parse(JSON.stringify(report)) as SignedReport;
const verify = async (report: unknown, expectations = {}) =>
  verifyReport(report, expectations, batteriesHere);

type Tree = Record<string, unknown>;

/** The paths of all numbers and texts below a value. */
function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

function changed(report: Report, path: readonly string[]): Report {
  const copy = structuredClone(report);
  const parent = path.slice(0, -1).reduce<Tree>((at, key) => at[key] as Tree, copy as unknown as Tree);
  const last = path.at(-1) as string;
  const value = parent[last];
  if (typeof value === 'number') parent[last] = value === 0 ? 1e-9 : value * (1 + 1e-9);
  else if (typeof value === 'boolean') parent[last] = !value;
  else parent[last] = `${String(value).slice(0, -1)}${String(value).endsWith('0') ? '1' : '0'}`;
  return copy;
}

describe('a report', () => {
  test('is verified from its file alone, number by number', async () => {
    const verification = await verify(reread(first));
    expect(verification).toMatchObject({ number: 1, chained: true });
    expect(verification.values).toBeGreaterThan(100);
  });

  test('carries p-values of every test that applies, in both profiles', () => {
    const [output] = first.report.outputs;
    for (const profile of ['nist-sts-2.1.2', 'corrected'] as const) {
      expect(output?.sp80022[profile].Frequency).toHaveLength(1);
      expect(output?.sp80022[profile].NonOverlappingTemplate).toHaveLength(148);
    }
  });

  test('assesses raw noise, and nothing else', () => {
    const [noise, bytes] = first.report.sources;
    expect(noise?.assessment?.minEntropy).toBeGreaterThan(0.5);
    expect(bytes).not.toHaveProperty('assessment');
  });

  test('follows the report before it', async () => {
    expect(await verify(reread(second), { previous: first })).toMatchObject({ number: 2, chained: true });
    expect(await verify(reread(second))).toMatchObject({ number: 2, chained: false });
  });
});

describe('a report is refused', () => {
  test('when anything in it was changed after it was signed', async () => {
    const all = leaves(first.report);
    expect(all.length).toBeGreaterThan(300);
    for (const path of all.filter((_, i) => i % 7 === 1)) {
      const report = { ...first, report: changed(first.report, path) };
      await expect(verify(report), path.join('.')).rejects.toMatchObject({ code: 'REPORT_SIGNATURE' });
    }
  });

  test('when its maker signed anything that does not follow from its samples', async () => {
    const computed = leaves(first.report).filter(([part, , field]) => {
      const evidence = part === 'sources' || part === 'outputs';
      return evidence && !['description', 'sample', 'tier'].includes(field ?? '');
    });
    expect(computed.length).toBeGreaterThan(300);
    for (const path of computed.filter((_, i) => i % 23 === 0)) {
      const report = signReport(changed(first.report, path), signer);
      await expect(verify(report), path.join('.')).rejects.toMatchObject({
        code: 'REPORT_DIFFERS',
        details: { path: path.join('.') },
      });
    }
  });

  test('when a sample is another than its hash names, or a part is missing or too much', async () => {
    const [noise, bytes] = first.report.sources;
    if (noise === undefined || bytes === undefined) throw new Error('a source is missing');
    const other = { ...noise, sample: { ...noise.sample, base64: bytes.sample.base64 } };
    await expect(verify(signReport({ ...first.report, sources: [other] }, signer))).rejects.toMatchObject({
      code: 'REPORT_MALFORMED',
    });
    const renamed = changed(first.report, ['sources', '0', 'sample', 'sha256']);
    await expect(verify(signReport(renamed, signer))).rejects.toMatchObject({ code: 'REPORT_MALFORMED' });
    const { assessment, ...bare } = noise;
    expect(assessment).toBeDefined();
    await expect(verify(signReport({ ...first.report, sources: [bare] }, signer))).rejects.toMatchObject({
      code: 'REPORT_DIFFERS',
      details: { path: 'sources.0.assessment' },
    });
    const more = { ...first.report, praise: 'flawless' };
    await expect(verify(signReport(more, signer))).rejects.toMatchObject({
      code: 'REPORT_DIFFERS',
      details: { path: 'praise' },
    });
  });

  test('when another key signed it than the one that is pinned', async () => {
    const { signer: fingerprint } = await verify(first);
    expect(await verify(first, { signer: fingerprint })).toMatchObject({ signer: fingerprint });
    const forged = signReport(first.report, mallory);
    await expect(verify(forged, { signer: fingerprint })).rejects.toMatchObject({ code: 'REPORT_SIGNER' });
    const stolen = { ...forged, signature: { ...forged.signature, publicKey: first.signature.publicKey } };
    await expect(verify(stolen)).rejects.toMatchObject({ code: 'REPORT_SIGNATURE' });
  });

  test('when it does not follow the one before', async () => {
    const refused = { code: 'REPORT_CHAIN' };
    await expect(verify(second, { previous: second })).rejects.toMatchObject(refused);
    await expect(verify(first, { previous: first })).rejects.toMatchObject(refused);
    const third = signReport({ ...second.report, number: 3 }, signer);
    await expect(verify(third, { previous: first })).rejects.toMatchObject(refused);
    const orphan = signReport({ ...first.report, previous: '1'.repeat(64) }, signer);
    await expect(verify(orphan)).rejects.toMatchObject(refused);
  });

  test.each([
    ['nothing', undefined],
    [
      'a source without a sample',
      {
        report: { format: REPORT_FORMAT, number: 1, sources: [{ description: {} }], outputs: [] },
        signature: {},
      },
    ],
    ['a number', 7],
    ['an empty object', {}],
    ['a report without evidence', { report: { format: REPORT_FORMAT, number: 1 }, signature: {} }],
    [
      'a source that is null',
      { report: { format: REPORT_FORMAT, number: 1, sources: [null], outputs: [] }, signature: {} },
    ],
  ])('when it is %s', async (_what, input) => {
    await expect(verify(input)).rejects.toMatchObject({ code: 'REPORT_MALFORMED' });
  });
});
