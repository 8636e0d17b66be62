import { createLogger, systemClock } from '@symmetra/runtime';
import type { Clock, Logger } from '@symmetra/runtime';
import type { DevicePorts } from './ports.js';
import { createRandomness } from './randomness.js';
import type { DeviceRandomness } from './randomness.js';
import { DeviceState } from './state/device-state.js';
import type { StateDirectory } from './state/state-directory.js';

/** What every device takes, new or not. */
export interface DeviceOptions {
  /** The directory in which the device keeps its state; it belongs to one process at a time. */
  readonly state: string;
  /** Seals the state instead of a key file. */
  readonly passphrase?: string;
  /** The suite to use when nothing else is asked: 1, 2 or 3. */
  readonly suite?: number;
  /** Silent by default. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Milliseconds between two ratchet steps at a node; default one day. */
  readonly ratchetEvery?: number;
}

/** The parts of a device that is not enrolled yet, or is just being opened. */
export interface Foundation {
  readonly directory: StateDirectory;
  readonly state: DeviceState;
  readonly random: DeviceRandomness;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: DevicePorts;
}

/** What lies under everything else. @throws what opening the state throws */
export async function layFoundation(
  options: DeviceOptions,
  ports: DevicePorts,
  create: boolean,
): Promise<Foundation> {
  const random = createRandomness(ports.random);
  const { state: path, passphrase } = options;
  const directory = await ports.openState({ path, passphrase, create, random: random.bytes });
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? createLogger({ level: 'silent', clock });
  return { directory, state: new DeviceState(directory.store), random, clock, logger, ports };
}
