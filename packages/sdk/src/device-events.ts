import type { SecureChannel } from './channel/secure-channel.js';
import type { GroupDueInfo, GroupEnding, GroupInfo, GroupMessage } from './group/group-info.js';
import type { KeyInfo } from './keys/key-info.js';
import type { DescriptorChange } from './network/descriptors.js';
import type { DeliveryReport } from './pairwise/reports.js';
import type { Revocation } from './revocations.js';

/** Something that the owner of the device should know; it goes on. */
export interface DeviceWarning {
  readonly code: string;
  readonly message: string;
}

/** What a device tells, by name. */
export interface DeviceEvents {
  /** A key is active at both ends. */
  key: [key: KeyInfo];
  /** A peer opened a channel; without a listener it is closed. */
  channel: [channel: SecureChannel];
  revoked: [revocation: Revocation];
  /** A key took the place of another. */
  renewed: [renewal: { readonly keyId: string; readonly key: KeyInfo }];
  /** A key was erased: its time or its uses are over. */
  expired: [key: KeyInfo];
  /** A delivery was bad or missing. */
  report: [report: DeliveryReport];
  /** This device holds the key of another epoch of a group. */
  group: [group: GroupInfo];
  /** A member sent a message to its group. */
  groupMessage: [message: GroupMessage];
  /** A group needs another epoch; until then, when somebody is out, nothing is sent. */
  groupDue: [due: GroupDueInfo];
  /** A group is over for this device. */
  groupEnded: [ending: GroupEnding];
  /** A newer descriptor is in force: nodes were added, removed, or have other keys. The device enrols with new ones. */
  network: [change: DescriptorChange];
  warning: [warning: DeviceWarning];
}
