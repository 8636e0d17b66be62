import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from './sdk-fleet.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const example = join(root, 'examples/smallest-device.ts');

describe("the README's example", () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start();
  });
  afterAll(async () => fleet.stop());

  test('is the file that it names, and under 30 lines', () => {
    const source = readFileSync(example, 'utf8');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
    expect(source.trimEnd().split('\n').length).toBeLessThan(30);
  });

  test('runs as it stands', async () => {
    const tokens = fleet.state('tokens.txt');
    writeFileSync(tokens, `${await fleet.token()}\n${await fleet.token()}\n`);
    const args = ['--conditions=@symmetra/source', '--import', 'tsx', example, tokens, fleet.state('states')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 });
    const [alice = '', bob = '', answer] = stdout.trim().split('\n');
    const fingerprint = /^alice ([0-9a-f]{32}) through node-\d and node-\d/u.exec(alice)?.[1];
    expect(fingerprint).toBeDefined();
    expect(bob).toBe(`bob   ${fingerprint}`);
    expect(answer).toBe('bob heard: hello');
  });
});
