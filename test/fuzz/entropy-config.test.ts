import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SymmetraError } from '@symmetra/crypto';
import { parseEntropyConfig, readEntropyConfig } from '@symmetra/runtime/configuration';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const EXAMPLE = fileURLToPath(new URL('../../docs/entropy/sources.example.yaml', import.meta.url));

async function outcome(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'OK';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}

describe('the configuration of entropy', () => {
  let folder: string;
  let example: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-fuzz-config-'));
    example = await readFile(EXAMPLE, 'utf8');
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('of any value is taken or is BAD_CONFIG', async () => {
    const nearly = fc.record({
      sources: fc.array(
        fc.dictionary(
          fc.constantFrom(
            'name',
            'kind',
            'path',
            'raw',
            'timeout',
            'tls',
            'port',
            '__proto__',
            'constructor',
          ),
          fc.oneof(fc.constantFrom('os', 'file', 'stream', 'x', '10s'), fc.anything()),
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.anything(), nearly), async (input) => {
        expect(['OK', 'BAD_CONFIG']).toContain(await outcome(() => parseEntropyConfig(input)));
      }),
      effort(300),
    );
  });

  it('in a file whose characters were changed is taken or is BAD_CONFIG', async () => {
    const path = join(folder, 'entropy.yaml');
    const change = fc.tuple(
      fc.nat(),
      fc.nat(20),
      fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('\n', ': ', '- ', '&a ', '*a', '!!', '"')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let text = example;
        for (const [place, length, inserted] of changes) {
          const at = place % text.length;
          text = text.slice(0, at) + inserted + text.slice(at + length);
        }
        await writeFile(path, text);
        expect(['OK', 'BAD_CONFIG']).toContain(await outcome(async () => readEntropyConfig(path)));
      }),
      effort(60),
    );
  });
});
