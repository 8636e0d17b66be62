import { copyFile, link, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SymmetraError } from '@symmetra/crypto';
import { pkcs11Source } from '@symmetra/entropy';
import type { SourceDescription } from '@symmetra/entropy';
import { TOKEN_MAX_BYTES, Token } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { isSkipped } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, describeNoiseSource } from '../contract/noise-source-suite.js';
import { SoftHsm, findSoftHsm } from './hardware-programs.js';

const PIN = '4711';
const found = findSoftHsm();
const module = found ?? '';

test('SoftHSM2 is installed', (context) => {
  context.skip(
    isSkipped(found !== undefined),
    'SoftHSM2 (Debian: softhsm2) is missing: PKCS#11 is not tested',
  );
  expect(found).toBeDefined();
});

describe.skipIf(found === undefined)('a PKCS#11 token', () => {
  let hsm: SoftHsm;
  const never = new AbortController().signal;

  beforeAll(async () => {
    hsm = await SoftHsm.make();
    hsm.addToken('alice', PIN);
    hsm.addToken('bob', PIN);
  });
  afterAll(async () => hsm.remove());

  const description: SourceDescription = {
    name: 'hsm',
    kind: 'pkcs11',
    physical: true,
    quantum: false,
    simulated: true,
    raw: false,
    bitsPerSample: 8,
    minEntropyPerSample: 8,
  };
  const source = (label: string, path = module) =>
    pkcs11Source({ description, token: { module: path, label }, clock: systemClock, timeoutMs: 20_000 });

  describeNoiseSource('a PKCS#11 token', async () => ({ source: source('alice') }), { largest: 200_000 });

  test('is found by its label and says that it has a generator', async () => {
    const token = await Token.open({ module, label: 'bob' });
    expect(token.info).toMatchObject({ label: 'bob', hasRng: true });
    const bytes = await token.random(TOKEN_MAX_BYTES);
    expect(bytes).toHaveLength(TOKEN_MAX_BYTES);
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    await token.close();
  });

  test('is used by several at once: the first that leaves ends it for nobody', async () => {
    const [one, two] = await Promise.all([
      Token.open({ module, label: 'alice' }),
      Token.open({ module, label: 'bob' }),
    ]);
    await one.close();
    expect(await two.random(32)).toHaveLength(32);
    await two.close();
    await two.close();
    const three = await Token.open({ module, label: 'alice' });
    expect(await three.random(32)).toHaveLength(32);
    await three.close();
  });

  test('stays loaded while the garbage of opening it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const token = await Token.open({ module, label: 'alice' });
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await setImmediate();
      expect(await token.random(32)).toHaveLength(32);
    }
    await token.close();
  });

  test('is not ended when somebody else had started its module', async () => {
    const [mine, other] = [join(hsm.folder, 'module.so'), join(hsm.folder, 'module-by-another-name.so')];
    await copyFile(module, mine);
    await link(mine, other);
    const owner = await Token.open({ module: mine, label: 'alice' });
    const guest = await Token.open({ module: other, label: 'alice' });
    await guest.close();
    expect(await owner.random(32)).toHaveLength(32);
    await owner.close();
  });

  test('refuses calls after its end with the number of the return value', async () => {
    const token = await Token.open({ module, label: 'alice' });
    await token.close();
    const error: unknown = await token.random(32).catch((error_: unknown) => error_);
    expect(error).toBeInstanceOf(SymmetraError);
    expect(error).toMatchObject({
      code: 'PKCS11_FAILED',
      details: { call: 'C_GenerateRandom', ckr: 0x190 },
      message: expect.stringContaining('CKR_CRYPTOKI_NOT_INITIALIZED') as string,
    });
  });

  test('is logged in to with a PIN from a file', async () => {
    const pinFile = join(hsm.folder, 'pin');
    await writeFile(pinFile, `${PIN}\n`, { mode: 0o600 });
    const token = await Token.open({ module, label: 'alice', pinFile });
    expect(await token.random(32)).toHaveLength(32);
    const again = await Token.open({ module, label: 'alice', pinFile });
    await Promise.all([token.close(), again.close()]);
  });

  test('refuses a wrong PIN, and its module is free again', async () => {
    const pinFile = join(hsm.folder, 'wrong-pin');
    await writeFile(pinFile, '0815', { mode: 0o600 });
    await expect(Token.open({ module, label: 'alice', pinFile })).rejects.toMatchObject({
      code: 'PKCS11_FAILED',
      details: { call: 'C_Login', ckr: 0xa0 },
    });
    const right = source('alice');
    expect(await codeOf(right.read(32, never))).toBe('none');
    await right.close();
  });

  test('is not asked again with a PIN that it refused, until the file of the PIN changes', async () => {
    const pinFile = join(hsm.folder, 'mended-pin');
    const written = new Date(1_700_000_000_000);
    const write = async (pin: string, at: Date): Promise<void> => {
      await writeFile(pinFile, pin, { mode: 0o600 });
      await utimes(pinFile, at, at);
    };
    const token = { module, label: 'alice', pinFile };
    const guarded = pkcs11Source({ description, token, clock: systemClock, timeoutMs: 20_000 });
    const refused = { code: 'SOURCE_UNREACHABLE', details: { reason: 'PKCS11_FAILED', ckr: 0xa0 } };
    await write('0815', written);
    await expect(guarded.read(10, never)).rejects.toMatchObject(refused);
    // Were the token asked, it would take this PIN.
    await write(PIN, written);
    await expect(guarded.read(10, never)).rejects.toMatchObject(refused);
    await write(PIN, new Date(written.getTime() + 1000));
    expect((await guarded.read(10, never)).samples).toHaveLength(10);
    await guarded.close();
  });

  test('that is not there is named so, and so is a file that is no module', async () => {
    expect(await codeOf(Token.open({ module, label: 'mallory' }))).toBe('PKCS11_NO_TOKEN');
    expect(await codeOf(Token.open({ module: join(hsm.folder, 'none.so'), label: 'alice' }))).toBe(
      'PKCS11_NO_MODULE',
    );
    expect(await codeOf(Token.open({ module: join(hsm.folder, 'softhsm2.conf'), label: 'alice' }))).toBe(
      'PKCS11_NO_MODULE',
    );
  });

  test('that is missing makes its source unreachable until it is there', async () => {
    const late = source('carol');
    await expect(late.read(10, never)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      details: { source: 'hsm', reason: 'PKCS11_NO_TOKEN' },
    });
    hsm.addToken('carol', PIN);
    expect((await late.read(10, never)).samples).toHaveLength(10);
    await late.close();
  });
});
