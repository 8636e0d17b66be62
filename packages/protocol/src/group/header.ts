import { Reader, SymmetraError, Writer, labelBytes, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NODES,
  SHORT_ID_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';
import { faultOfTerms, readLimits, writeLimits } from '../pairwise/header.js';
import type { Limits } from '../pairwise/header.js';
import { MAX_HEIGHT, MAX_MEMBERS } from '../tree/shape.js';

const MAX_HASH = 64;
const HASH_LENGTHS: ReadonlySet<number> = new Set([32, MAX_HASH]);
const ROOT_LENGTH = 32;
/** Most managers that a group may have. */
export const MAX_MANAGERS = 8;

/** GRP-1: what every node and every member sees of an epoch. */
export interface GroupHeader {
  readonly suiteId: number;
  /** 16 bytes, drawn by the creator. */
  readonly groupId: Uint8Array;
  /** From 1. */
  readonly epoch: number;
  /** Epoch id that this one follows; empty for the first epoch of a group. */
  readonly previous: Uint8Array;
  /** The newest epoch, this one included, in which somebody was removed; 0 for none. */
  readonly barrier: number;
  /** Device id. */
  readonly dealer: Uint8Array;
  /** Device ids, in the order in which they deal; 1 to 8. */
  readonly managers: readonly Uint8Array[];
  /** How many; 1 to 16384. */
  readonly members: number;
  /** Of the tree: the least h with every member's place below 2^h. */
  readonly height: number;
  /** GRP-2, 32 bytes. */
  readonly rosterRoot: Uint8Array;
  readonly purpose: string;
  /** Bytes of the application key; 16 to 64. */
  readonly keyLength: number;
  /** Seconds, and messages that one member may send under this epoch. */
  readonly limits: Limits;
  /** k. */
  readonly threshold: number;
  /** The node set; share i goes to the node at place i, counted from 1. */
  readonly nodes: readonly string[];
  /** cm_0 for S, then cm_i in the order of the nodes. */
  readonly commitments: readonly Uint8Array[];
  readonly descriptorVersion: number;
  readonly policyRevision: number;
}

/** GRP-1: canonical bytes of a header. */
export function encodeGroupHeader(context: ProtocolContext, header: GroupHeader): Uint8Array {
  const writer = preamble(context)
    .u8(header.suiteId)
    .raw(header.groupId)
    .u64(header.epoch)
    .bytes(header.previous)
    .u64(header.barrier)
    .raw(header.dealer)
    .list(header.managers, (w, manager) => w.raw(manager))
    .u32(header.members)
    .u8(header.height)
    .raw(header.rosterRoot)
    .text(header.purpose)
    .u16(header.keyLength);
  return writeLimits(writer, header.limits)
    .u8(header.threshold)
    .list(header.nodes, (w, node) => w.text(node))
    .list(header.commitments, (w, commitment) => w.bytes(commitment))
    .u64(header.descriptorVersion)
    .u64(header.policyRevision)
    .finish();
}

/** GRP-1. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, SUITE_UNKNOWN, BAD_HEADER */
export function decodeGroupHeader(context: ProtocolContext, bytes: Uint8Array): GroupHeader {
  const reader = new Reader(bytes, 'group header');
  readPreamble(context, reader);
  const header: GroupHeader = {
    suiteId: reader.u8(),
    groupId: reader.raw(SHORT_ID_LENGTH),
    epoch: readCount(reader),
    previous: reader.bytes(MAX_HASH),
    barrier: readCount(reader),
    dealer: reader.raw(DEVICE_ID_LENGTH),
    managers: reader.list(MAX_MANAGERS, (r) => r.raw(DEVICE_ID_LENGTH)),
    members: reader.u32(),
    height: reader.u8(),
    rosterRoot: reader.raw(ROOT_LENGTH),
    purpose: reader.text(MAX_NAME_LENGTH),
    keyLength: reader.u16(),
    limits: readLimits(reader),
    threshold: reader.u8(),
    nodes: reader.list(MAX_NODES, readNodeId),
    commitments: reader.list(MAX_NODES + 1, (r) => r.bytes(MAX_HASH)),
    descriptorVersion: readCount(reader),
    policyRevision: readCount(reader),
  };
  reader.end();
  const fault = faultOf(context.suites.get(header.suiteId), header);
  if (fault !== undefined) throw new SymmetraError('BAD_HEADER', `the group header ${fault}`);
  return header;
}

/** The rules of GRP-1 that hold for every header, whoever reads it. */
function faultOf(suite: Suite, header: GroupHeader): string | undefined {
  return rosterFault(header) ?? faultOfTerms(header) ?? commitmentFault(suite, header);
}

function rosterFault(header: GroupHeader): string | undefined {
  const { epoch, previous, barrier, managers, members, height } = header;
  if (epoch === 0) return 'counts its epoch from 0';
  if (previous.length > 0 && !HASH_LENGTHS.has(previous.length)) return 'follows what is no epoch id';
  if (barrier > epoch) return 'has a barrier above its epoch';
  if (previous.length === 0 && barrier > 0) return 'removes somebody in the first epoch of a group';
  if (managers.length === 0) return 'names no manager';
  if (new Set(managers.map(toHex)).size !== managers.length) return 'names a manager twice';
  if (members < 1 || members > MAX_MEMBERS) return 'has a number of members not allowed';
  if (height > MAX_HEIGHT || members > 2 ** height) return 'has a tree that does not hold its members';
  return undefined;
}

function commitmentFault(suite: Suite, { nodes, commitments }: GroupHeader): string | undefined {
  const fitting = commitments.every((commitment) => commitment.length === suite.hashLength);
  if (!fitting || commitments.length !== nodes.length + 1) return 'has commitments that do not fit';
  return undefined;
}

/** `hh = H(header)`: the epoch id. */
export function groupEpochId(suite: Suite, header: Uint8Array): Uint8Array {
  return suite.hash(header);
}

/** `dh = H(bytes(header) ‖ bytes(tag))`: what nodes echo. */
export function dealHash(suite: Suite, header: Uint8Array, tag: Uint8Array): Uint8Array {
  return suite.hash(new Writer(2 + header.length + 2 + tag.length).bytes(header).bytes(tag).finish());
}

/** GRP-1: cm_i. @param place of the node in the node set, from 1; 0 for S itself, given as the share. */
export function groupShareCommitment(
  suite: Suite,
  header: Pick<GroupHeader, 'groupId' | 'epoch'>,
  place: number,
  share: Uint8Array,
): Uint8Array {
  const label = labelBytes('groupShare');
  const writer = new Writer(2 + label.length + SHORT_ID_LENGTH + 8 + 1 + share.length);
  writer.bytes(label).raw(header.groupId).u64(header.epoch);
  const framed = writer.u8(place).raw(share).finish();
  const commitment = suite.hash(framed);
  framed.fill(0);
  return commitment;
}
