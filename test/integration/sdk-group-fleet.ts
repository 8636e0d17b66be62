import { expect } from 'vitest';
import { toHex } from '@symmetra/crypto';
import type { Device, GroupInfo } from '@symmetra/sdk';
import { until } from './sdk-fleet.js';

/** The group as a device sees it, when it holds a key of it. */
export function seen(device: Device, groupId: string): GroupInfo | undefined {
  return device.group.list().find((info) => info.groupId === groupId);
}

/**
 * Waits until all devices hold the same newest epoch of a group, and compares what they hold of it.
 * @param fits what the epoch must be
 */
export async function agreed(
  groupId: string,
  devices: readonly Device[],
  fits: (info: GroupInfo) => boolean = () => true,
): Promise<GroupInfo> {
  const epochIds = (): Set<string | undefined> =>
    new Set(devices.map((device) => seen(device, groupId)?.epochId));
  const isThere = (): boolean => {
    const info = devices[0] && seen(devices[0], groupId);
    return info !== undefined && epochIds().size === 1 && fits(info);
  };
  await until(isThere, 'all members in one epoch');
  const infos = devices.map((device) => device.group.show(groupId));
  const [first] = infos;
  expect(infos.map(({ fingerprint }) => fingerprint)).toEqual(infos.map(() => first?.fingerprint));
  const keys = devices.map((device) => toHex(device.group.key(groupId).bytes));
  expect(new Set(keys).size).toBe(1);
  return first as GroupInfo;
}
