// Original file: proto/symmetra/admin/v1/admin.proto

import type { Device as _symmetra_admin_v1_Device, Device__Output as _symmetra_admin_v1_Device__Output } from '../../../symmetra/admin/v1/Device.js';

export interface ListDevicesResponse {
  /**
   * Devices in the order of their ids.
   */
  'devices'?: (_symmetra_admin_v1_Device)[];
}

export interface ListDevicesResponse__Output {
  /**
   * Devices in the order of their ids.
   */
  'devices': (_symmetra_admin_v1_Device__Output)[];
}
