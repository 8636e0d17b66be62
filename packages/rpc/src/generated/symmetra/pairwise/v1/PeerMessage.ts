// Original file: proto/symmetra/pairwise/v1/pairwise.proto


/**
 * An event: a message from a peer, relayed (PAIR-10).
 */
export interface PeerMessage {
  /**
   * Device id of the sender, 32 bytes, as its home node states it; the message authenticates itself.
   */
  'peer'?: (Buffer | Uint8Array | string);
  /**
   * A peer message, canonical bytes.
   */
  'message'?: (Buffer | Uint8Array | string);
}

/**
 * An event: a message from a peer, relayed (PAIR-10).
 */
export interface PeerMessage__Output {
  /**
   * Device id of the sender, 32 bytes, as its home node states it; the message authenticates itself.
   */
  'peer': (Buffer);
  /**
   * A peer message, canonical bytes.
   */
  'message': (Buffer);
}
