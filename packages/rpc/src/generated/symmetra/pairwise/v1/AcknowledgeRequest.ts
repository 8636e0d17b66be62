// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface AcknowledgeRequest {
  /**
   * Key ids, 16 bytes each, whose shares the node may erase.
   */
  'keyIds'?: (Buffer | Uint8Array | string)[];
}

export interface AcknowledgeRequest__Output {
  /**
   * Key ids, 16 bytes each, whose shares the node may erase.
   */
  'keyIds': (Buffer)[];
}
