// Original file: proto/symmetra/admin/v1/admin.proto


export interface GetDeviceRequest {
  /**
   * Device id, 32 bytes.
   */
  'deviceId'?: (Buffer | Uint8Array | string);
}

export interface GetDeviceRequest__Output {
  /**
   * Device id, 32 bytes.
   */
  'deviceId': (Buffer);
}
