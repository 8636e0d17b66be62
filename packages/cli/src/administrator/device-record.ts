import { toBase32, toHex } from '@symmetra/crypto';
import type { CodePart } from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';

/** A device as one node knows it. */
type DeviceMessage = Message<'symmetra.admin.v1.Device'>;

/** A device as programs and people see it. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly name: string;
  readonly stage: string;
  readonly epoch: number;
  readonly revoked: boolean;
  readonly cloneSuspected: boolean;
  /** The home node that the device stated; null when it is not attached. */
  readonly home: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly tokenId: string;
  readonly enrolled: string;
}

/** @param device a verified reply of a node. */
export function deviceRecord(device: DeviceMessage): DeviceRecord {
  return {
    deviceId: toBase32(device.deviceId),
    name: device.name,
    stage: device.stage,
    epoch: device.epoch,
    revoked: device.revoked,
    cloneSuspected: device.cloneSuspected,
    home: device.home === '' ? null : device.home,
    tags: { ...device.tags },
    tokenId: toHex(device.tokenId),
    enrolled: new Date(device.enrolledMs).toISOString(),
  };
}

/** ATK-10: what one node gives to the promotion code; undefined before the device confirmed a step there. */
export function codePartOf(nodeId: string, { codePart }: DeviceMessage): CodePart | undefined {
  return codePart === null ? undefined : { nodeId, ...codePart };
}

/** What of a device's standing a person should see at a glance. */
export function standingOf(record: DeviceRecord): string {
  if (record.revoked) return 'revoked';
  return record.cloneSuspected ? 'clone suspected' : record.stage;
}
