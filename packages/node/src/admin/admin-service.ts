import { SymmetraError, fromHex } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, nodeCodePart } from '@symmetra/protocol';
import type { Message, MessageInput } from '@symmetra/rpc';
import type { Control } from '../control/assemble.js';
import type { ControlState } from '../control/control-state.js';
import type { LogRows } from '../control/log-rows.js';
import { fromNotice, toNotice } from '../control/notice.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { DeviceRow } from '../devices/device-row.js';
import type { Presences } from '../presence/presences.js';
import { hexOf } from '../rows/row-keys.js';
import type { SignedHandlers } from './signed-calls.js';

const DEFAULT_DEVICES = 500;
const MAX_DEVICES = 1000;
const MAX_EVENTS = 100;

export interface AdminServiceParts {
  readonly state: ControlState;
  readonly log: LogRows;
  readonly control: Pick<Control, 'submit'>;
  readonly devices: DeviceRegistry;
  readonly presences: Presences;
}

/** What administrators decide and read (CTL-6). */
export function adminHandlers(parts: AdminServiceParts): SignedHandlers {
  const { state, log, control, devices, presences } = parts;

  const describe = async (
    deviceHex: string,
    row: DeviceRow,
  ): Promise<MessageInput<'symmetra.admin.v1.Device'>> => ({
    deviceId: fromHex(deviceHex),
    name: row.name,
    tags: Object.fromEntries(row.tags.map(({ key, value }) => [key, value])),
    stage: row.chain.keys.stage,
    epoch: row.chain.keys.epoch,
    revoked: state.isDeviceRevoked(deviceHex),
    home: (await presences.find(deviceHex))?.home ?? '',
    tokenId: row.tokenId,
    enrolledMs: row.enrolledMs,
    cloneSuspected: row.cloneSuspected,
    codePart: codePartOf(row),
  });

  return {
    '/symmetra.admin.v1.AdminService/GetHead': async () => ({
      number: state.head.number,
      head: Buffer.from(state.head.hash),
    }),

    '/symmetra.admin.v1.AdminService/Submit': async ({ event }) => {
      if (event === null) throw new SymmetraError('BAD_MESSAGE', 'the request holds no event');
      const signed = fromNotice(event);
      const { number, receipts } = await control.submit(signed);
      return { number, receipts: [...receipts] };
    },

    '/symmetra.admin.v1.AdminService/ListEvents': async ({ from, limit }) => {
      const events = await log.range(Math.max(1, from), bounded(limit, MAX_EVENTS, MAX_EVENTS));
      return { events: events.map(toNotice) };
    },

    '/symmetra.admin.v1.AdminService/ListDevices': async ({ after, limit }) => {
      if (after.length > 0) checkDeviceId(after);
      const count = bounded(limit, DEFAULT_DEVICES, MAX_DEVICES);
      const page = await devices.list(after.length > 0 ? hexOf(after) : undefined, count);
      return { devices: await Promise.all(page.map(async ({ hex, row }) => describe(hex, row))) };
    },

    '/symmetra.admin.v1.AdminService/GetDevice': async ({ deviceId }) => {
      checkDeviceId(deviceId);
      const deviceHex = hexOf(deviceId);
      return { device: await describe(deviceHex, await devices.read(deviceHex)) };
    },
  };
}

/** ATK-10: what administrators compare with the device's promotion code. */
function codePartOf({ chain }: DeviceRow): MessageInput<'symmetra.admin.v1.CodePart'> | null {
  const part = nodeCodePart(chain);
  if (part === undefined) return null;
  return {
    transcriptHash: Buffer.from(part.transcriptHash),
    deviceNonce: Buffer.from(part.deviceNonce),
    nodeNonce: Buffer.from(part.nodeNonce),
  };
}

function checkDeviceId({ length }: Message<'symmetra.admin.v1.GetDeviceRequest'>['deviceId']): void {
  if (length !== DEVICE_ID_LENGTH) throw new SymmetraError('BAD_MESSAGE', 'a device id has 32 bytes');
}

/** What the caller asks for, up to a maximum; 0 asks for the default. */
function bounded(asked: number, byDefault: number, maximum: number): number {
  return asked === 0 ? byDefault : Math.min(asked, maximum);
}
