import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toBase32 } from '@symmetra/crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { symmetra } from './cli-inside.js';
import { Bench, Running } from './cli-program.js';
import { leaks, secretFile, secretsInDirectory, tokenSecret } from './logs-secrets.js';
import type { FoundSecret } from './logs-secrets.js';
import type { Report } from './cli-outcome.js';

/*
 * No secret in logs: a full run of the real programs at each level, and then a search of everything that they wrote
 * for every secret that the run had, in the encodings that programs write bytes in.
 */

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const NODES = ['node-1', 'node-2', 'node-3'];

const bench = new Bench();
afterAll(async () => bench.end());

/** One run: its programs, everything that they wrote, and the secrets that it had. */
class Run {
  readonly directory: string;
  readonly level: string;
  readonly secrets: FoundSecret[] = [];
  readonly #running: Running[] = [];
  readonly #sayings: string[] = [];
  #network: Running | undefined;

  constructor(directory: string, level: string) {
    this.directory = directory;
    this.level = level;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs a command that must succeed; with a level where the command takes one. */
  async command(args: readonly string[], input?: string): Promise<Report> {
    const running = new Running(
      [...args, '--log-level', this.level, '--json'],
      input === undefined ? {} : { input },
    );
    this.#running.push(running);
    const { code, stdout, stderr } = await running.ended;
    if (code !== 0) throw new Error(`symmetra ${args.join(' ')} failed: ${stderr}`);
    return JSON.parse(stdout) as Report;
  }

  /** Runs a command of the administrator, which has no level. */
  async administer(args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await symmetra([...args, '--data', this.path('network'), '--json']);
    if (code !== 0) throw new Error(`symmetra ${args.join(' ')} failed: ${stderr}`);
    this.#sayings.push(stdout, stderr);
  }

  /** The token goes from one command into the next, and its text is no log. */
  async token(): Promise<string> {
    const { stdout, stderr } = await symmetra(['token', 'create', '--data', this.path('network'), '--json']);
    const { token } = JSON.parse(stdout) as { token: string };
    this.secrets.push(tokenSecret(token));
    this.#sayings.push(stderr);
    if (leaks(stdout, [tokenSecret(token)]).length !== 1) throw new Error('the search does not find a token');
    return token;
  }

  async start(event: string, args: readonly string[]): Promise<Running> {
    const running = bench.start([...args, '--log-level', this.level]);
    this.#running.push(running);
    await running.event(event);
    return running;
  }

  async networkUp(): Promise<void> {
    this.#network = await this.start('up', ['up', '--data', this.path('network'), '--port', '0']);
  }

  /** Notes every secret that the devices hold, none of which is open. */
  async noteDevices(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.secrets.push(...(await secretsInDirectory(this.path(name), 'state.key')));
    }
  }

  /** Stops the network, and notes every secret that the nodes hold. */
  async networkDown(): Promise<void> {
    await this.#network?.end();
    for (const node of NODES) {
      const found = await secretsInDirectory(join(this.path('network'), 'nodes', node), 'master.key');
      this.secrets.push(...found);
    }
    for (const name of ['admin.key', 'root.key']) {
      this.secrets.push(await secretFile(join(this.path('network'), name)));
    }
  }

  /** Everything that was written for anybody to read. */
  async written(): Promise<string> {
    const network = await readdir(this.path('network'));
    const logs = await Promise.all(
      network
        .filter((name) => name.includes('.log'))
        .map(async (name) => readFile(join(this.path('network'), name), 'utf8')),
    );
    return [...logs, ...this.#sayings, ...this.#running.map((running) => running.text)].join('\n');
  }
}

/** Enrolment, ratchet, keys of every suite, a pending key, a PSK, a file, a renewal, both revocations. */
async function fullRun(run: Run): Promise<void> {
  const enrol = async (name: string): Promise<string> => {
    const args = ['device', 'enrol', '--token', '-', '--state', run.path(name), '--name', name];
    return String((await run.command(args, await run.token()))['deviceId']);
  };
  await run.networkUp();
  const [, bob] = [await enrol('alice'), await enrol('bob')];
  await run.noteDevices('alice', 'bob');
  await run.command(['device', 'ratchet', '--state', run.path('alice')]);
  await run.command(['key', 'negotiate', '--state', run.path('alice'), '--peer', bob, '--wait', '0']);
  await run.noteDevices('alice', 'bob');
  await run.networkDown();

  await run.networkUp();
  const listen = ['device', 'listen', '--state', run.path('bob'), '--out', run.path('inbox')];
  const listener = await run.start('listening', listen);
  const negotiate = ['key', 'negotiate', '--state', run.path('alice'), '--peer', bob];
  const key = await run.command([...negotiate, '--out', run.path('key')]);
  run.secrets.push(await secretFile(run.path('key')));
  for (const suite of ['2', '3']) await run.command([...negotiate, '--suite', suite]);
  const keyId = String(key['keyId']);
  const psk = ['key', 'psk', '--state', run.path('alice'), '--key', keyId, '--role', 'client'];
  await run.command([...psk, '--out', run.path('psk')]);
  run.secrets.push(await secretFile(run.path('psk')));
  await writeFile(run.path('file'), 'content');
  await run.command(['send', '--state', run.path('alice'), '--peer', bob, run.path('file')]);
  await run.command(['key', 'renew', '--state', run.path('alice'), '--key', keyId]);
  await listener.end();
  await run.noteDevices('alice', 'bob');
  await run.administer(['admin', 'key', 'revoke', keyId]);
  await run.administer(['admin', 'device', 'revoke', bob]);
  await run.networkDown();
}

describe('the search', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256);
  const buffer = Buffer.from(bytes);
  it.each([
    { form: 'hex', text: buffer.toString('hex') },
    { form: 'upper-case hex', text: buffer.toString('hex').toUpperCase() },
    { form: 'base64', text: buffer.toString('base64') },
    { form: 'base64url', text: buffer.toString('base64url') },
    {
      form: 'base64 behind one byte',
      text: Buffer.concat([Buffer.of(7), buffer, Buffer.of(9)]).toString('base64'),
    },
    { form: 'base64 behind two bytes', text: Buffer.concat([Buffer.of(7, 8), buffer]).toString('base64url') },
    { form: 'base32', text: toBase32(bytes).toUpperCase() },
    { form: 'a JSON array', text: JSON.stringify(buffer) },
    { form: 'an inspected buffer', text: buffer.toString('hex').replaceAll(/(..)(?!$)/g, '$1 ') },
  ])('finds a secret as $form', ({ text }) => {
    expect(leaks(`before ${text} behind`, [{ origin: 'here', bytes }])).toEqual(['here']);
  });

  it('finds nothing where there is nothing', () => {
    expect(leaks('nothing', [{ origin: 'here', bytes }])).toEqual([]);
  });
});

describe('a full run', () => {
  it.each(LEVELS)('leaves no secret in what it writes at level %s', { timeout: 240_000 }, async (level) => {
    const run = new Run(await bench.directory(), level);
    await fullRun(run);
    const written = await run.written();
    expect(run.secrets.length).toBeGreaterThan(60);
    expect(leaks(written, run.secrets)).toEqual([]);
    if (level === 'debug' || level === 'info') expect(written).toContain('The node is up.');
    await rm(run.directory, { recursive: true, force: true });
  });
});
