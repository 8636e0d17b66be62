// Original file: proto/symmetra/link/v1/link.proto

import type { Delivery as _symmetra_pairwise_v1_Delivery, Delivery__Output as _symmetra_pairwise_v1_Delivery__Output } from '../../../symmetra/pairwise/v1/Delivery.js';
import type { PeerMessage as _symmetra_pairwise_v1_PeerMessage, PeerMessage__Output as _symmetra_pairwise_v1_PeerMessage__Output } from '../../../symmetra/pairwise/v1/PeerMessage.js';
import type { ControlNotice as _symmetra_link_v1_ControlNotice, ControlNotice__Output as _symmetra_link_v1_ControlNotice__Output } from '../../../symmetra/link/v1/ControlNotice.js';
import type { Welcome as _symmetra_group_v1_Welcome, Welcome__Output as _symmetra_group_v1_Welcome__Output } from '../../../symmetra/group/v1/Welcome.js';
import type { Long } from '@grpc/proto-loader';

/**
 * The plaintext of an event (SES-6).
 */
export interface DeviceEvent {
  /**
   * Counts from 1 in each session, so that a missing event is found out.
   */
  'number'?: (number | string | Long);
  /**
   * A share of a key that a peer asked for.
   */
  'delivery'?: (_symmetra_pairwise_v1_Delivery | null);
  /**
   * A message from a peer.
   */
  'message'?: (_symmetra_pairwise_v1_PeerMessage | null);
  /**
   * A control event that concerns the device; the device verifies its signature itself.
   */
  'notice'?: (_symmetra_link_v1_ControlNotice | null);
  /**
   * The keys of a group's epoch (GRP-8).
   */
  'groupWelcome'?: (_symmetra_group_v1_Welcome | null);
  'event'?: "delivery"|"message"|"notice"|"groupWelcome";
}

/**
 * The plaintext of an event (SES-6).
 */
export interface DeviceEvent__Output {
  /**
   * Counts from 1 in each session, so that a missing event is found out.
   */
  'number': (number);
  /**
   * A share of a key that a peer asked for.
   */
  'delivery'?: (_symmetra_pairwise_v1_Delivery__Output | null);
  /**
   * A message from a peer.
   */
  'message'?: (_symmetra_pairwise_v1_PeerMessage__Output | null);
  /**
   * A control event that concerns the device; the device verifies its signature itself.
   */
  'notice'?: (_symmetra_link_v1_ControlNotice__Output | null);
  /**
   * The keys of a group's epoch (GRP-8).
   */
  'groupWelcome'?: (_symmetra_group_v1_Welcome__Output | null);
  'event'?: "delivery"|"message"|"notice"|"groupWelcome";
}
