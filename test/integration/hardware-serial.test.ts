import { serialSource } from '@symmetra/entropy';
import type { NoiseSource, SourceDescription } from '@symmetra/entropy';
import { SerialLine } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { isSkipped } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { codeOf, describeNoiseSource } from '../contract/noise-source-suite.js';
import { PtyDevice, hasProgram } from './hardware-programs.js';

const isThere = hasProgram('python3');
const never = new AbortController().signal;

test('python3 is installed', (context) => {
  context.skip(isSkipped(isThere), 'python3 is missing: serial lines are not tested');
  expect(isThere).toBe(true);
});

const description: SourceDescription = {
  name: 'usb-qrng',
  kind: 'serial',
  physical: true,
  quantum: true,
  simulated: true,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 8,
};

function sourceAt(path: string, timeoutMs: number, hardwareFlowControl = false): NoiseSource {
  const line = { path, baudRate: 115_200, hardwareFlowControl };
  return serialSource({ description, line, clock: systemClock, timeoutMs });
}

describe.skipIf(!isThere)('a serial line', () => {
  const open = async (timeoutMs: number, ...commands: string[]) => {
    const device = await PtyDevice.start(...commands);
    return { source: sourceAt(device.path, timeoutMs), end: async () => device.remove() };
  };
  describeNoiseSource('a serial line', async () => open(20_000, 'flood'), {
    largest: 100_000,
    silent: async () => open(300),
  });

  test('that is unplugged is unreachable, and is read again when it is back', async () => {
    const device = await PtyDevice.start('flood');
    const source = sourceAt(device.path, 20_000);
    await source.read(1000, never);
    await device.tell('unplug');
    expect(await codeOf(source.read(100_000, never))).toBe('SOURCE_UNREACHABLE');
    expect(await codeOf(source.read(1000, never))).toBe('SOURCE_UNREACHABLE');
    await device.tell('plug');
    await device.tell('flood');
    expect((await source.read(1000, never)).samples).toHaveLength(1000);
    await source.close();
    await device.remove();
  });

  test('that is unplugged while it is waited for is unreachable at once', async () => {
    const device = await PtyDevice.start();
    const source = sourceAt(device.path, 60_000);
    const code = codeOf(source.read(10, never));
    await device.tell('send 5');
    await device.tell('unplug');
    expect(await code).toBe('SOURCE_UNREACHABLE');
    await source.close();
    await device.remove();
  });

  test('that falls silent is told of, and what came before is not handed out later', async () => {
    const device = await PtyDevice.start();
    const line = await SerialLine.open({ path: device.path, baudRate: 9600, hardwareFlowControl: true });
    const buffer = new Uint8Array(64);
    const first = line.read(buffer);
    await device.tell('send 7');
    expect(await first).toBe(7);
    const second = codeOf(line.read(buffer));
    await line.close();
    await line.close();
    expect(await second).toBe('SERIAL_GONE');
    expect(await codeOf(line.read(buffer))).toBe('SERIAL_GONE');

    await device.tell('send 5');
    const source = sourceAt(device.path, 300);
    expect(await codeOf(source.read(5, never))).toBe('SOURCE_SILENT');
    await source.close();
    await device.remove();
  });

  test('that is not there, or is no line, is unreachable', async () => {
    for (const path of ['/dev/null', '/dev/no-such-line']) {
      await expect(sourceAt(path, 1000).read(10, never)).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        details: { reason: 'SERIAL_FAILED' },
      });
    }
  });
});
