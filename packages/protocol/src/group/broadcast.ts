import { EncodingError, Reader, SymmetraError, sign, verify } from '@symmetra/crypto';
import { NONCE_LENGTH, preamble, readCount, readNodeId, readPreamble } from '../context.js';
import type { ProtocolContext } from '../context.js';
import { descriptorNode } from '../control/descriptor.js';
import type { Descriptor } from '../control/descriptor.js';
import { MAX_MEMBERS } from '../tree/shape.js';
import { TREE_SEAL_LENGTH } from '../tree/key.js';
import type { TreeSeal } from '../tree/key.js';
import { DUE_TYPE, readDue } from './due.js';
import type { GroupDue } from './due.js';
import { decodeGroupHeader } from './header.js';
import type { GroupHeader } from './header.js';

/** GRP-7: most bytes of a broadcast; what would be longer is not sent, and everybody gets a welcome. */
export const MAX_BROADCAST = 60_000;

const EPOCH_TYPE = 1;
const MAX_ITEMS = 4096;
const MAX_HASH = 64;

/** Places that follow one another. */
export interface PlaceRange {
  readonly first: number;
  /** At least 1. */
  readonly count: number;
}

/** GRP-7: what a node tells all members of an epoch that came into force there. */
export interface EpochBroadcast {
  readonly kind: 'epoch';
  readonly nodeId: string;
  readonly header: GroupHeader;
  /** As the dealer sent it. */
  readonly headerBytes: Uint8Array;
  readonly tag: Uint8Array;
  /** Id of the epoch that was in force at this node before. */
  readonly from: Uint8Array;
  /** Step of this node's tree in this epoch. */
  readonly step: number;
  /** 32 fresh bytes. */
  readonly nonce: Uint8Array;
  /** Ascending, with a gap between each two. */
  readonly vacated: readonly PlaceRange[];
  readonly taken: readonly PlaceRange[];
  readonly seals: readonly TreeSeal[];
  /** This node's share, sealed under the root of its tree; 48 bytes. */
  readonly sealedShare: Uint8Array;
}

/** The places, ascending and each once, as ranges. */
export function rangesOf(places: readonly number[]): readonly PlaceRange[] {
  const ranges: { first: number; count: number }[] = [];
  for (const place of places) {
    const last = ranges.at(-1);
    if (last !== undefined && place === last.first + last.count) last.count += 1;
    else ranges.push({ first: place, count: 1 });
  }
  return ranges;
}

/** GRP-7: the content that the node signs; undefined when it would be too long, and a welcome goes to everybody. */
export function encodeEpochBroadcast(
  context: ProtocolContext,
  broadcast: Omit<EpochBroadcast, 'kind' | 'header'>,
): Uint8Array | undefined {
  const { vacated, taken, seals } = broadcast;
  if ([vacated, taken, seals].some((items) => items.length > MAX_ITEMS)) return undefined;
  const content = preamble(context)
    .u8(EPOCH_TYPE)
    .text(broadcast.nodeId)
    .bytes(broadcast.headerBytes)
    .bytes(broadcast.tag)
    .bytes(broadcast.from)
    .u64(broadcast.step)
    .raw(broadcast.nonce)
    .list(vacated, (w, range) => w.u32(range.first).u32(range.count))
    .list(taken, (w, range) => w.u32(range.first).u32(range.count))
    .list(seals, (w, seal) => w.u8(seal.level).u32(seal.index).raw(seal.sealed))
    .raw(broadcast.sealedShare)
    .finish();
  return content.length > MAX_BROADCAST ? undefined : content;
}

/** GRP-7, GRP-10: the node's signature over what it tells all members. @param secretKey the node's signing key */
export function signBroadcast(content: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return sign(content, secretKey, 'groupBroadcastSign');
}

/**
 * GRP-7, GRP-9, GRP-10: reads what a node signed for all members, and checks the signature with the key that the
 * descriptor has of that node.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, SUITE_UNKNOWN, BAD_HEADER, NODE_UNKNOWN, BAD_SIGNATURE
 */
export function readBroadcast(
  context: ProtocolContext,
  descriptor: Descriptor,
  content: Uint8Array,
  signature: Uint8Array,
): EpochBroadcast | GroupDue {
  const broadcast = decodeBroadcast(context, content);
  const { signingKey } = descriptorNode(descriptor, broadcast.nodeId);
  if (!verify(signature, content, signingKey, 'groupBroadcastSign')) {
    throw new SymmetraError('BAD_SIGNATURE', "the node's broadcast does not verify", {
      node: broadcast.nodeId,
    });
  }
  return broadcast;
}

/**
 * Reads what a node said to all members, without its signature.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, SUITE_UNKNOWN, BAD_HEADER
 */
export function decodeBroadcast(context: ProtocolContext, content: Uint8Array): EpochBroadcast | GroupDue {
  if (content.length > MAX_BROADCAST) {
    throw new EncodingError('a broadcast is longer than a node may make it', { length: content.length });
  }
  const reader = new Reader(content, 'broadcast');
  readPreamble(context, reader);
  const type = reader.u8();
  if (type !== EPOCH_TYPE && type !== DUE_TYPE) {
    throw new EncodingError('a broadcast is of unknown type', { type });
  }
  const broadcast = type === EPOCH_TYPE ? readEpoch(context, reader) : readDue(reader);
  reader.end();
  return broadcast;
}

function readEpoch(context: ProtocolContext, reader: Reader): EpochBroadcast {
  const nodeId = readNodeId(reader);
  const headerBytes = reader.bytes();
  return {
    kind: 'epoch',
    nodeId,
    header: decodeGroupHeader(context, headerBytes),
    headerBytes,
    tag: reader.bytes(MAX_HASH),
    from: reader.bytes(MAX_HASH),
    step: readCount(reader),
    nonce: reader.raw(NONCE_LENGTH),
    vacated: readRanges(reader),
    taken: readRanges(reader),
    seals: reader.list(MAX_ITEMS, (r) => ({
      level: r.u8(),
      index: r.u32(),
      sealed: r.raw(TREE_SEAL_LENGTH),
    })),
    sealedShare: reader.raw(TREE_SEAL_LENGTH),
  };
}

function readRanges(reader: Reader): readonly PlaceRange[] {
  const ranges = reader.list(MAX_ITEMS, (r) => ({ first: r.u32(), count: r.u32() }));
  let free = 0;
  for (const { first, count } of ranges) {
    if (first < free || count === 0 || first + count > MAX_MEMBERS) {
      throw new EncodingError('the places of a broadcast are not in order', { first, count });
    }
    free = first + count + 1;
  }
  return ranges;
}
