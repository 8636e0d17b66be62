// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface ReportRequest {
  /**
   * Key id of the negotiation, 16 bytes.
   */
  'keyId'?: (Buffer | Uint8Array | string);
  /**
   * The node whose delivery was bad or missing.
   */
  'node'?: (string);
  /**
   * Device id of the initiator that dealt the shares, 32 bytes.
   */
  'initiator'?: (Buffer | Uint8Array | string);
  /**
   * Stable code: SHARE_MISMATCH, EPHEMERAL_KEY_MISMATCH, HEADER_MISMATCH, LIMITS_MISMATCH or DELIVERY_MISSING.
   */
  'reason'?: (string);
  /**
   * Hash of the header that the other nodes delivered.
   */
  'headerHash'?: (Buffer | Uint8Array | string);
  /**
   * What this node said, as it was: for HEADER_MISMATCH the header, or the hash in its receipt; for LIMITS_MISMATCH
   * lifetime in seconds and uses, four bytes each; empty for the other reasons.
   */
  'evidence'?: (Buffer | Uint8Array | string);
}

export interface ReportRequest__Output {
  /**
   * Key id of the negotiation, 16 bytes.
   */
  'keyId': (Buffer);
  /**
   * The node whose delivery was bad or missing.
   */
  'node': (string);
  /**
   * Device id of the initiator that dealt the shares, 32 bytes.
   */
  'initiator': (Buffer);
  /**
   * Stable code: SHARE_MISMATCH, EPHEMERAL_KEY_MISMATCH, HEADER_MISMATCH, LIMITS_MISMATCH or DELIVERY_MISSING.
   */
  'reason': (string);
  /**
   * Hash of the header that the other nodes delivered.
   */
  'headerHash': (Buffer);
  /**
   * What this node said, as it was: for HEADER_MISMATCH the header, or the hash in its receipt; for LIMITS_MISMATCH
   * lifetime in seconds and uses, four bytes each; empty for the other reasons.
   */
  'evidence': (Buffer);
}
