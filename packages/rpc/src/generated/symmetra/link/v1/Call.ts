// Original file: proto/symmetra/link/v1/link.proto

import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';
import type { Long } from '@grpc/proto-loader';

/**
 * A sealed call, relayed to the node that it names.
 */
export interface Call {
  /**
   * Chosen by the device, unique on the stream; the reply repeats it.
   */
  'id'?: (number | string | Long);
  /**
   * Full method name, for example /symmetra.pairwise.v1.PairwiseService/Negotiate.
   */
  'method'?: (string);
  /**
   * The request.
   */
  'sealed'?: (_symmetra_sealed_v1_Sealed | null);
}

/**
 * A sealed call, relayed to the node that it names.
 */
export interface Call__Output {
  /**
   * Chosen by the device, unique on the stream; the reply repeats it.
   */
  'id': (number);
  /**
   * Full method name, for example /symmetra.pairwise.v1.PairwiseService/Negotiate.
   */
  'method': (string);
  /**
   * The request.
   */
  'sealed': (_symmetra_sealed_v1_Sealed__Output | null);
}
