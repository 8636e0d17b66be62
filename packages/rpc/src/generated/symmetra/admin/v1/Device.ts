// Original file: proto/symmetra/admin/v1/admin.proto

import type { CodePart as _symmetra_admin_v1_CodePart, CodePart__Output as _symmetra_admin_v1_CodePart__Output } from '../../../symmetra/admin/v1/CodePart.js';
import type { Long } from '@grpc/proto-loader';

/**
 * What a node knows of a device.
 */
export interface Device {
  /**
   * Device id, 32 bytes.
   */
  'deviceId'?: (Buffer | Uint8Array | string);
  /**
   * Name given at enrolment.
   */
  'name'?: (string);
  /**
   * Tags of the token that it enrolled with.
   */
  'tags'?: ({[key: string]: string});
  /**
   * Stage of its workflow.
   */
  'stage'?: (string);
  /**
   * Epoch of its ATK chain at this node.
   */
  'epoch'?: (number | string | Long);
  /**
   * True when a control event revoked it.
   */
  'revoked'?: (boolean);
  /**
   * Home node that the device stated; empty when it is not attached.
   */
  'home'?: (string);
  /**
   * Token id, 16 bytes.
   */
  'tokenId'?: (Buffer | Uint8Array | string);
  /**
   * When it enrolled at this node, milliseconds since 1970.
   */
  'enrolledMs'?: (number | string | Long);
  /**
   * True when a party proved that it holds a state that the device's chain has left.
   */
  'cloneSuspected'?: (boolean);
  /**
   * This node's part of the promotion code; absent before the device confirmed a ratchet step.
   */
  'codePart'?: (_symmetra_admin_v1_CodePart | null);
}

/**
 * What a node knows of a device.
 */
export interface Device__Output {
  /**
   * Device id, 32 bytes.
   */
  'deviceId': (Buffer);
  /**
   * Name given at enrolment.
   */
  'name': (string);
  /**
   * Tags of the token that it enrolled with.
   */
  'tags': ({[key: string]: string});
  /**
   * Stage of its workflow.
   */
  'stage': (string);
  /**
   * Epoch of its ATK chain at this node.
   */
  'epoch': (number);
  /**
   * True when a control event revoked it.
   */
  'revoked': (boolean);
  /**
   * Home node that the device stated; empty when it is not attached.
   */
  'home': (string);
  /**
   * Token id, 16 bytes.
   */
  'tokenId': (Buffer);
  /**
   * When it enrolled at this node, milliseconds since 1970.
   */
  'enrolledMs': (number);
  /**
   * True when a party proved that it holds a state that the device's chain has left.
   */
  'cloneSuspected': (boolean);
  /**
   * This node's part of the promotion code; absent before the device confirmed a ratchet step.
   */
  'codePart': (_symmetra_admin_v1_CodePart__Output | null);
}
