import { randomFillSync } from 'node:crypto';
import { BytePool } from './byte-pool.js';
import type { NodeRandomness, RandomSource } from './source.js';

/** One system call for 128 draws of 32 bytes. */
const POOL_BYTES = 4096;

/**
 * The operating system's generator, through node:crypto. It is a DRBG that the kernel seeds from
 * sources we know nothing of, and is labelled so. Each call opens a source with a pool of its own.
 */
export function osRandom(): RandomSource {
  const pool = new BytePool((length) => randomFillSync(new Uint8Array(length)), POOL_BYTES);
  return { name: 'os', physical: false, quantum: false, bytes: (length) => pool.draw(length) };
}

/** The operating system's generator as a node's randomness: it never runs dry. */
export function osRandomness(): NodeRandomness {
  const { bytes } = osRandom();
  return { bytes, requireEntropy: () => undefined };
}
