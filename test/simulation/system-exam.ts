import type { DeviceMachine, World } from '@symmetra/testing';
import type { Device, GroupInfo } from '@symmetra/sdk';
import type { Historian } from './system-history.js';
import { codeOf } from './system-work.js';

/** What one thing that is asked may take. */
export const EXAM_MS = 60_000;

/** What the strictest policy of a system allows (CTL-5). */
const ALLOWED_USES = 1000;

/** A group that has another epoch, or the one in its stead. */
interface Rotated {
  readonly manager: Device;
  readonly info: GroupInfo;
}

/** What a node logs when it has an epoch of a group. */
interface InForce {
  readonly group?: string;
  readonly message: string;
}

const IN_FORCE = 'An epoch of a group came into force.';

/** The examination of everybody, when everything is well again. */
export class SystemExam {
  readonly #world: World;
  readonly #history: Historian;
  /** The devices that must be able to do everything. */
  readonly #fit: readonly DeviceMachine[];

  constructor(world: World, history: Historian, revoked: ReadonlySet<string>) {
    this.#world = world;
    this.#history = history;
    this.#fit = world.devices.filter(({ known }) => !revoked.has(known?.id ?? ''));
  }

  /** Every device takes a step at each node of the newest descriptor, and makes a key with each other through all of them. */
  async devices(): Promise<void> {
    for (const { device, name } of this.#fit) {
      if (device === undefined) this.#history.note(name, { kind: 'exam', task: 'be there', code: 'ABSENT' });
      else await this.#exam(device, 'ratchet', async () => this.#ratchetEverywhere(device));
    }
    for (const machine of this.#fit) {
      const { device } = machine;
      for (const other of this.#fit) {
        const peer = other.known?.id;
        if (device === undefined || peer === undefined || other === machine) continue;
        await this.#exam(device, 'negotiate', async () => {
          const { state } = await device.negotiate(peer, { threshold: 'all' });
          return state === 'active' ? 'ok' : state;
        });
      }
    }
  }

  /** Every group that has a manager gets another epoch, or is created anew; all its members hold that epoch then. */
  async groups(): Promise<void> {
    const rotated = new Map<string, Rotated>();
    const newest = new Map<string, number>();
    for (const { groupId, epoch } of this.#world.devices.flatMap(
      ({ device }) => device?.group.list() ?? [],
    )) {
      newest.set(groupId, Math.max(epoch, newest.get(groupId) ?? 0));
    }
    for (const { device: manager } of this.#fit) {
      if (manager === undefined) continue;
      for (const { groupId, epoch, manager: may } of manager.group.list()) {
        // Who holds an earlier epoch may have been put out since.
        if (!may || epoch < (newest.get(groupId) ?? 0) || rotated.has(groupId)) continue;
        if (this.#isLost(groupId)) {
          await this.#createAnew(manager, groupId, rotated);
          continue;
        }
        await this.#exam(manager, 'rotate', async () => {
          rotated.set(groupId, { manager, info: await manager.group.rotate(groupId) });
          return 'ok';
        });
      }
    }
    await this.#world.timeline.pass(EXAM_MS);
    for (const { manager, info } of rotated.values()) {
      const { groupId } = info;
      const holders = this.#world.devices.filter(({ device }) =>
        device?.group.list().some((held) => held.groupId === groupId && held.epochId === info.epochId),
      );
      await this.#exam(manager, `epoch ${info.epoch} at ${info.members}`, async () =>
        holders.length === info.members ? 'ok' : `ONLY_${holders.length}`,
      );
    }
  }

  /** GRP-11: fewer than q of the nodes of the newest descriptor ever had an epoch of the group: none can follow any more. */
  #isLost(groupId: string): boolean {
    const { nodes, nodeIds, root } = this.#world;
    const holders = nodes.filter(({ room }) =>
      room.log.some((line) => {
        const { group, message } = JSON.parse(line) as InForce;
        return group === groupId && message === IN_FORCE;
      }),
    );
    const majority = Math.floor(nodeIds.length / 2) + 1;
    return new Set(holders.map(({ id }) => id)).size < Math.max(root.descriptor.threshold, majority);
  }

  /** The manager makes another group of those who held the lost one. */
  async #createAnew(manager: Device, lost: string, rotated: Map<string, Rotated>): Promise<void> {
    const members = this.#fit.flatMap(({ device }) =>
      device !== undefined && device.id !== manager.id && holds(device, lost) ? device.id : [],
    );
    if (members.length === 0) return;
    this.#world.occurrences.note('group-lost');
    await this.#exam(manager, 'create anew', async () => {
      rotated.set(lost, { manager, info: await manager.group.create({ members, uses: ALLOWED_USES }) });
      return 'ok';
    });
  }

  async #ratchetEverywhere(device: Device): Promise<string> {
    const failed: string[] = [];
    const note = ({ code }: { readonly code: string }): void => void failed.push(code);
    device.on('warning', note);
    const { epochs } = await device.ratchet();
    device.off('warning', note);
    if (failed.length > 0) return failed.join(' ');
    const enrolled = Object.keys(epochs).toSorted().join(' ');
    return enrolled === this.#world.nodeIds.toSorted().join(' ') ? 'ok' : `ENROLLED_AT ${enrolled}`;
  }

  async #exam(device: Device, task: string, work: () => Promise<string>): Promise<void> {
    let code: string;
    try {
      code = await this.#world.settled(EXAM_MS, work());
    } catch (error) {
      code = codeOf(error) === 'INTERNAL' ? String(error) : codeOf(error);
    }
    this.#history.note(device.id, { kind: 'exam', task, code });
  }
}

function holds(device: Device, group: string): boolean {
  return device.group.list().some(({ groupId }) => groupId === group);
}
