// Original file: proto/symmetra/link/v1/link.proto

import type { ControlSignature as _symmetra_link_v1_ControlSignature, ControlSignature__Output as _symmetra_link_v1_ControlSignature__Output } from '../../../symmetra/link/v1/ControlSignature.js';

/**
 * A signed control event (CTL-3).
 */
export interface ControlNotice {
  /**
   * Canonical bytes of the control event.
   */
  'event'?: (Buffer | Uint8Array | string);
  /**
   * Signatures by administrators over those bytes.
   */
  'signatures'?: (_symmetra_link_v1_ControlSignature)[];
}

/**
 * A signed control event (CTL-3).
 */
export interface ControlNotice__Output {
  /**
   * Canonical bytes of the control event.
   */
  'event': (Buffer);
  /**
   * Signatures by administrators over those bytes.
   */
  'signatures': (_symmetra_link_v1_ControlSignature__Output)[];
}
