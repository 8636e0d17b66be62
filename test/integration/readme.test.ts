import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from './sdk-fleet.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const programs = ['examples/smallest-device.ts', 'examples/smallest-group.ts'];

describe("the README's examples", () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start();
  });
  afterAll(async () => fleet.stop());

  /** Runs an example with as many tokens as it asks for. @returns the lines that it printed */
  const run = async (example: string, devices: number): Promise<string[]> => {
    const tokens = fleet.state(`${example}-tokens.txt`.replaceAll('/', '-'));
    for (let i = 0; i < devices; i++) appendFileSync(tokens, `${await fleet.token()}\n`);
    const states = fleet.state(`${example}-states`.replaceAll('/', '-'));
    const args = ['--conditions=@symmetra/source', '--import', 'tsx', join(root, example), tokens, states];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 });
    return stdout.trim().split('\n');
  };

  test.each(programs)('%s is the file that it names, and under 30 lines', (example) => {
    const source = readFileSync(join(root, example), 'utf8');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
    expect(source.trimEnd().split('\n').length).toBeLessThan(30);
  });

  test('that of two devices runs as it stands', async () => {
    const [alice = '', bob = '', answer] = await run('examples/smallest-device.ts', 2);
    const fingerprint = /^alice ([0-9a-f]{32}) through node-\d and node-\d/u.exec(alice)?.[1];
    expect(fingerprint).toBeDefined();
    expect(bob).toBe(`bob   ${fingerprint}`);
    expect(answer).toBe('bob heard: hello');
  });

  test('that of a group runs as it stands', async () => {
    const [atBob, atCarol, heard, removed] = await run('examples/smallest-group.ts', 3);
    expect(atBob).toMatch(/^([0-9a-f]{32}) \1$/u);
    expect(atCarol).toBe(atBob);
    expect(heard).toBe('carol heard: hello');
    expect(removed).toBe('epoch 2 with 2 members');
  });
});
