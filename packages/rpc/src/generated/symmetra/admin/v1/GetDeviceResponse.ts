// Original file: proto/symmetra/admin/v1/admin.proto

import type { Device as _symmetra_admin_v1_Device, Device__Output as _symmetra_admin_v1_Device__Output } from '../../../symmetra/admin/v1/Device.js';

export interface GetDeviceResponse {
  /**
   * The device.
   */
  'device'?: (_symmetra_admin_v1_Device | null);
}

export interface GetDeviceResponse__Output {
  /**
   * The device.
   */
  'device': (_symmetra_admin_v1_Device__Output | null);
}
