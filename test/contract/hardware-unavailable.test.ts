import { KernelPool, SerialLine, Token, makeFifo } from '@symmetra/hardware';
import { expect, test, vi } from 'vitest';
import { codeOf } from './noise-source-suite.js';

/*
 * A platform without binaries of the two libraries. That this file loads at all shows that importing the package
 * loads neither.
 */

const { noBinary } = vi.hoisted(() => ({
  noBinary(): never {
    throw new Error('no binary for this platform');
  },
}));
vi.mock('koffi', noBinary);
vi.mock('@serialport/bindings-cpp', noBinary);

test.each([
  ['a PKCS#11 token', async () => Token.open({ module: process.execPath, label: 'alice' })],
  ["the kernel's pool", async () => KernelPool.open()],
  ['a FIFO', async () => makeFifo('never-made')],
  [
    'a serial line',
    async () => SerialLine.open({ path: '/dev/null', baudRate: 9600, hardwareFlowControl: false }),
  ],
])('%s is said to be unavailable', async (_, open) => {
  expect(await codeOf(open())).toBe('HARDWARE_UNAVAILABLE');
});
