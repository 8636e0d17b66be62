import { equalConstantTime, fromHex, toHex } from '@symmetra/crypto';
import type { DueReason, GroupDue } from './due.js';
import { MAX_OUT } from './due.js';

/** Most epochs of which a member keeps notices of one node. */
const MAX_PER_NODE = 3;

/** A device that a node named as out. */
interface NamedDevice {
  readonly deviceId: Uint8Array;
  /** When the first notice came that named it. */
  readonly sinceMs: number;
}

/** GRP-10: what one node said of one epoch, all its notices together. */
export interface HeldNotice {
  readonly nodeId: string;
  readonly epoch: number;
  readonly epochId: Uint8Array;
  readonly reason: DueReason;
  /** Whether it was said that the epoch is used up. */
  readonly usedUp: boolean;
  readonly out: readonly NamedDevice[];
  readonly order: readonly Uint8Array[];
  /** When the first of them came. */
  readonly sinceMs: number;
}

/** GRP-10: what k nodes say of one epoch. */
export interface BelievedDue {
  readonly epoch: number;
  readonly epochId: Uint8Array;
  /** The gravest that one of those nodes gives. */
  readonly reason: DueReason;
  /** Device ids that k nodes named. When there is one, the member sends nothing under the epoch. */
  readonly out: readonly Uint8Array[];
  /** When k nodes had said so, of the first of them and of the last one. */
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Set when this member is in the order and not out: its place, from 0, and how long the order is. */
  readonly turn: { readonly place: number; readonly of: number } | undefined;
}

/** GRP-10: how long the device whose turn it is waits before it deals, milliseconds. */
export function dealDelayMs(turn: { readonly place: number; readonly of: number }, boundMs: number): number {
  return (turn.place * boundMs) / (2 * turn.of);
}

/** Takes note of a notice: what a node named once stays named, so that an older notice of it undoes nothing. */
export function withNotice(
  notices: readonly HeldNotice[],
  due: GroupDue,
  nowMs: number,
): readonly HeldNotice[] {
  const { nodeId, epoch, epochId } = due;
  const own = notices.find((one) => one.nodeId === nodeId && equalConstantTime(one.epochId, epochId));
  const isFuller = due.out.length >= (own?.out.length ?? 0);
  const isNew = (id: Uint8Array): boolean => !own?.out.some((one) => equalConstantTime(one.deviceId, id));
  const more = due.out.filter(isNew).map((deviceId) => ({ deviceId, sinceMs: nowMs }));
  const notice: HeldNotice = {
    nodeId,
    epoch,
    epochId,
    reason: graver(due.reason, own?.reason),
    usedUp: due.reason === 'used-up' || (own?.usedUp ?? false),
    out: [...(own?.out ?? []), ...more].slice(0, MAX_OUT),
    order: own === undefined || isFuller ? due.order : own.order,
    sinceMs: own?.sinceMs ?? nowMs,
  };
  const others = notices.filter((one) => one !== own);
  const ofNode = others.filter((one) => one.nodeId === nodeId);
  const oldest = ofNode.length === MAX_PER_NODE ? ofNode[0] : undefined;
  return [...others.filter((one) => one !== oldest), notice];
}

/** GRP-10: of two reasons the one that holds members up longer. */
function graver(one: DueReason, other: DueReason = 'used-up'): DueReason {
  return one === 'revoked' || other === 'used-up' ? one : other;
}

/**
 * GRP-10: who is out, as at least `threshold` nodes say of the newest epoch of which they say it; else, as so many say of
 * different epochs; else that an epoch is used up.
 * @param deviceId of this member.
 */
export function believed(
  notices: readonly HeldNotice[],
  threshold: number,
  deviceId: Uint8Array,
): BelievedDue | undefined {
  if (new Set(notices.map(({ nodeId }) => nodeId)).size < threshold) return undefined;
  const byEpoch = new Map<string, HeldNotice[]>();
  for (const notice of notices) {
    const name = `${notice.epoch}/${toHex(notice.epochId)}`;
    byEpoch.set(name, [...(byEpoch.get(name) ?? []), notice]);
  }
  const across = believedOf(acrossEpochs(notices), threshold, deviceId);
  const [agreed] = [...byEpoch.values()]
    .map((ofEpoch) => believedOf(ofEpoch, threshold, deviceId))
    .filter((due) => due !== undefined)
    .toSorted((one, other) => Number(isOut(other)) - Number(isOut(one)) || other.epoch - one.epoch);
  return agreed === undefined || !isOut(agreed) ? (across ?? agreed) : agreed;
}

function isOut({ out }: BelievedDue): boolean {
  return out.length > 0;
}

/** GRP-11: nodes that are in different epochs may still agree on who is out: what each says last, the older epoch first. */
function acrossEpochs(notices: readonly HeldNotice[]): readonly HeldNotice[] {
  const byNode = new Map<string, HeldNotice>();
  for (const notice of notices) {
    const other = byNode.get(notice.nodeId);
    const isLater = other === undefined || notice.epoch >= other.epoch;
    if (isLater && notice.out.length > 0) byNode.set(notice.nodeId, { ...notice, usedUp: false });
  }
  return [...byNode.values()].toSorted((one, other) => one.epoch - other.epoch);
}

/** A notice that names a device, or says that the epoch is used up; and since when. */
interface Naming {
  readonly notice: HeldNotice;
  readonly sinceMs: number;
}

function believedOf(
  notices: readonly HeldNotice[],
  threshold: number,
  deviceId: Uint8Array,
): BelievedDue | undefined {
  const naming = new Map<string, readonly Naming[]>();
  for (const notice of notices) {
    for (const { deviceId: id, sinceMs } of notice.out) {
      naming.set(toHex(id), [...(naming.get(toHex(id)) ?? []), { notice, sinceMs }]);
    }
  }
  const enough = [...naming].filter(([, by]) => by.length >= threshold);
  const usedUp = notices
    .filter(({ usedUp: says }) => says)
    .map((notice) => ({ notice, sinceMs: notice.sinceMs }));
  const grounds = enough.length > 0 ? enough.map(([, by]) => by) : [usedUp];
  const [first] = notices;
  if (first === undefined || grounds.every((by) => by.length < threshold)) return undefined;
  const { epoch, epochId } = first;
  const own = toHex(deviceId);
  const out = enough.map(([id]) => id);
  const times = grounds.map((by) => sinceOf(by, threshold));
  return {
    epoch,
    epochId,
    reason: enough.flatMap(([, by]) => by.map(({ notice }) => notice.reason)).reduce(graver, 'used-up'),
    out: out.map(fromHex),
    sinceMs: Math.min(...times),
    lastMs: Math.max(...times),
    turn: out.includes(own) ? undefined : turnOf(grounds.flat(), own),
  };
}

/** When as many nodes as the threshold had said so. */
function sinceOf(naming: readonly Naming[], threshold: number): number {
  const times = naming.map(({ sinceMs }) => sinceMs).toSorted((one, other) => one - other);
  return times[threshold - 1] as number;
}

/** The earliest place that one of the nodes gives this member: a node that lies can not put it off. */
function turnOf(naming: readonly Naming[], own: string): BelievedDue['turn'] {
  return naming
    .map(({ notice: { order } }) => ({ place: order.map(toHex).indexOf(own), of: order.length }))
    .filter(({ place }) => place >= 0)
    .toSorted((one, other) => one.place / one.of - other.place / other.of)[0];
}
