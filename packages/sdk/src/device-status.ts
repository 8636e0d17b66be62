import { toBase32 } from '@symmetra/crypto';
import { newestKeys } from '@symmetra/protocol';
import type { Assembly } from './assembly.js';
import { stageOf } from './chain/stages.js';

/** Where a device stands. */
export interface DeviceStatus {
  readonly deviceId: string;
  readonly name: string;
  /** The stage that the device has reached at enough nodes; empty before that. */
  readonly stage: string;
  /** The epoch of the authentication keys at each node. */
  readonly epochs: Readonly<Record<string, number>>;
  /** The home node; null when the device is not connected. */
  readonly home: string | null;
  /** What its owner should know, a sentence each. */
  readonly warnings: readonly string[];
}

type StatusParts = Pick<
  Assembly,
  'device' | 'chains' | 'connection' | 'descriptors' | 'policies' | 'nodeClock' | 'enrolments'
>;

export function statusOf(parts: StatusParts): DeviceStatus {
  const { device, chains, connection } = parts;
  return {
    deviceId: toBase32(device.deviceId),
    name: device.name,
    stage: stageOf(parts),
    epochs: Object.fromEntries(
      chains.nodes().map((nodeId) => [nodeId, newestKeys(chains.get(nodeId)).epoch]),
    ),
    home: connection.home ?? null,
    warnings: warningsOf(parts),
  };
}

function warningsOf({ nodeClock, enrolments }: StatusParts): readonly string[] {
  const seconds = Math.round(Math.abs(nodeClock.offsetMs) / 1000);
  const direction = nodeClock.offsetMs > 0 ? 'behind' : 'ahead of';
  const unfinished = enrolments.unfinished();
  return [
    ...(nodeClock.isOff ? [`the clock of this device is ${seconds} s ${direction} the nodes' clocks`] : []),
    ...(unfinished.length > 0 ? [`the enrolment is not finished at ${unfinished.join(', ')}`] : []),
  ];
}
