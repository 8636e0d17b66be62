// Original file: proto/symmetra/group/v1/group.proto

import type { RosterEntry as _symmetra_group_v1_RosterEntry, RosterEntry__Output as _symmetra_group_v1_RosterEntry__Output } from '../../../symmetra/group/v1/RosterEntry.js';

export interface GetRosterResponse {
  /**
   * Epoch id in force at this node.
   */
  'epochId'?: (Buffer | Uint8Array | string);
  /**
   * The header of that epoch, canonical bytes.
   */
  'header'?: (Buffer | Uint8Array | string);
  /**
   * At most 1000, by place.
   */
  'entries'?: (_symmetra_group_v1_RosterEntry)[];
  /**
   * The first place of the next page; 0 when this is the last.
   */
  'next'?: (number);
}

export interface GetRosterResponse__Output {
  /**
   * Epoch id in force at this node.
   */
  'epochId': (Buffer);
  /**
   * The header of that epoch, canonical bytes.
   */
  'header': (Buffer);
  /**
   * At most 1000, by place.
   */
  'entries': (_symmetra_group_v1_RosterEntry__Output)[];
  /**
   * The first place of the next page; 0 when this is the last.
   */
  'next': (number);
}
