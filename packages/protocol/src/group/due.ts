import { SymmetraError } from '@symmetra/crypto';
import type { Reader } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH, preamble, readCount, readNodeId } from '../context.js';
import type { ProtocolContext } from '../context.js';

/** GRP-10: the type of a notice among what nodes sign for members. */
export const DUE_TYPE = 2;
/** Most devices that one notice names as out. */
export const MAX_OUT = 1024;
/** Most devices of a dealing order. */
export const MAX_ORDER = 8;

const MAX_HASH = 64;
const REASONS = ['left', 'revoked', 'used-up'] as const;

/** Why another epoch is due. A notice for `used-up` suspends nothing. */
export type DueReason = (typeof REASONS)[number];

/** GRP-10: a node's notice that the group needs another epoch. */
export interface GroupDue {
  readonly kind: 'due';
  readonly nodeId: string;
  /** 16 bytes. */
  readonly groupId: Uint8Array;
  /** Number of the epoch in force at this node. */
  readonly epoch: number;
  /** Id of the epoch in force at this node. */
  readonly epochId: Uint8Array;
  readonly reason: DueReason;
  /** Device ids of who has to be removed; at most 1024. */
  readonly out: readonly Uint8Array[];
  /** Device ids of who deals, and who next; at most 8. */
  readonly order: readonly Uint8Array[];
  /** Seconds within which a device that is out has to be cut off: policy's. */
  readonly boundSeconds: number;
}

/** GRP-10: the content that the node signs. @throws BAD_ENCODING */
export function encodeGroupDue(context: ProtocolContext, due: Omit<GroupDue, 'kind'>): Uint8Array {
  return preamble(context)
    .u8(DUE_TYPE)
    .text(due.nodeId)
    .raw(due.groupId)
    .u64(due.epoch)
    .bytes(due.epochId)
    .u8(REASONS.indexOf(due.reason) + 1)
    .list(due.out, (w, id) => w.raw(id))
    .list(due.order, (w, id) => w.raw(id))
    .u32(due.boundSeconds)
    .finish();
}

/** GRP-10: the fields behind the type. @throws BAD_ENCODING */
export function readDue(reader: Reader): GroupDue {
  return {
    kind: 'due',
    nodeId: readNodeId(reader),
    groupId: reader.raw(SHORT_ID_LENGTH),
    epoch: readCount(reader),
    epochId: reader.bytes(MAX_HASH),
    reason: readReason(reader),
    out: reader.list(MAX_OUT, (r) => r.raw(DEVICE_ID_LENGTH)),
    order: reader.list(MAX_ORDER, (r) => r.raw(DEVICE_ID_LENGTH)),
    boundSeconds: reader.u32(),
  };
}

function readReason(reader: Reader): DueReason {
  const value = reader.u8();
  const reason = REASONS[value - 1];
  if (reason === undefined) {
    throw new SymmetraError('BAD_ENCODING', 'a notice has a reason that is not known', { reason: value });
  }
  return reason;
}
