import { unavailable } from '../native.js';

/*
 * The numbers of the ioctls of /dev/random. <linux/random.h>:
 *   #define RNDGETENTCNT   _IOR( 'R', 0x00, int )
 *   #define RNDADDENTROPY  _IOW( 'R', 0x03, int [2] )
 *   #define RNDRESEEDCRNG  _IO( 'R', 0x07 )
 * <asm-generic/ioctl.h> puts 8 bits of number, 8 of type, 14 of size and 2 of direction above one another, with
 * _IOC_NONE 0, _IOC_WRITE 1 and _IOC_READ 2.
 */

/** Architectures, as Node names them, whose <asm/ioctl.h> is the generic one; alpha, mips, powerpc and sparc differ. */
const GENERIC = new Set(['arm', 'arm64', 'ia32', 'loong64', 'riscv64', 's390x', 'x64']);

const NONE = 0;
const WRITE = 1;
const READ = 2;
const TYPE = 'R'.charCodeAt(0);
const INT_BYTES = 4;

/** The request numbers of this kernel's /dev/random. */
export interface RandomRequests {
  readonly getEntropyCount: number;
  readonly addEntropy: number;
  readonly reseed: number;
}

/** @throws HARDWARE_UNAVAILABLE on anything but Linux with the generic encoding. */
export function randomRequests(platform: string, arch: string): RandomRequests {
  if (platform !== 'linux' || !GENERIC.has(arch)) throw unavailable('the ioctls of /dev/random');
  return {
    getEntropyCount: request(READ, 0x00, INT_BYTES),
    addEntropy: request(WRITE, 0x03, 2 * INT_BYTES),
    reseed: request(NONE, 0x07, 0),
  };
}

function request(direction: number, number: number, size: number): number {
  return ((direction << 30) | (size << 16) | (TYPE << 8) | number) >>> 0;
}
