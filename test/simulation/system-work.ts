import { SymmetraError, fromBase32, sha256, toHex } from '@symmetra/crypto';
import { DEFAULT_POLICY, eventHash } from '@symmetra/protocol';
import type { ControlBody, Policy } from '@symmetra/protocol';
import { CHEAP_SUITE_ID } from '@symmetra/testing';
import type { DeviceMachine, Prng, World } from '@symmetra/testing';
import type { Device, GroupInfo } from '@symmetra/sdk';
import { Deck } from './system-deck.js';
import type { Historian } from './system-history.js';

/** What devices and administrators do in a system, by name: each must succeed now and then. */
export const TASKS = [
  'ratchet',
  'negotiate',
  'forget',
  'group-create',
  'group-add',
  'group-remove',
  'group-rotate',
  'group-send',
  'group-leave',
  'policy',
  'token',
  'revoke-key',
] as const;
type Task = (typeof TASKS)[number];

/** How often each is drawn, relative to the others. */
const WEIGHTS: Readonly<Record<Task, number>> = {
  ratchet: 6,
  negotiate: 20,
  forget: 1,
  'group-create': 5,
  'group-add': 4,
  'group-remove': 4,
  'group-rotate': 5,
  'group-send': 6,
  'group-leave': 2,
  policy: 3,
  token: 3,
  'revoke-key': 2,
};
const CARDS = TASKS.flatMap((task) => Array.from({ length: WEIGHTS[task] }, () => task));

type Peer = Pick<Device, 'id'>;

const MAX_UNDER_WAY = 4;
const SUBMIT = '/symmetra.admin.v1.AdminService/Submit';

/** The stable code of an error. */
export function codeOf(error: unknown): string {
  return error instanceof SymmetraError ? error.code : 'INTERNAL';
}

/** A hash of key bytes: enough to compare them. */
export function digestOf(bytes: Uint8Array): string {
  return toHex(sha256(bytes)).slice(0, 16);
}

/** What is done in a system while things befall it. */
export class SystemWork {
  readonly #world: World;
  readonly #prng: Prng;
  readonly #history: Historian;
  readonly #tasks: Deck<Task>;
  readonly #underWay = new Map<Device, number>();
  readonly #revoked = new Set<string>();
  /** Who was taken into a group and not put out, by group. */
  readonly #members = new Map<string, Set<string>>();
  readonly #strangers = new Map<string, readonly [one: string, other: string]>();

  constructor(world: World, prng: Prng, history: Historian) {
    this.#world = world;
    this.#prng = prng;
    this.#history = history;
    this.#tasks = new Deck(CARDS, prng);
  }

  /** The ids of the devices that somebody asked to revoke. */
  get revoked(): ReadonlySet<string> {
    return this.#revoked;
  }

  /** Pairs that were to forget each other: one of them may have come off without it. */
  get strangers(): Iterable<readonly [one: string, other: string]> {
    return this.#strangers.values();
  }

  /** Begins something that a device or an administrator might do now. */
  begin(): void {
    const task = this.#tasks.draw();
    const machine = this.#prng.pick(this.#world.devices);
    const { device } = machine;
    if (device === undefined || (this.#underWay.get(device) ?? 0) >= MAX_UNDER_WAY) return;
    const work = this.#workOf(task, device);
    if (work !== undefined) void this.#did(task, device, work);
  }

  /** Has a device revoked; the administrators go on until the event is in the log. */
  async revoke(device: { readonly id: string }): Promise<void> {
    this.#revoked.add(device.id);
    const body: ControlBody = { kind: 'device-revoke', deviceId: fromBase32(device.id), reason: 'lost' };
    const applied = await this.#submit(body);
    this.#world.occurrences.note('did:revoke-device');
    if (applied) this.#history.noteRevoked(device.id);
  }

  /** A token for so many devices. @throws when no node takes it */
  async token(uses: number): Promise<string> {
    const { text, body } = this.#world.administrator.issueToken({ uses });
    await this.#submit(body);
    return text;
  }

  /** Two devices are strangers to one another again: what their owners agree on. */
  async forgetEachOther(one: string, other: string): Promise<void> {
    this.#strangers.set([one, other].toSorted().join(' '), [one, other]);
    await Promise.all(
      this.#world.devices.map(async ({ device }) => {
        if (device?.id === one) await device.forget(other);
        if (device?.id === other) await device.forget(one);
      }),
    );
  }

