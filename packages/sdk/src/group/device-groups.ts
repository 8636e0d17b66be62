import { SymmetraError, equalConstantTime, fromHex, toHex } from '@symmetra/crypto';
import type { HeldEpoch } from '@symmetra/protocol';
import { NO_CHANGE } from './deal-plan.js';
import type { GroupChange } from './deal-plan.js';
import type { GroupInfo, GroupKey, GroupMessage, GroupOptions, GroupSending } from './group-info.js';
import { checkedGroup, groupEmpty, parseGroupId, parseMembers } from './group-options.js';
import { epochName } from './groups.js';
import type { Groups } from './groups.js';

const NOTHING = new Uint8Array(0);

/** What the owner's view of groups needs. */
export interface DeviceGroupsParts {
  readonly groups: Groups;
  readonly device: { readonly deviceId: Uint8Array };
  /** The suite of a group for which none is asked. */
  readonly suiteId: () => number;
}

/** Runs what needs the device open. @throws DEVICE_CLOSED */
type WhileOpen = <T>(task: () => Promise<T>) => Promise<T>;

/** The groups of a device, as its owner uses them. Group ids are 32 hexadecimal digits, members device ids. */
export class DeviceGroups {
  readonly #parts: DeviceGroupsParts;
  readonly #whileOpen: WhileOpen;

  constructor(parts: DeviceGroupsParts, whileOpen: WhileOpen) {
    this.#parts = parts;
    this.#whileOpen = whileOpen;
  }

  /**
   * Makes a group of this device and others. Fulfilled when this device holds its first key.
   * @throws BAD_OPTION, BAD_PEER, MEMBER_TWICE, GROUP_EMPTY, MANAGER_NOT_MEMBER, GROUP_TOO_LARGE; the nodes' code when
   *   they refuse; GROUP_PENDING when it takes long: it goes on then
   */
  async create(options: GroupOptions): Promise<GroupInfo> {
    const { groups, device, suiteId } = this.#parts;
    return this.#whileOpen(async () => {
      const wish = checkedGroup(device.deviceId, options);
      return groups.info(toHex(await groups.dealing.create(wish, options.suite ?? suiteId())));
    });
  }

  /** Takes devices in; they get no earlier key. @throws as create, GROUP_UNKNOWN, GROUP_NOT_MANAGER */
  async add(groupId: string, members: readonly string[]): Promise<GroupInfo> {
    return this.#change(groupId, () => ({ removed: [], added: someMembers(members) }));
  }

  /** Puts members out; they get no later key. @throws as add, MEMBER_UNKNOWN, BAD_OPTION for this device itself */
  async remove(groupId: string, members: readonly string[]): Promise<GroupInfo> {
    return this.#change(groupId, () => {
      const removed = someMembers(members);
      if (removed.some((id) => equalConstantTime(id, this.#parts.device.deviceId))) {
        throw new SymmetraError('BAD_OPTION', 'a device does not remove itself: it leaves the group', {
          option: 'members',
        });
      }
      return { removed, added: [] };
    });
  }

  /** Gives the group another key now. @throws GROUP_UNKNOWN, GROUP_NOT_MANAGER, the nodes' code, GROUP_PENDING */
  async rotate(groupId: string): Promise<GroupInfo> {
    return this.#change(groupId, () => NO_CHANGE);
  }

  /** Leaves the group and erases its keys here. @throws GROUP_UNKNOWN, why too few nodes could be told */
  async leave(groupId: string): Promise<void> {
    const name = nameOf(groupId);
    await this.#whileOpen(async () => this.#parts.groups.leave(name));
  }

  /** The groups of which the device holds a key. */
  list(): readonly GroupInfo[] {
    const { groups } = this.#parts;
    return groups.store
      .names()
      .filter((name) => groups.store.newest(name) !== undefined)
      .map((name) => groups.info(name));
  }

  /** @throws GROUP_UNKNOWN, GROUP_EXPIRED */
  show(groupId: string): GroupInfo {
    return this.#parts.groups.info(nameOf(groupId));
  }

  /**
   * The application key of the newest epoch, or of another accepted one.
   * @throws GROUP_UNKNOWN, GROUP_EXPIRED, GROUP_EPOCH_UNKNOWN
   */
  key(groupId: string, epochId?: string): GroupKey {
    const name = nameOf(groupId);
    const epoch = this.#accepted(name, epochId);
    return {
      groupId: name,
      ...epochName(epoch),
      fingerprint: toHex(epoch.fingerprint),
      bytes: epoch.applicationKey.bytes.slice(),
    };
  }

  /**
   * Seals a message to the members, for any way to them (GRP-12).
   * @param aad bound to the message and not part of it
   * @throws GROUP_UNKNOWN, GROUP_EXPIRED, GROUP_SUSPENDED, GROUP_USED_UP, BAD_ENCODING when it is too long
   */
  async seal(groupId: string, plaintext: Uint8Array, aad: Uint8Array = NOTHING): Promise<Uint8Array> {
    const name = nameOf(groupId);
    return this.#whileOpen(
      async () => (await this.#parts.groups.messages.seal(name, plaintext, aad)).message,
    );
  }

  /**
   * Opens a message of any of the device's groups, each one once.
   * @throws GROUP_UNKNOWN, GROUP_EPOCH_OLD, GROUP_EPOCH_UNKNOWN, MESSAGE_REPLAYED, AUTHENTICATION_FAILED, BAD_ENCODING,
   *   WRONG_VERSION
   */
  async open(message: Uint8Array, aad: Uint8Array = NOTHING): Promise<GroupMessage> {
    return this.#whileOpen(async () => this.#parts.groups.messages.open(message, aad));
  }

  /** Has the home node pass a message to the members that are connected. @throws as seal, MESSAGE_TOO_LARGE */
  async send(groupId: string, plaintext: Uint8Array): Promise<GroupSending> {
    const name = nameOf(groupId);
    return this.#whileOpen(async () => this.#parts.groups.messages.send(name, plaintext));
  }

  async #change(groupId: string, changeOf: () => GroupChange): Promise<GroupInfo> {
    const { groups } = this.#parts;
    return this.#whileOpen(async () => {
      const name = nameOf(groupId);
      groups.store.last(name);
      await groups.dealing.change(fromHex(name), changeOf());
      return groups.info(name);
    });
  }

  #accepted(name: string, epochId: string | undefined): HeldEpoch {
    const { store } = this.#parts.groups;
    const newest = store.held(name);
    if (epochId === undefined) return newest;
    const epoch = store.accepted(name).find((one) => toHex(one.epochId) === epochId);
    if (epoch !== undefined) return epoch;
    throw new SymmetraError('GROUP_EPOCH_UNKNOWN', 'the device holds no such epoch of the group', {
      groupId: name,
      epochId,
    });
  }
}

/** A group id in the one form in which it is a name. @throws GROUP_UNKNOWN */
function nameOf(groupId: string): string {
  return toHex(parseGroupId(groupId));
}

/** @throws BAD_OPTION, BAD_PEER, MEMBER_TWICE, GROUP_EMPTY when there are none */
function someMembers(texts: readonly string[]): readonly Uint8Array[] {
  const ids = parseMembers(texts);
  if (ids.length === 0) throw groupEmpty();
  return ids;
}
