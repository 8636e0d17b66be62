// Original file: proto/symmetra/network/v1/network.proto

import type { ControlNotice as _symmetra_link_v1_ControlNotice, ControlNotice__Output as _symmetra_link_v1_ControlNotice__Output } from '../../../symmetra/link/v1/ControlNotice.js';

export interface GetDescriptorResponse {
  /**
   * Canonical bytes of the descriptor (docs/protocol/08-control.md, CTL-1).
   */
  'descriptor'?: (Buffer | Uint8Array | string);
  /**
   * ML-DSA-65 signature of the network root over those bytes.
   */
  'signature'?: (Buffer | Uint8Array | string);
  /**
   * The root's public key; the device compares its SHA-256 with its token or its stored descriptor.
   */
  'rootPublicKey'?: (Buffer | Uint8Array | string);
  /**
   * The control event that set the policy in force; absent before the first. The device verifies it like any other.
   */
  'policy'?: (_symmetra_link_v1_ControlNotice | null);
}

export interface GetDescriptorResponse__Output {
  /**
   * Canonical bytes of the descriptor (docs/protocol/08-control.md, CTL-1).
   */
  'descriptor': (Buffer);
  /**
   * ML-DSA-65 signature of the network root over those bytes.
   */
  'signature': (Buffer);
  /**
   * The root's public key; the device compares its SHA-256 with its token or its stored descriptor.
   */
  'rootPublicKey': (Buffer);
  /**
   * The control event that set the policy in force; absent before the first. The device verifies it like any other.
   */
  'policy': (_symmetra_link_v1_ControlNotice__Output | null);
}
