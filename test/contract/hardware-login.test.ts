import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { pkcs11Source } from '@symmetra/entropy';
import { Token } from '@symmetra/hardware';
import { ManualClock } from '@symmetra/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { codeOf } from './noise-source-suite.js';

const PIN_INCORRECT = 0xa0;
const FUNCTION_FAILED = 0x06;
const DEVICE_REMOVED = 0x32;
const SESSION_CLOSED = 0xb0;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-login-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** How often a token whose login always fails with this answer is asked by three reads. */
async function loginsOf(ckr: number): Promise<number> {
  const pinFile = join(folder, 'pin');
  await writeFile(pinFile, '4711', { mode: 0o600 });
  const open = vi.spyOn(Token, 'open').mockImplementation(async () => {
    throw new SymmetraError('PKCS11_FAILED', 'planted', { call: 'C_Login', ckr });
  });
  const source = pkcs11Source({
    description: {
      name: 'hsm',
      kind: 'pkcs11',
      physical: true,
      quantum: false,
      simulated: true,
      raw: false,
      bitsPerSample: 8,
      minEntropyPerSample: 8,
    },
    token: { module: 'none', label: 'alice', pinFile },
    clock: new ManualClock(),
    timeoutMs: 1000,
  });
  for (let i = 0; i < 3; i++) {
    expect(await codeOf(source.read(1, new AbortController().signal))).toBe('SOURCE_UNREACHABLE');
  }
  await source.close();
  return open.mock.calls.length;
}

test.each([
  ['looked at the PIN', PIN_INCORRECT],
  ['may have looked at it', FUNCTION_FAILED],
])('a token that %s is not asked again', async (_what, ckr) => {
  expect(await loginsOf(ckr)).toBe(1);
});

test.each([
  ['was unplugged', DEVICE_REMOVED],
  ['had closed the session', SESSION_CLOSED],
])('a token that %s during the login has not seen the PIN, and is asked again', async (_what, ckr) => {
  expect(await loginsOf(ckr)).toBe(3);
});
