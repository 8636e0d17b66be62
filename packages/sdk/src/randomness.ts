import { DeviceRandom, osRandom } from '@symmetra/entropy/device';

/** The random numbers of a device, into which it mixes the entropy of the nodes. */
export interface DeviceRandomness {
  readonly bytes: (length: number) => Uint8Array;
  /** Absorbs the entropy q of a node, and wipes it. */
  mix(contribution: Uint8Array): void;
  wipe(): void;
}

export function createRandomness(): DeviceRandomness {
  const random = new DeviceRandom(osRandom().bytes);
  return {
    bytes: random.bytes,
    mix(contribution) {
      random.mix(contribution);
      contribution.fill(0);
    },
    wipe: () => random.wipe(),
  };
}
