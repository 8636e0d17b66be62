import { equalConstantTime, toHex } from '@symmetra/crypto';
import {
  advancePage,
  decodeGroupHeader,
  encodeEpochBroadcast,
  encodeGroupDue,
  forgetShare,
  isSuspended,
  orderOf,
  pathKeysOf,
  plantTree,
  rangesOf,
  rekey,
} from '@symmetra/protocol';
import type {
  DueReason,
  GroupEpoch,
  NodeGroup,
  Roster,
  RosterChanges,
  Step,
  TreeScope,
} from '@symmetra/protocol';
import type { SimulatedProcess } from '@symmetra/testing';
import type { GroupLiar } from './group-liar.js';
import { broadcastFrame, readBroadcastFrame, sessionFrame } from './group-wire.js';
import type { SignedBroadcast } from './group-wire.js';
import { BOUND_SECONDS, MS_PER_TICK } from './group-world.js';
import type { GroupWorld } from './group-world.js';
import { deviceIdOfName } from './pair-channel.js';

/** GRP-8: who has not confirmed within 5 seconds gets a welcome, and again. */
const WELCOME_TICKS = 50;
const DUE_TICKS = 30;
const TIDY_TICKS = 40;

/** What a node remembers of its tree and of who has the epoch in force. */
interface TreeRow {
  readonly step: number;
  readonly since: number;
  readonly tidy: boolean;
}

/** GRP-6 to GRP-8, GRP-10: what a node tells the members of a group. */
export class GroupDelivery {
  readonly #world: GroupWorld;
  readonly #process: SimulatedProcess;
  readonly #liar: GroupLiar;
  readonly #roster: Roster;
  readonly #welcomed = new Map<string, number>();
  /** The newest notice, by what it says. */
  #due: { readonly about: string; readonly signed: SignedBroadcast; readonly at: number } | undefined;

  constructor(world: GroupWorld, process: SimulatedProcess, liar: GroupLiar, roster: Roster) {
    this.#world = world;
    this.#process = process;
    this.#liar = liar;
    this.#roster = roster;
  }

