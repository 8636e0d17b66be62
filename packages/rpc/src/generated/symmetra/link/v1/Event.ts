// Original file: proto/symmetra/link/v1/link.proto

import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';

/**
 * One event of one node, sealed in the device's session with that node.
 */
export interface Event {
  /**
   * The node that sent it.
   */
  'node'?: (string);
  /**
   * Plaintext: DeviceEvent.
   */
  'sealed'?: (_symmetra_sealed_v1_Sealed | null);
}

/**
 * One event of one node, sealed in the device's session with that node.
 */
export interface Event__Output {
  /**
   * The node that sent it.
   */
  'node': (string);
  /**
   * Plaintext: DeviceEvent.
   */
  'sealed': (_symmetra_sealed_v1_Sealed__Output | null);
}
