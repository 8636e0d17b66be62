import { SymmetraError } from '@symmetra/crypto';
import type { Assembly } from './assembly.js';
import { Device } from './device.js';
import { layFoundation } from './foundation.js';
import type { DeviceOptions } from './foundation.js';
import { systemPorts } from './ports.js';
import type { DeviceRecord } from './state/records.js';

/**
 * Opens an enrolled device. What was under way when it was closed goes on: enrolments at the remaining nodes, and
 * negotiations once it is connected.
 * @throws STATE_MISSING, STATE_INCOMPLETE, STATE_VERSION, STATE_IN_USE, WRONG_PASSPHRASE, DISK_FULL, NO_PERMISSION
 */
export async function openDevice(options: DeviceOptions, ports = systemPorts): Promise<Device> {
  const foundation = await layFoundation(options, ports, false);
  try {
    const record = await foundation.state.read<DeviceRecord>('device');
    if (record === undefined) {
      throw new SymmetraError('STATE_INCOMPLETE', 'the enrolment was never begun; enrol the device again');
    }
    const { device, parts } = await Device.build(foundation, record, options);
    await beginWork(device, parts);
    return device;
  } catch (error) {
    await foundation.directory.close();
    throw error;
  }
}

/** Goes on with what is under way, and takes the commands of other processes. */
export async function beginWork(device: Device, parts: Assembly): Promise<void> {
  device.onClose(await parts.ports.serveOwner(device, parts.directory.path, parts.logger));
  parts.completion.start();
  parts.schedule.kick();
  parts.negotiations.resume();
}