  get #state(): NodeGroup | undefined {
    return this.#process.get<NodeGroup>('group');
  }

  get #tree(): TreeRow | undefined {
    return this.#process.get<TreeRow>('step');
  }

  get #scope(): TreeScope {
    const { suite, context, groupId } = this.#world;
    return { suite, networkId: context.networkId, groupId, nodeId: this.#process.name };
  }

  readonly #readPage = (name: string): Uint8Array | undefined =>
    this.#process.get<{ page: Uint8Array }>(`tree/${name}`)?.page;

  /** GRP-5 to GRP-7: tree, epoch and broadcast in one commit. */
  bringIntoForce(
    before: GroupEpoch | undefined,
    { state, output, consumed }: Step<NodeGroup, GroupEpoch | undefined>,
    changes: RosterChanges,
  ): void {
    if (output?.share === undefined) throw new Error('an epoch comes into force without its share');
    const { context } = this.#world;
    const header = decodeGroupHeader(context, output.header);
    const step = before === undefined ? 0 : (this.#tree?.step ?? 0) + 1;
    const heightBefore = this.#roster.height;
    this.#roster.apply(changes);
    const random = (length: number): Uint8Array => this.#process.random(length);
    const places = [...this.#roster.members()].map(({ place }) => place);
    const { height } = header;
    const nonce = random(32);
    const { epochId } = output;
    const share = this.#liar.share(output.share.bytes);
    const rekeying = { heightBefore, changes, height, step, nonce, epochId, share, random };
    const { pages, update } =
      before === undefined
        ? { pages: plantTree(this.#scope, { places, height, step, random }), update: undefined }
        : rekey(this.#scope, this.#readPage, rekeying);
    const content =
      before &&
      update &&
      encodeEpochBroadcast(context, {
        nodeId: this.#process.name,
        headerBytes: this.#liar.header(output.header),
        tag: output.tag,
        from: before.epochId,
        step,
        nonce,
        vacated: rangesOf(changes.vacated),
        taken: rangesOf(changes.taken.map(({ place }) => place)),
        ...update,
      });
    const signed = content && this.#world.signing.sign(this.#process.name, content);
    if (update) this.#world.onBroadcast(this.#process.name, { epochId, step, nonce, ...update });
    this.#welcomed.clear();
    this.#world.note(before === undefined ? 'node:first epoch' : 'node:in force');
    this.#process.commit({
      writes: {
        group: state,
        changes: undefined,
        roster: { members: [...this.#roster.members()] },
        step: { step, since: this.#process.now, tidy: false } satisfies TreeRow,
        confirmed: { ids: [] },
        ...Object.fromEntries(
          [...pages].map(([name, page]) => [`tree/${name}`, page ? { page } : undefined]),
        ),
      },
      ...(signed && { sends: this.#audience(signed) }),
      wipes: consumed,
    });
    for (const { deviceId } of before === undefined ? this.#roster.members() : changes.taken) {
      this.#welcome(this.#world.nameOf(deviceId));
    }
  }

  /** What is written when nobody is left. */
  forgotten(): Record<string, undefined> {
    const names = this.#process.names('tree/');
    return Object.fromEntries(
      [...names, 'step', 'roster', 'confirmed', 'changes'].map((name) => [name, undefined]),
    );
  }

  /** To the other nodes, and to who is at home here. */
  #audience(signed: SignedBroadcast): readonly { to: string; frame: Uint8Array }[] {
    if (this.#liar.isSilent) return [];
    const nodes = this.#world.plan.nodes.filter((node) => node !== this.#process.name);
    const frame = broadcastFrame(signed);
    return [...nodes, ...this.#atHome()].map((to) => ({ to, frame }));
  }

  #atHome(): readonly string[] {
    return this.#world.plan.devices.filter((device) => this.#world.homeOf(device) === this.#process.name);
  }

  #spread(signed: SignedBroadcast): void {
    for (const { to, frame } of this.#audience(signed)) this.#process.send(to, frame);
  }

  /** GRP-7: passes on what another node signed. @throws BAD_SIGNATURE */
  passOn(body: Uint8Array): void {
    const signed = readBroadcastFrame(body);
    this.#world.signing.read(this.#world.context, signed);
    const replayed = this.#liar.replay(signed);
    if (this.#liar.isSilent) return;
    const frames = [signed, ...(replayed ? [replayed] : [])].map(broadcastFrame);
    for (const device of this.#atHome()) {
      for (const frame of frames) this.#process.send(device, frame);
    }
  }

  confirmed(device: string, epochId: Uint8Array): void {
    const state = this.#state;
    const row = this.#process.get<{ ids: readonly string[] }>('confirmed');
    if (!state?.inForce || !row || !equalConstantTime(state.inForce.epochId, epochId)) return;
    if (!row.ids.includes(device)) {
      this.#process.commit({ writes: { confirmed: { ids: [...row.ids, device] } } });
    }
  }

  /** GRP-8. */
  #welcome(device: string): void {
    const state = this.#state;
    const deviceId = deviceIdOfName(device);
    const place = this.#roster.placeOf(deviceId);
    if (!state?.inForce || place === undefined || isSuspended(state, this.#roster)) return;
    if (this.#liar.isSilent || !this.#world.isAttached(device, this.#process.name)) return;
    const { header, tag, share } = state.inForce;
    const step = this.#tree?.step ?? 0;
    const { height } = decodeGroupHeader(this.#world.context, header);
    const pathKeys = pathKeysOf(this.#scope, this.#readPage, height, place, step);
    const fields = { header, tag, share: share?.bytes ?? new Uint8Array(0), place, step, pathKeys };
    const body = this.#liar.welcome(fields);
    this.#welcomed.set(device, this.#process.now);
    this.#process.send(device, sessionFrame(this.#process.name, device, 'welcome', body));
  }

  /** GRP-10: signs what is due once, and spreads it. */
  sayDue(used?: DueReason): void {
    const state = this.#state;
    if (state?.inForce === undefined || this.#liar.isSilent) return;
    const out = state.out.filter(({ deviceId }) => this.#roster.placeOf(deviceId) !== undefined);
    const order = orderOf(this.#world.context, state, this.#roster);
    this.#say(
      state.inForce,
      used ?? (out.some(({ reason }) => reason === 'revoked') ? 'revoked' : 'left'),
      out.map(({ deviceId }) => deviceId),
      order,
    );
  }

  #say(
    { epoch, epochId }: GroupEpoch,
    reason: DueReason,
    out: readonly Uint8Array[],
    order: readonly Uint8Array[],
  ): void {
    const about = [toHex(epochId), reason, ...out.map(toHex)].join('/');
    if (this.#due?.about !== about) {
      const { context, groupId, signing } = this.#world;
      const nodeId = this.#process.name;
      const content = encodeGroupDue(context, {
        nodeId,
        groupId,
        epoch,
        epochId,
        reason,
        out,
        order,
        boundSeconds: BOUND_SECONDS,
      });
      this.#world.note(`notice:${reason}`);
      this.#due = { about, signed: signing.sign(nodeId, content), at: 0 };
    } else if (this.#process.now - this.#due.at < DUE_TICKS) return;
    this.#due = { ...this.#due, at: this.#process.now };
    this.#spread(this.#due.signed);
  }

  tick(): void {
    const state = this.#state;
    const tree = this.#tree;
    if (state?.inForce === undefined || tree === undefined) return;
    if (isSuspended(state, this.#roster)) this.sayDue();
    else this.#welcomeAgain(tree);
    if (this.#liar.malice === 'false notice') this.#lie(state.inForce);
    this.#tidy(state, tree);
  }

  #welcomeAgain({ since }: TreeRow): void {
    const ids = this.#process.get<{ ids: readonly string[] }>('confirmed')?.ids ?? [];
    for (const { deviceId } of this.#roster.members()) {
      const device = this.#world.nameOf(deviceId);
      if (ids.includes(device)) continue;
      if (this.#process.now - (this.#welcomed.get(device) ?? since) < WELCOME_TICKS) continue;
      this.#welcome(device);
    }
  }

  #lie(inForce: GroupEpoch): void {
    const order = [...this.#roster.members()].map(({ deviceId }) => deviceId);
    this.#say(inForce, 'revoked', order.slice(-1), order.slice(0, 1));
  }

  /** GRP-6, GRP-8: keys that lag behind are taken along, and a share whose time is over is erased. */
  #tidy(state: NodeGroup, tree: TreeRow): void {
    const age = this.#process.now - tree.since;
    if (age * MS_PER_TICK > this.#world.plan.lifetimeSeconds * 1000 && state.inForce?.share) {
      const step = forgetShare(state);
      this.#world.note('node:share erased');
      this.#process.commit({ writes: { group: step.state }, wipes: step.consumed });
    }
    if (tree.tidy || age < TIDY_TICKS) return;
    const writes: Record<string, object> = { step: { ...tree, tidy: true } };
    for (const name of this.#process.names('tree/')) {
      const value = this.#readPage(name.slice('tree/'.length));
      const page = value && advancePage(this.#scope, name.slice('tree/'.length), value, tree.step);
      if (page) writes[name] = { page };
    }
    this.#world.note('node:tree tidied');
    this.#process.commit({ writes });
  }
}
