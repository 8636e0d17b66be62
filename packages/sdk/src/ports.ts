import { suites } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { osRandom } from '@symmetra/entropy/device';
import type { RandomBytes } from '@symmetra/entropy/device';
import { NodeClient } from '@symmetra/rpc';
import type { ClientOptions, NodeConnection } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { Device } from './device.js';
import { serveOwner } from './owner/owner-server.js';
import { openStateDirectory } from './state/state-directory.js';
import type { StateDirectory, StateDirectoryOptions } from './state/state-directory.js';

/** Everything that a device needs of the world, beside its clock and its logger. */
export interface DevicePorts {
  /** The connection to the node at an address, host:port; it is made when it is first used. */
  readonly connect: (address: string, options: ClientOptions) => NodeConnection;
  /** What the device seeds its own generator with. */
  readonly random: RandomBytes;
  readonly suites: SuiteTable;
  /** Opens the state, for this device alone. */
  readonly openState: (options: StateDirectoryOptions) => Promise<StateDirectory>;
  /** Takes the commands of the owner's other processes. @returns what ends it */
  readonly serveOwner: (device: Device, state: string, logger: Logger) => Promise<() => Promise<void>>;
}

const os = osRandom();

/** gRPC, the operating system's random numbers, a directory. */
export const systemPorts: DevicePorts = {
  connect: (address, options) => new NodeClient(address, options),
  random: os.bytes,
  suites,
  openState: openStateDirectory,
  serveOwner,
};
