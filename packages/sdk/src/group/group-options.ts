import { SymmetraError, fromHex, toHex } from '@symmetra/crypto';
import { MAX_KEY_LENGTH, MIN_KEY_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import { checkedNumber, checkedPurpose, parsePeer } from '../pairwise/negotiate-options.js';
import type { GroupOptions } from './group-info.js';

const DEFAULT_ROTATION_MS = 3_600_000;
const MAX_ROTATION_MS = 0x7fff_ffff * 1000;
const MAX_U32 = 0xffff_ffff;
const MAX_MANAGERS = 8;

/** What a new group is to be, checked as far as the device can. */
export interface GroupWish {
  /** All members, this device first. */
  readonly members: readonly Uint8Array[];
  /** This device first. */
  readonly managers: readonly Uint8Array[];
  readonly purpose: string;
  readonly keyLength: number;
  readonly lifetimeSeconds: number;
  readonly uses: number;
}

/** @throws BAD_OPTION, BAD_PEER, MEMBER_TWICE, GROUP_EMPTY, MANAGER_NOT_MEMBER */
export function checkedGroup(self: Uint8Array, options: GroupOptions): GroupWish {
  const { members, managers = [], keyLength = 32, rotateEvery = DEFAULT_ROTATION_MS, uses = 0 } = options;
  const all = withFirst(self, parseMembers(members));
  if (all.length < 2) throw groupEmpty();
  const dealing = withFirst(self, parseMembers(managers));
  if (dealing.length > MAX_MANAGERS) {
    throw new SymmetraError('BAD_OPTION', `a group has at most ${MAX_MANAGERS} managers`, {
      option: 'managers',
    });
  }
  const known = new Set(all.map(toHex));
  if (!dealing.every((id) => known.has(toHex(id)))) {
    throw new SymmetraError('MANAGER_NOT_MEMBER', 'every manager is a member of the group');
  }
  const rotationMs = checkedNumber('rotateEvery', Math.ceil(rotateEvery), 1, MAX_ROTATION_MS);
  return {
    members: all,
    managers: dealing,
    purpose: checkedPurpose(options.purpose),
    keyLength: checkedNumber('keyLength', keyLength, MIN_KEY_LENGTH, MAX_KEY_LENGTH),
    lifetimeSeconds: Math.ceil((2 * rotationMs) / 1000),
    uses: checkedNumber('uses', uses, 0, MAX_U32),
  };
}

/** Device ids from their texts, each once. @throws BAD_OPTION, BAD_PEER, MEMBER_TWICE */
export function parseMembers(texts: readonly string[]): readonly Uint8Array[] {
  const given: unknown = texts;
  if (!Array.isArray(given)) {
    throw new SymmetraError('BAD_OPTION', 'members are a list of device ids', { option: 'members' });
  }
  const ids = texts.map(parsePeer);
  const seen = new Set<string>();
  for (const [i, id] of ids.entries()) {
    const name = toHex(id);
    if (seen.has(name)) {
      throw new SymmetraError('MEMBER_TWICE', 'a device is named twice', { device: texts[i] ?? '' });
    }
    seen.add(name);
  }
  return ids;
}

/** The 16 bytes of a group id, or of nothing that this device can know. @throws GROUP_UNKNOWN */
export function parseGroupId(text: string): Uint8Array {
  try {
    const id = fromHex(text);
    if (id.length === SHORT_ID_LENGTH) return id;
  } catch {
    // Told below.
  }
  throw groupUnknown(text);
}

export function groupUnknown(groupId: string): SymmetraError {
  return new SymmetraError('GROUP_UNKNOWN', 'this device is in no such group', { groupId });
}

export function groupEmpty(): SymmetraError {
  return new SymmetraError('GROUP_EMPTY', 'a group has at least two members');
}

function withFirst(first: Uint8Array, ids: readonly Uint8Array[]): readonly Uint8Array[] {
  const name = toHex(first);
  return [first, ...ids.filter((id) => toHex(id) !== name)];
}
