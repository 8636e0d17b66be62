import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SymmetraError, wipe } from '@symmetra/crypto';
import { loadKoffi } from '../native.js';
import type { Koffi } from '../native.js';
import { randomRequests } from './ioctl.js';
import type { RandomRequests } from './ioctl.js';

const DEVICE = '/dev/random';
/** The most bytes of one call. The kernel takes 2^31 - 1; this keeps one call short. */
export const KERNEL_MAX_BYTES = 65_536;
const HEADER_BYTES = 8;

type Ioctl = (fd: number, request: number, type: string, argument: ArrayBufferView | null) => number;

/** The entropy pool of the Linux kernel, by the ioctls of /dev/random (random(4)). */
export class KernelPool {
  readonly #koffi: Koffi;
  readonly #ioctl: Ioctl;
  readonly #device: FileHandle;
  readonly #requests: RandomRequests;

  private constructor(koffi: Koffi, ioctl: Ioctl, device: FileHandle, requests: RandomRequests) {
    this.#koffi = koffi;
    this.#ioctl = ioctl;
    this.#device = device;
    this.#requests = requests;
  }

  /** @throws HARDWARE_UNAVAILABLE, and what opening /dev/random throws. */
  static async open(): Promise<KernelPool> {
    const requests = randomRequests(process.platform, process.arch);
    const koffi = await loadKoffi();
    // <sys/ioctl.h>: int ioctl(int fd, unsigned long request, ...);
    const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, ...)') as unknown as Ioctl;
    return new KernelPool(koffi, ioctl, await open(DEVICE, 'r'), requests);
  }

  /** How much entropy the kernel counts, in bits: 256 once its generator is seeded. @throws KERNEL_FEED_FAILED */
  entropyCount(): number {
    const count = new Int32Array(1);
    this.#call('RNDGETENTCNT', this.#requests.getEntropyCount, count);
    return count[0] ?? 0;
  }

  /**
   * Mixes bytes into the pool. They take effect with the next reseed of the kernel's generator.
   * @param bytes 1 to {@link KERNEL_MAX_BYTES}; lent, so the caller wipes them.
   * @param creditBits how much entropy the kernel is to count for them, 0 to 8 a byte. It counts only until its
   *   generator is seeded for the first time.
   * @throws KERNEL_FEED_DENIED without CAP_SYS_ADMIN, KERNEL_FEED_SIZE, KERNEL_FEED_FAILED
   */
  add(bytes: Uint8Array, creditBits: number): void {
    const { length } = bytes;
    const most = 8 * length;
    if (
      length === 0 ||
      length > KERNEL_MAX_BYTES ||
      !(Number.isInteger(creditBits) && creditBits >= 0 && creditBits <= most)
    ) {
      throw new SymmetraError(
        'KERNEL_FEED_SIZE',
        `${length} bytes with a credit of ${creditBits} bits can not be given to the kernel`,
        { bytes: length, creditBits },
      );
    }
    // <linux/random.h>: struct rand_pool_info { int entropy_count; int buf_size; __u32 buf[]; };
    const info = new Uint8Array(HEADER_BYTES + length);
    new Int32Array(info.buffer, 0, 2).set([creditBits, length]);
    info.set(bytes, HEADER_BYTES);
    try {
      this.#call('RNDADDENTROPY', this.#requests.addEntropy, info);
    } finally {
      wipe(info);
    }
  }

  /**
   * Lets the kernel's generator take new seeds from the pool at once.
   * @returns false when it was never seeded yet: then it takes them by itself as soon as it can.
   * @throws KERNEL_FEED_DENIED without CAP_SYS_ADMIN, KERNEL_FEED_FAILED
   */
  reseed(): boolean {
    return this.#call('RNDRESEEDCRNG', this.#requests.reseed, null, this.#koffi.os.errno['ENODATA']);
  }

  async close(): Promise<void> {
    await this.#device.close();
  }

  /** @returns false when the call failed with the errno `refusal`. */
  #call(name: string, request: number, argument: ArrayBufferView | null, refusal?: number): boolean {
    if (this.#ioctl(this.#device.fd, request, 'void *', argument) === 0) return true;
    const errno = this.#koffi.errno();
    if (errno === refusal) return false;
    if (errno === this.#koffi.os.errno['EPERM']) {
      throw new SymmetraError('KERNEL_FEED_DENIED', `${name} needs the capability CAP_SYS_ADMIN`, { errno });
    }
    throw new SymmetraError('KERNEL_FEED_FAILED', `${name} failed with errno ${errno}`, { errno });
  }
}
