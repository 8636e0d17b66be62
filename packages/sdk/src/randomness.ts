import { DeviceRandom } from '@symmetra/entropy/device';
import type { RandomBytes } from '@symmetra/entropy/device';

/** The random numbers of a device, into which it mixes the entropy of the nodes. */
export interface DeviceRandomness {
  readonly bytes: (length: number) => Uint8Array;
  /** Absorbs the entropy q of a node, and wipes it. */
  mix(contribution: Uint8Array): void;
  wipe(): void;
}

/** @param os the operating system's random bytes */
export function createRandomness(os: RandomBytes): DeviceRandomness {
  const random = new DeviceRandom(os);
  return {
    bytes: random.bytes,
    mix(contribution) {
      random.mix(contribution);
      contribution.fill(0);
    },
    wipe: () => random.wipe(),
  };
}
