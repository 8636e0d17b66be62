import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError, signatureKeygen } from '@symmetra/crypto';
import {
  fullExample,
  minimalExample,
  parseNodeConfig,
  readNodeConfig,
} from '@symmetra/runtime/configuration';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  readNodeDescription,
  writeNodeDescription,
} from '../../packages/node/src/provision/node-description.js';
import { effort } from './effort.js';

async function outcome(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'read';
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}

/** A text with one to four pieces taken out and others put in. */
function damaged(texts: readonly string[], pieces: readonly string[]): fc.Arbitrary<string> {
  const put = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom(...pieces));
  const change = fc.tuple(fc.nat(), fc.nat(20), put);
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([text, changes]) =>
      changes.reduce((all, [place, length, piece]) => {
        const at = place % (all.length + 1);
        return all.slice(0, at) + piece + all.slice(at + length);
      }, text),
    );
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-fuzz-node-files-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the configuration of a node', () => {
  const OUTCOMES = ['read', 'BAD_CONFIG'];
  /** The example with every setting on, of one form of store. */
  const everything = fullExample()
    .replace(/^store:\n(?: .*\n)+# Or:\n/m, '')
    .replaceAll(/^( *)#(?=\w| {2})/gm, '$1')
    .replaceAll(/^ *url: redis.*\n/gm, '');
  const examples = [minimalExample(), fullExample(), everything];
  const read = async (text: string, environment = {}): Promise<string> => {
    const path = join(folder, 'node.yaml');
    await writeFile(path, text);
    return outcome(async () => readNodeConfig(path, environment));
  };

  test('of any value is taken or is BAD_CONFIG', async () => {
    const least = { node: 'node-1', network: 'a', data: 'b', bus: { servers: ['nats://h:4222'] } };
    const names = ['kind', 'url', 'port', 'servers', 'tls', 'qkd', 'node-2', '__proto__', 'constructor'];
    const inner = fc.oneof(fc.dictionary(fc.constantFrom(...names), fc.anything()), fc.anything());
    const nearly = fc
      .dictionary(fc.constantFrom('node', 'listen', 'store', 'bus', 'links', 'freshness', 'log', 'x'), inner)
      .map((changes) => Object.fromEntries([...Object.entries(least), ...Object.entries(changes)]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.anything(), nearly), async (input) => {
        expect(OUTCOMES).toContain(await outcome(() => parseNodeConfig(input, '/')));
      }),
      effort(100),
    );
  });

  test('in a file of any text, or a damaged example, is taken or is BAD_CONFIG', async () => {
    for (const example of examples) expect(await read(example)).toBe('read');
    const pieces = [
      '\n',
      ': ',
      '- ',
      '&a ',
      '*a',
      '!!',
      '"',
      '{',
      '[',
      '#',
      '? ',
      '<<: ',
      '---\n',
      '\t',
      '|\n',
    ];
    const text = fc.oneof(fc.string(), fc.json(), damaged(examples, pieces));
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        expect(OUTCOMES).toContain(await read(content));
      }),
      effort(30),
    );
  });

  test('with any variables is taken or is BAD_CONFIG', async () => {
    const names = [
      'LISTEN_PORT',
      'LISTEN_HOST',
      'BUS_SERVERS',
      'LINKS_QKD',
      'LINKS_PSK_FILES',
      'STORE',
      'NODE',
      '',
    ];
    const variables = fc.dictionary(
      fc.constantFrom(...names).map((name) => `SYMMETRA_NODE_${name}`),
      fc.oneof(fc.string(), fc.json(), fc.constantFrom('{', '*a', '&a [*a]', '!!x 1', '0x7f', '')),
    );
    const content = fc.constantFrom(minimalExample(), 'bus: 3', '[]', '');
    await fc.assert(
      fc.asyncProperty(content, variables, async (text, environment) => {
        expect(OUTCOMES).toContain(await read(text, environment));
      }),
      effort(30),
    );
  });

  test.each(['[', '{a: ', '- ', '? ', '!!a ['])('nested without end is BAD_CONFIG: %s', async (piece) => {
    expect(await read(piece.repeat(20_000))).toBe('BAD_CONFIG');
  });
});

test('the description of a node is whole, or refused', async () => {
  const path = join(folder, 'node.json');
  await writeNodeDescription(path, {
    node: {
      id: 'node-1',
      addresses: ['127.0.0.1:7401'],
      operator: 'somebody',
      signingKey: signatureKeygen(new Uint8Array(32).fill(1)).publicKey,
      kemKeys: [{ suiteId: 1, publicKey: new Uint8Array(32).fill(2) }],
    },
    nkey: `U${'A'.repeat(55)}`,
  });
  const valid = await readFile(path, 'utf8');
  expect(await outcome(async () => readNodeDescription(path))).toBe('read');
  const pieces = ['"', ':', ',', 'null', '[]', '{}', '1', '"id": 3, ', '"kemKeys": [null], '];
  const text = fc.oneof(fc.string(), fc.json(), damaged([valid], pieces));
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      await writeFile(path, content);
      const told = await outcome(async () => readNodeDescription(path));
      expect(['read', 'FILE_CORRUPT', 'NODE_FILE_DAMAGED']).toContain(told);
    }),
    effort(150),
  );
});
