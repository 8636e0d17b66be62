export { enrol } from './enrol.js';
export type { EnrolOptions } from './enrol.js';
export { openDevice } from './open-device.js';
export type { DeviceOptions } from './foundation.js';
export type { DevicePorts } from './ports.js';
export type { ChannelOptions } from './channel/open-channel.js';
export type { Device, RatchetOptions } from './device.js';
export type { DeviceEvents, DeviceWarning } from './device-events.js';
export type { DeviceStatus } from './device-status.js';
export type { Endpoint } from './direct/addresses.js';
export type { DeviceGroups } from './group/device-groups.js';
export type {
  EpochName,
  GroupDueInfo,
  GroupEnding,
  GroupInfo,
  GroupKey,
  GroupMessage,
  GroupOptions,
  GroupSending,
} from './group/group-info.js';
export type { ExportedPsk, Key, KeyInfo, KeyState, PendingKey } from './keys/key-info.js';
export type { NegotiateOptions } from './pairwise/negotiate-options.js';
export type { DeliveryReport, ReportReason } from './pairwise/reports.js';
export type { Revocation } from './revocations.js';
export type { SecureChannel } from './channel/secure-channel.js';
export { callOwner } from './owner/owner-client.js';
export { sendFile } from './transfer/send-file.js';
export { receiveFile } from './transfer/receive-file.js';
export type { ReceivedFile } from './transfer/receive-file.js';
export type { FileHeader } from './transfer/file-header.js';
