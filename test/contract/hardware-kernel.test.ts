import { describe, expect, test } from 'vitest';
import { randomRequests } from '../../packages/hardware/src/kernel/ioctl.js';
import { decodeTokenInfo } from '../../packages/hardware/src/pkcs11/token-info.js';

describe('the ioctls of /dev/random', () => {
  test.each(['arm', 'arm64', 'ia32', 'loong64', 'riscv64', 's390x', 'x64'])(
    'have their numbers on %s',
    (arch) => {
      expect(randomRequests('linux', arch)).toEqual({
        getEntropyCount: 0x8004_5200,
        addEntropy: 0x4008_5203,
        reseed: 0x5207,
      });
    },
  );

  test.each([
    ['linux', 'mips'],
    ['linux', 'mipsel'],
    ['linux', 'ppc64'],
    ['linux', 'an architecture to come'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
  ])('are refused on %s %s', (platform, arch) => {
    expect(() => randomRequests(platform, arch)).toThrow(
      expect.objectContaining({ code: 'HARDWARE_UNAVAILABLE' }),
    );
  });
});

describe('what a PKCS#11 token says of itself', () => {
  const info = (flags: bigint, label: string): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(208).fill(0x20);
    bytes.set(new TextEncoder().encode(label));
    bytes.set(new TextEncoder().encode('Alice and Sons'), 32);
    bytes.set(new TextEncoder().encode('QRNG HSM'), 64);
    new BigUint64Array(bytes.buffer)[12] = flags;
    return bytes;
  };

  test('is read without the padding', () => {
    expect(decodeTokenInfo(info(0x405n, 'alice'))).toEqual({
      label: 'alice',
      manufacturer: 'Alice and Sons',
      model: 'QRNG HSM',
      hasRng: true,
    });
    expect(decodeTokenInfo(info(0x404n, 'alice\0\0\0')).label).toBe('alice');
    expect(decodeTokenInfo(info(0x404n, 'x'.repeat(32))).label).toBe('x'.repeat(32));
  });

  test('tells whether it has a generator', () => {
    expect(decodeTokenInfo(info(0x404n, 'alice')).hasRng).toBe(false);
    expect(decodeTokenInfo(info(0xffff_ffff_ffff_ffffn, 'alice')).hasRng).toBe(true);
  });
});
