import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signatureKeygen } from '@symmetra/crypto';
import {
  FIRST_PREVIOUS,
  REPORT_FORMAT,
  asReport,
  batteriesHere,
  examineSource,
  parseReport,
  signReport,
  verifyReport,
} from '@symmetra/entropy';
import type { Report, SignedReport, SourceDescription } from '@symmetra/entropy';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPrevious, readReport } from '../../packages/cli/src/entropy/report-directory.js';
import { readTested } from '../../packages/cli/src/entropy-file.js';
import { failureOf } from '../../packages/cli/src/exit.js';
import { goodBytes } from '../contract/battery-data.js';
import { effort } from './effort.js';

const DIGITISED: SourceDescription = {
  name: 'alice',
  kind: 'file',
  physical: true,
  quantum: false,
  simulated: true,
  raw: false,
  bitsPerSample: 8,
  minEntropyPerSample: 1,
};
const REPORT_CODES = ['OK', 'REPORT_MALFORMED', 'REPORT_SIGNATURE', 'REPORT_CHAIN', 'REPORT_DIFFERS'];

/** The code with which the program would end, or OK. */
async function outcome(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'OK';
  } catch (error) {
    const { code, message } = failureOf(error);
    return code === 'INTERNAL' ? message : code;
  }
}

let folder: string;
let file: string;
let good: SignedReport;
const keys = signatureKeygen(goodBytes(32, 1));

function signed(report: object): SignedReport {
  return signReport(report as Report, keys);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-fuzz-files-'));
  file = join(folder, 'report-000002.json');
  good = signed({
    format: REPORT_FORMAT,
    number: 1,
    previous: FIRST_PREVIOUS,
    time: '2026-01-01T00:00:00.000Z',
    software: { symmetra: '0', node: '0' },
    sources: [await examineSource(DIGITISED, goodBytes(2000, 2), batteriesHere)],
    outputs: [],
  });
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

/** A value with the member at a path replaced, or taken away when there is nothing to put there. */
function changed(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put;
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  copy[key] = changed(copy[key], rest, put);
  if (Array.isArray(value)) return Object.values(copy);
  return copy;
}

/** Every path of members in a value. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]));
  return [path, ...below];
}

describe('a file that holds a report', () => {
  it('is read and looked at as a report, whatever bytes it has, or is refused', async () => {
    const text = JSON.stringify(good);
    const damaged = fc
      .tuple(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 8 }))
      .map(([at, cut, put]) => Buffer.from(text.slice(0, at) + put + text.slice(at + cut)));
    const anyFile = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.json().map((json) => Buffer.from(json)),
      damaged,
    );
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anyFile, async (bytes) => {
        await writeFile(file, bytes);
        const code = await outcome(async () => asReport(await readReport(file)));
        seen.add(code);
        expect(['OK', 'FILE_CORRUPT', 'REPORT_MALFORMED']).toContain(code);
        const other = join(folder, 'report-000003.json');
        expect(await outcome(async () => asReport(await readPrevious(other)))).toBe(code);
      }),
      effort(300),
    );
    expect(seen.size).toBe(3);
  });

  it('that nobody named has no report before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (name) => {
        expect(await readPrevious(join(folder, 'empty', name.replaceAll('\0', '')))).toBeUndefined();
      }),
      effort(200),
    );
  });

  it('is verified or refused for a reason, whatever its signer put into it', async () => {
    const paths = pathsOf(good.report);
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), fc.boolean(), async (path, put, resign) => {
        const report = changed(good.report, path, put);
        const input =
          resign && typeof report === 'object' && report !== null
            ? signed(report)
            : { report, signature: good.signature };
        const code = await outcome(() => verifyReport(input, {}, batteriesHere));
        seen.add(code);
        expect(REPORT_CODES).toContain(code);
      }),
      effort(150),
    );
    for (const code of ['REPORT_MALFORMED', 'REPORT_SIGNATURE']) expect(seen).toContain(code);
  });

  it('may nest as deeply as it likes', async () => {
    const depth = 200_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    await writeFile(file, JSON.stringify(good).replace('"format"', `"deep":${deep},"format"`));
    const input = await readReport(file);
    expect(await outcome(() => verifyReport(input, {}, batteriesHere))).toBe('REPORT_MALFORMED');
  });
});

describe('the text of a report', () => {
  const indent = fc.constantFrom(undefined, 1, '\t');
  const names = fc.oneof(fc.constantFrom('__proto__', 'a:b', '"', '\\', '\\":', ''), fc.string());

  it('is read as JSON is, whatever stands in its members', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue())), indent, (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(parseReport(text)).toEqual(JSON.parse(text));
      }),
      effort(500),
    );
  });

  it('is refused when it is not JSON, or a member stands twice in it', async () => {
    const seen = new Set<string>();
    const twice = fc
      .tuple(names, fc.jsonValue(), fc.jsonValue(), fc.nat(3))
      .map(([name, one, other, depth]) => {
        const member = (value: unknown): string => `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
        const object = `{${member(one)}, "between": {}, ${member(other)}}`;
        return `${'{"in": ['.repeat(depth)}${object}${']}'.repeat(depth)}`;
      });
    await fc.assert(
      fc.asyncProperty(twice, fc.boolean(), async (text, cut) => {
        const code = await outcome(async () => parseReport(cut ? text.slice(0, -1) : text));
        seen.add(code);
        if (cut) expect(code).toContain('SyntaxError');
        else expect(code).toBe('REPORT_MALFORMED');
      }),
      effort(300),
    );
    expect(seen).toContain('REPORT_MALFORMED');
  });
});

describe('a file that is to be tested', () => {
  it('gives just the bytes that were asked for, or too few', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
        async (bytes, count) => {
          await writeFile(file, bytes);
          const wanted = count ?? bytes.length;
          if (wanted === 0 || wanted > bytes.length) {
            await expect(readTested(file, count)).rejects.toMatchObject({ code: 'FILE_TOO_SHORT' });
          } else {
            expect(await readTested(file, count)).toEqual(bytes.slice(0, wanted));
          }
        },
      ),
      effort(200),
    );
  });

  it('is one', async () => {
    const directory = join(folder, 'directory');
    await mkdir(directory);
    const readers = [readReport, async (path: string) => readTested(path, undefined)];
    for (const [path, code] of [
      [directory, 'NOT_A_FILE'],
      ['/dev/zero', 'NOT_A_FILE'],
      [join(folder, 'none'), 'NO_SUCH_FILE'],
    ] as const) {
      const outcomes = await Promise.all(readers.map(async (read) => outcome(async () => read(path))));
      expect(outcomes).toEqual([code, code]);
    }
  });
});
