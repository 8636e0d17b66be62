import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex, toHex } from '@symmetra/crypto';
import { osRandom } from '@symmetra/entropy';
import { SCRYPT_PARAMETERS, masterKeyFile, passphraseFile, passphraseKey } from '@symmetra/storage';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryDirectory } from './store-fixtures.js';

const random = osRandom().bytes;
const cheap = { n: 2 ** 14, r: 1, p: 1 };

describe('a master key file', () => {
  it('is made once, whole and private, and read ever after', async () => {
    const dir = join(await temporaryDirectory(), 'keys');
    const path = join(dir, 'master.key');
    const made = await masterKeyFile(path, random);
    expect(made.bytes).toEqual(new Uint8Array(await readFile(path)));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await masterKeyFile(path, random)).bytes).toEqual(made.bytes);
    expect(await readdir(dir)).toEqual(['master.key']);
  });

  it('is one key for all who make it at once', async () => {
    const path = join(await temporaryDirectory(), 'master.key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => masterKeyFile(path, random)));
    expect(new Set(keys.map((key) => toHex(key.bytes))).size).toBe(1);
  });

  it('is refused when others may use it', async () => {
    const path = join(await temporaryDirectory(), 'master.key');
    await masterKeyFile(path, random);
    for (const mode of [0o640, 0o604, 0o660, 0o601]) {
      await chmod(path, mode);
      expect(await refusal(masterKeyFile(path, random))).toBe('KEY_FILE_MODE');
    }
    await chmod(path, 0o400);
    expect(await refusal(masterKeyFile(path, random))).toBe('none');
  });

  it('is refused, and not replaced, when it does not hold 32 bytes', async () => {
    const path = join(await temporaryDirectory(), 'master.key');
    for (const length of [0, 31, 33, 64]) {
      await writeFile(path, new Uint8Array(length), { mode: 0o600 });
      expect(await refusal(masterKeyFile(path, random))).toBe('KEY_FILE_LENGTH');
      expect((await stat(path)).size).toBe(length);
    }
  });
});

describe('a passphrase key', () => {
  const salt = fromHex('000102030405060708090a0b0c0d0e0f');

  it('depends on the passphrase, the salt and the costs, and on nothing else', async () => {
    const key = async (...input: Parameters<typeof passphraseKey>) =>
      toHex((await passphraseKey(...input)).bytes);
    const first = await key('correct horse', salt, cheap);
    expect(await key('correct horse', salt, cheap)).toBe(first);
    expect(await key('correct horsf', salt, cheap)).not.toBe(first);
    expect(await key('correct horse', salt.toReversed(), cheap)).not.toBe(first);
    expect(await key('correct horse', salt, { ...cheap, r: 2 })).not.toBe(first);
    expect(await key('correct horse', salt, { ...cheap, p: 2 })).not.toBe(first);
    expect(await key('correct horse', salt, { ...cheap, n: 2 ** 15 })).not.toBe(first);
  });

  it('is the same however the passphrase was typed', async () => {
    const [composed, decomposed] = await Promise.all(
      ['\u00e9t\u00e9', 'e\u0301te\u0301'].map((typed) => passphraseKey(typed, salt, cheap)),
    );
    expect(composed?.bytes).toEqual(decomposed?.bytes);
  });

  it('is refused for an empty passphrase, and for costs that are too low or would exhaust memory', async () => {
    expect(await refusal(passphraseKey('', salt, cheap))).toBe('BAD_PASSPHRASE');
    const bad = [
      { n: 2 ** 13 },
      { n: 2 ** 21 },
      { n: 20_000 },
      { r: 0 },
      { r: 33 },
      { p: 0 },
      { p: 17 },
      { r: 1.5 },
    ];
    for (const part of bad) {
      expect(await refusal(passphraseKey('x', salt, { ...cheap, ...part }))).toBe(
        'BAD_PASSPHRASE_PARAMETERS',
      );
    }
    expect(await refusal(passphraseKey('x', salt.slice(1), cheap))).toBe('BAD_PASSPHRASE_PARAMETERS');
  });
});

describe('a passphrase file', () => {
  it('keeps salt and costs beside the data, and tells a wrong passphrase', async () => {
    const path = join(await temporaryDirectory(), 'passphrase.json');
    const made = await passphraseFile(path, 'correct horse', random);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const file = await readFile(path, 'utf8');
    expect(JSON.parse(file)).toMatchObject({ format: 1, kdf: 'scrypt', ...SCRYPT_PARAMETERS });
    expect(file).not.toContain(toHex(made.bytes));
    expect((await passphraseFile(path, 'correct horse', random)).bytes).toEqual(made.bytes);
    expect(await refusal(passphraseFile(path, 'wrong horse', random))).toBe('WRONG_PASSPHRASE');
    expect(await readFile(path, 'utf8')).toBe(file);
  });

  it('is refused when it is damaged', async () => {
    const path = join(await temporaryDirectory(), 'passphrase.json');
    const good = { format: 1, kdf: 'scrypt', ...cheap, salt: 'A'.repeat(22), check: 'A'.repeat(22) };
    const damaged = [
      '',
      '{',
      'null',
      '{}',
      ...[{ n: '16384' }, { salt: 7 }, { salt: 'AA' }, { format: 2 }, { n: 3 }].map((part) =>
        JSON.stringify({ ...good, ...part }),
      ),
    ];
    for (const content of damaged) {
      await writeFile(path, content, { mode: 0o600 });
      expect(await refusal(passphraseFile(path, 'x', random)), content).toBe('BAD_PASSPHRASE_PARAMETERS');
    }
    await writeFile(path, JSON.stringify(good));
    expect(await refusal(passphraseFile(path, 'x', random))).toBe('WRONG_PASSPHRASE');
  });
});