  #workOf(task: Task, device: Device): (() => Promise<object | void>) | undefined {
    const prng = this.#prng;
    const peer = this.#peer(device);
    const groups = device.group.list();
    const managed = groups.filter(({ manager }) => manager);
    switch (task) {
      case 'ratchet':
        return async () => void (await device.ratchet());
      case 'negotiate':
        return peer && (async () => this.#negotiate(device, peer.id));
      case 'forget':
        return peer && (async () => this.forgetEachOther(device.id, peer.id));
      case 'group-create': {
        const others = this.#others(device).filter(() => prng.chance(0.5));
        if (others.length === 0) return undefined;
        const members = others.map(({ id }) => id);
        const managers = prng.chance(0.5) ? [device.id, ...members.slice(0, 1)] : [device.id];
        return async () => {
          const { groupId } = await device.group.create({ members, managers });
          this.#members.set(groupId, new Set([device.id, ...members]));
        };
      }
      case 'group-add':
        return this.#changeGroup(device, managed, 'add');
      case 'group-remove':
        return this.#changeGroup(device, managed, 'remove');
      case 'group-rotate':
        return this.#onGroup(managed, async (id) => device.group.rotate(id));
      case 'group-send':
        return this.#onGroup(groups, async (id) => device.group.send(id, prng.bytes(20)));
      case 'group-leave':
        return this.#onGroup(groups, async (id) => device.group.leave(id));
      case 'policy':
        return async () => void (await this.#submit({ kind: 'policy', policy: this.#policy() }));
      case 'token':
        return async () => void (await this.token(1));
      case 'revoke-key': {
        const key = device.keys().find(({ state }) => state === 'active');
        return key && (async () => void (await this.#submit(revokeKey(key.keyId))));
      }
    }
  }

  #onGroup(
    groups: readonly GroupInfo[],
    work: (groupId: string) => Promise<unknown>,
  ): (() => Promise<void>) | undefined {
    if (groups.length === 0) return undefined;
    const { groupId } = this.#prng.pick(groups);
    return async () => void (await work(groupId));
  }

  /** Takes in somebody who is outside, or puts out somebody who is inside, as far as that is known. */
  #changeGroup(
    device: Device,
    groups: readonly GroupInfo[],
    how: 'add' | 'remove',
  ): (() => Promise<void>) | undefined {
    if (groups.length === 0) return undefined;
    const { groupId } = this.#prng.pick(groups);
    const members = this.#members.get(groupId) ?? new Set();
    const possible = this.#others(device).filter(({ id }) => members.has(id) === (how === 'remove'));
    if (possible.length === 0) return undefined;
    const { id } = this.#prng.pick(possible);
    return async () => {
      await device.group[how](groupId, [id]);
      if (how === 'add') members.add(id);
      else members.delete(id);
    };
  }

  async #negotiate(device: Device, peer: string): Promise<object> {
    const prng = this.#prng;
    const key = await device.negotiate(peer, {
      purpose: prng.pick(['application', 'backup']),
      lifetime: prng.pick([60_000, 3_600_000, 86_400_000]),
      uses: prng.pick([0, 0, 5]),
      directKem: prng.chance(0.7),
      threshold: prng.chance(0.2) ? 'all' : 'k',
      wait: prng.pick([2000, 30_000]),
    });
    return { peer, keyId: key.keyId };
  }

  async #did(task: Task, device: Device, work: () => Promise<object | void>): Promise<void> {
    const began = this.#world.timeline.now;
    this.#underWay.set(device, (this.#underWay.get(device) ?? 0) + 1);
    let outcome = 'ok';
    let more: object = {};
    try {
      more = (await work()) ?? {};
    } catch (error) {
      outcome = codeOf(error);
    }
    this.#underWay.set(device, (this.#underWay.get(device) ?? 1) - 1);
    this.#world.occurrences.note(`${outcome === 'ok' ? 'did' : `failed:${outcome}`}:${task}`);
    this.#history.note(device.id, { kind: 'did', task, began, outcome, ...more });
  }

  /**
   * Appends an event at some node, and again when another one was first or the node was not there.
   * @returns whether every node has a receipt for it
   */
  async #submit(body: ControlBody): Promise<boolean> {
    for (;;) {
      const { administrator } = this.#world;
      const { id, address } = this.#prng.pick(this.#world.nodes);
      try {
        const signed = administrator.sign(body, await administrator.head(id, { address }));
        const event = { event: signed.event, signatures: [...signed.signatures] };
        const reply = await administrator.call(id, SUBMIT, { event }, { address });
        this.#history.noteAccepted({ number: reply.number, hash: toHex(eventHash(signed.event)), body });
        const applied = new Set(reply.receipts.flatMap((receipt) => (receipt.applied ? receipt.node : [])));
        return this.#world.nodeIds.every((node) => applied.has(node));
      } catch (error) {
        this.#world.occurrences.note(`refused:${codeOf(error)}:${body.kind}`);
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#world.timeline.after(this.#prng.between(100, 3000), resolve);
    });
  }

  #policy(): Policy {
    const prng = this.#prng;
    return {
      ...DEFAULT_POLICY,
      allowedSuites: [CHEAP_SUITE_ID],
      maximum: { lifetimeSeconds: prng.pick([4 * 3600, 30 * 24 * 3600]), uses: prng.pick([0, 1000]) },
      firstContactAll: prng.chance(0.3),
      requireDirectKem: prng.chance(0.3),
    };
  }

  #peer(device: Device): Peer | undefined {
    const others = this.#others(device);
    return others.length === 0 ? undefined : this.#prng.pick(others);
  }

  /** The other devices, be they open now or not. */
  #others(device: Device): readonly Peer[] {
    return this.#world.devices.flatMap(({ known }: DeviceMachine) =>
      known === undefined || known.id === device.id ? [] : known,
    );
  }
}

function revokeKey(keyId: string): ControlBody {
  return { kind: 'key-revoke', keyId: new Uint8Array(Buffer.from(keyId, 'hex')), reason: 'test' };
}
