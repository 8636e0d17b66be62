// Original file: proto/symmetra/entropy/v1/entropy.proto

import type { SourceDescription as _symmetra_entropy_v1_SourceDescription, SourceDescription__Output as _symmetra_entropy_v1_SourceDescription__Output } from '../../../symmetra/entropy/v1/SourceDescription.js';
import type { NoiseBlock as _symmetra_entropy_v1_NoiseBlock, NoiseBlock__Output as _symmetra_entropy_v1_NoiseBlock__Output } from '../../../symmetra/entropy/v1/NoiseBlock.js';

export interface StreamNoiseResponse {
  /**
   * Sent first, and once.
   */
  'description'?: (_symmetra_entropy_v1_SourceDescription | null);
  /**
   * Sent after it.
   */
  'block'?: (_symmetra_entropy_v1_NoiseBlock | null);
  'content'?: "description"|"block";
}

export interface StreamNoiseResponse__Output {
  /**
   * Sent first, and once.
   */
  'description'?: (_symmetra_entropy_v1_SourceDescription__Output | null);
  /**
   * Sent after it.
   */
  'block'?: (_symmetra_entropy_v1_NoiseBlock__Output | null);
  'content'?: "description"|"block";
}
