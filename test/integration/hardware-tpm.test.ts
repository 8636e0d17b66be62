import { tpmSource } from '@symmetra/entropy';
import type { NoiseSource, SourceDescription } from '@symmetra/entropy';
import { Tpm } from '@symmetra/hardware';
import type { TpmAddress } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { isSkipped } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, describeNoiseSource } from '../contract/noise-source-suite.js';
import { PtyDevice, Swtpm, hasProgram } from './hardware-programs.js';

const isThere = hasProgram('swtpm') && hasProgram('python3');
const never = new AbortController().signal;
const noPause = async (): Promise<void> => undefined;

test('swtpm and python3 are installed', (context) => {
  context.skip(isSkipped(isThere), 'swtpm or python3 is missing: TPM 2.0 is not tested');
  expect(isThere).toBe(true);
});

const description: SourceDescription = {
  name: 'tpm',
  kind: 'tpm',
  physical: true,
  quantum: false,
  simulated: true,
  raw: false,
  bitsPerSample: 8,
  minEntropyPerSample: 8,
};
const sourceAt = (address: TpmAddress, timeoutMs = 20_000): NoiseSource =>
  tpmSource({ description, address, clock: systemClock, timeoutMs });

describe.skipIf(!isThere).each(['unix', 'tcp'] as const)('a TPM 2.0 at a socket (%s)', (kind) => {
  let tpm: Swtpm;
  beforeAll(async () => {
    tpm = await Swtpm.start(kind);
  });
  afterAll(async () => tpm.remove());

  describeNoiseSource(`a TPM (${kind})`, async () => ({ source: sourceAt(tpm.address) }), { largest: 4000 });

  test('takes bytes to stir, at most 128', async () => {
    const open = await Tpm.open(tpm.address, noPause);
    await open.stir(new Uint8Array(128).fill(7));
    await open.stir(new Uint8Array());
    expect(await codeOf(open.stir(new Uint8Array(129)))).toBe('TPM_STIR_TOO_LONG');
    expect(await open.random(1000)).toSatisfy(
      (bytes: Uint8Array) => bytes.length >= 32 && bytes.length <= 64,
    );
    await open.close();
  });

  test('that loses power is unreachable, and is started again when it is back', async () => {
    const source = sourceAt(tpm.address);
    await source.read(100, never);
    await tpm.powerOff();
    expect(await codeOf(source.read(100, never))).toBe('SOURCE_UNREACHABLE');
    expect(await codeOf(source.read(100, never))).toBe('SOURCE_UNREACHABLE');
    await tpm.powerOn();
    expect((await source.read(100, never)).samples).toHaveLength(100);
    await source.close();
  });
});

describe.skipIf(!isThere)('a TPM 2.0 at a character device', () => {
  let tpm: Swtpm;
  let device: PtyDevice;
  beforeAll(async () => {
    tpm = await Swtpm.start('unix');
    if (!('socket' in tpm.address)) throw new Error('not a Unix socket');
    device = await PtyDevice.start(`relay ${tpm.address.socket}`);
  });
  afterAll(async () => {
    await device.remove();
    await tpm.remove();
  });

  test('gives random bytes', async () => {
    const source = sourceAt({ device: device.path });
    const [one, two] = [await source.read(300, never), await source.read(300, never)];
    expect(one.samples).toHaveLength(300);
    expect(two.samples).not.toEqual(one.samples);
    await source.close();
  });

  test('that is not there makes its source unreachable', async () => {
    await expect(sourceAt({ device: `${device.path}-none` }).read(10, never)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      details: { reason: 'ENOENT' },
    });
  });
});
