// Original file: proto/symmetra/admin/v1/admin.proto


export interface ListDevicesRequest {
  /**
   * Device id after which the listing goes on; empty for the first page.
   */
  'after'?: (Buffer | Uint8Array | string);
  /**
   * At most this many; 0 means 500.
   */
  'limit'?: (number);
}

export interface ListDevicesRequest__Output {
  /**
   * Device id after which the listing goes on; empty for the first page.
   */
  'after': (Buffer);
  /**
   * At most this many; 0 means 500.
   */
  'limit': (number);
}
