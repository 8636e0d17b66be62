import type { suites } from '@symmetra/crypto';
import {
  Roster,
  SenderWindows,
  dealEpoch,
  encodeEpochBroadcast,
  groupCoinLength,
  newMember,
  openGroupMessage,
  rangesOf,
  readBroadcast,
  readWelcome,
  receiveEpochBroadcast,
  receiveWelcome,
  sealGroupMessage,
  signBroadcast,
} from '@symmetra/protocol';
import type { Deal, MemberGroup, MemberStep, RosterChanges, WelcomeFields } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { descriptor } from './control.js';
import {
  GROUP_ID,
  LIFETIME_SECONDS,
  PURPOSE,
  device,
  groupHeaderByHand,
  groupMessageByHand,
  groupSecretsByHand,
  heightByHand,
  rosterRootByHand,
} from './group-by-hand.js';
import type { HandEpoch, HandTree } from './group-by-hand.js';
import { noticeVector } from './group-notice.js';
import type { Settled } from './group-notice.js';
import { VectorTree } from './group-tree.js';
import { NODE_IDS, signer } from './network.js';
import { numbered } from './pairwise-by-hand.js';
import { NETWORK_ID, agreed, bench, fixed, hexes } from './vector.js';
import type { Bench, Vector } from './vector.js';

const FIVE = ['Alice', 'Bob', 'Carol', 'Dave', 'Eve'];
const FLOORS = { nodes: NODE_IDS, minimumNodes: 3, minimumThreshold: 2, allowedSuites: [1, 2, 3] };

/** GRP-1 to GRP-12: a creation, a removal, a join and a rotation at three nodes, a notice and a message. */
export function groupVector(table: typeof suites, suiteId: number): Vector {
  const run = new GroupRun(bench(table, suiteId));
  return {
    members: hexes(Object.fromEntries([...FIVE, 'Frank'].map((name) => [name, device(name)]))),
    groupId: by.hex(GROUP_ID),
    'GRP-3 creation: Alice to Eve take the places 0 to 4': run.epoch('creation', [], FIVE, 0),
    'GRP-7 removal of Carol': run.epoch('removal', ['Carol'], [], 0),
    'GRP-8 join of Frank': run.epoch('join', [], ['Frank'], 0),
    'GRP-10 rotation': run.epoch('rotation', [], [], 1000),
    'GRP-10 notice of amsterdam: Bob left': noticeVector(run.bench.context, run.settled()),
    'GRP-12 message of Alice in the last epoch': run.message(),
  };
}

/** What an epoch is for one node. */
interface Bringing {
  readonly name: string;
  readonly before: ReadonlyMap<number, Uint8Array>;
  readonly changes: RosterChanges;
  readonly share: Uint8Array;
  readonly previous: Uint8Array;
}

/** One group through its epochs, by the protocol and by hand. */
class GroupRun {
  readonly bench: Bench;
  readonly #trees: readonly VectorTree[];
  readonly #roster = Roster.of([]);
  readonly #members = new Map<string, MemberGroup>();
  #places: ReadonlyMap<number, Uint8Array> = new Map();
  #last: Settled | undefined;

  constructor(b: Bench) {
    this.bench = b;
    this.#trees = NODE_IDS.map((id) => new VectorTree(b, id));
  }

  /** Deals an epoch, brings it into force at every node, and has every member take it. */
  epoch(name: string, removed: readonly string[], added: readonly string[], uses: number): Vector {
    const changes = this.#roster.plan(removed.map(device), added.map(device));
    const before = this.#places;
    const after = new Map(before);
    for (const place of changes.vacated) after.delete(place);
    for (const { place, deviceId } of changes.taken) after.set(place, deviceId);
    this.#places = new Map([...after].toSorted(([one], [other]) => one - other));
    const last = this.#last;
    const number = (last?.epoch.epoch ?? 0) + 1;
    const epoch: HandEpoch = {
      groupId: GROUP_ID,
      epoch: number,
      previous: last?.secrets.epochId ?? by.NONE,
      barrier: changes.vacated.length > 0 ? number : (last?.epoch.barrier ?? 0),
      dealer: device('Alice'),
      managers: [device('Alice'), device('Bob')],
      roster: this.#places,
      uses,
    };
    const split = fixed(`S, ${name}`, 32);
    const coefficients = fixed(`coefficients, ${name}`, groupCoinLength(2));
    const deal = this.#deal(epoch, changes, split.slice(), coefficients.slice());
    const shares = deal.shares.map((share) => share.bytes);
    const header = groupHeaderByHand(this.bench.hand, epoch, split, shares);
    const headerText = agreed('header', deal.header, header.bytes);
    const secrets = groupSecretsByHand(this.bench.hand, epoch, header.bytes, split);
    agreed('tag', deal.tag, secrets.tag);
    agreed('epoch id', deal.epochId, secrets.epochId);
    agreed('deal hash', deal.dealHash, secrets.dealHash);
    this.#last = { epoch, secrets };
    for (const one of removed) this.#members.delete(one);
    const nodes = this.#trees.map((tree, i) => {
      const from = { name, before, changes, share: shares[i] as Uint8Array, previous: epoch.previous };
      return [tree.nodeId, this.#bring(tree, deal, from, added)] as const;
    });
    for (const [member, state] of this.#members) {
      const key = state.epochs[0]?.applicationKey.bytes ?? by.NONE;
      agreed(`application key of ${member}`, key, secrets.application);
    }
    return {
      S: by.hex(split),
      coefficients: by.hex(coefficients),
      ...numbered('share', shares),
      ...Object.fromEntries(header.commitments.map((one, i) => [`commitment ${i}`, by.hex(one)])),
      'roster root': by.hex(rosterRootByHand(epoch.roster)),
      header: headerText,
      ...hexes({ 'epoch id': secrets.epochId, G: secrets.G, 'check key': secrets.checkKey }),
      ...hexes({ tag: secrets.tag, 'deal hash': secrets.dealHash, 'application key': secrets.application }),
      ...hexes({ 'message key': secrets.message, fingerprint: secrets.fingerprint }),
      nodes: Object.fromEntries(nodes),
    };
  }

  #deal(epoch: HandEpoch, changes: RosterChanges, secret: Uint8Array, coins: Uint8Array): Deal {
    const { size, height, root } = this.#roster.outcome(changes);
    this.#roster.apply(changes);
    agreed('roster root', root, rosterRootByHand(epoch.roster));
    const { groupId, previous, barrier, dealer, managers, uses } = epoch;
    return dealEpoch(
      this.bench.context,
      {
        suiteId: this.bench.hand.id,
        groupId,
        epoch: epoch.epoch,
        previous,
        barrier,
        dealer,
        managers,
        members: size,
        height,
        rosterRoot: root,
        purpose: PURPOSE,
        keyLength: 32,
        limits: { lifetimeSeconds: LIFETIME_SECONDS, uses },
        threshold: 2,
        nodes: NODE_IDS,
        descriptorVersion: 7,
        policyRevision: 3,
      },
      { secret, coins },
    );
  }

  /** GRP-6 to GRP-9: one node's step, its broadcast, and what its members make of it. */
  #bring(tree: VectorTree, deal: Deal, from: Bringing, added: readonly string[]): Vector {
    const { name, before, changes, share } = from;
    const height = heightByHand(this.#places);
    const random = (length: number): Uint8Array => fixed(`tree keys of ${tree.nodeId}, ${name}`, length);
    const children = tree.hand.advance(before, this.#places, changes.vacated, random);
    const isFirst = from.previous.length === 0;
    if (isFirst) tree.plant([...this.#places.keys()], height, random);
    const broadcast = isFirst ? undefined : this.#broadcast(tree, deal, from, children, random);
    const places = [...this.#places].map(([place]) => [place, tree.path(height, place)] as const);
    for (const member of added) {
      const place = this.#roster.placeOf(device(member)) as number;
      const pathKeys = new Map(places).get(place)?.slice() ?? by.NONE;
      const fields = { header: deal.header, tag: deal.tag, place, step: tree.hand.step, pathKeys };
      this.#welcome(tree.nodeId, member, { ...fields, share: share.slice() });
    }
    return {
      step: tree.hand.step,
      'tree keys by level/index': tree.hand.keys(),
      ...(broadcast && { 'GRP-7 broadcast': broadcast }),
    };
  }

  /** GRP-7: the broadcast of one node, which all that were members before hear. */
  #broadcast(
    tree: VectorTree,
    deal: Deal,
    { name, before, changes, share, previous }: Bringing,
    children: ReturnType<HandTree['advance']>,
    random: (length: number) => Uint8Array,
  ): Vector {
    const { nodeId, hand } = tree;
    const { epochId } = deal;
    const nonce = fixed(`nonce of ${nodeId}, ${name}`, 32);
    const height = heightByHand(this.#places);
    const heightBefore = heightByHand(before);
    const { step } = hand;
    const update = tree.rekey({ heightBefore, changes, height, step, nonce, epochId, share, random });
    const sealed = hand.seal(children, epochId, nonce, { height, share });
    const vacated = rangesOf(changes.vacated);
    const taken = rangesOf(changes.taken.map(({ place }) => place));
    const content = encodeEpochBroadcast(this.bench.context, {
      nodeId,
      headerBytes: deal.header,
      tag: deal.tag,
      from: previous,
      step,
      nonce,
      vacated,
      taken,
      ...update,
    });
    const byHand = by.raw(
      by.u8(1),
      NETWORK_ID,
      by.u8(1),
      by.text(nodeId),
      by.bytes(deal.header),
      by.bytes(deal.tag),
      by.bytes(previous),
      by.u64(step),
      nonce,
      by.list(vacated, ({ first, count }) => by.raw(by.u32(first), by.u32(count))),
      by.list(taken, ({ first, count }) => by.raw(by.u32(first), by.u32(count))),
      by.list(sealed.seals, (seal) => by.raw(by.u8(seal.level), by.u32(seal.index), seal.sealed)),
      sealed.share,
    );
    const text = agreed(`broadcast of ${nodeId}`, content ?? by.NONE, byHand);
    const signature = signBroadcast(byHand, signer(nodeId).secretKey);
    this.#hear(byHand, signature);
    const isShown = name === 'removal' && nodeId === NODE_IDS[0];
    return {
      nonce: by.hex(nonce),
      seals: Object.fromEntries(
        sealed.seals.map(({ level, index, sealed: seal }) => [`under ${level}/${index}`, by.hex(seal)]),
      ),
      'sealed share': by.hex(sealed.share),
      content: text,
      ...(isShown && { signature: by.hex(signature) }),
    };
  }

  #hear(content: Uint8Array, signature: Uint8Array): void {
    const { context } = this.bench;
    const broadcast = readBroadcast(context, descriptor, content, signature);
    if (broadcast.kind !== 'epoch') throw new Error('it is the broadcast of an epoch');
    for (const [name, state] of this.#members) {
      this.#keep(name, receiveEpochBroadcast(context, FLOORS, state, broadcast, 0));
    }
  }

  #welcome(nodeId: string, name: string, fields: WelcomeFields): void {
    const { context } = this.bench;
    const welcome = readWelcome(context, FLOORS, nodeId, fields);
    const state = this.#members.get(name) ?? newMember(GROUP_ID, device(name));
    this.#keep(name, receiveWelcome(context, state, welcome, 0));
  }

  #keep(name: string, { state }: MemberStep): void {
    this.#members.set(name, state);
  }

  /** GRP-12. */
  message(): Vector {
    const { context, hand } = this.bench;
    const { epoch, secrets } = this.settled();
    const counter = 5;
    const fields = {
      sender: device('Alice'),
      guard: fixed('guard of the message', 4),
      aad: by.utf8('channel 7'),
      plaintext: by.utf8('the door is open'),
    };
    const { key, nonce, message } = groupMessageByHand(hand, epoch, secrets, { ...fields, counter });
    const [held] = this.#members.get('Alice')?.epochs ?? [];
    const others = this.#members.get('Frank')?.epochs ?? [];
    if (held === undefined) throw new Error('Alice holds the epoch');
    const from = { sender: fields.sender, counter, guard: fields.guard };
    const sealed = sealGroupMessage(context, held, from, fields.aad, fields.plaintext);
    const windows = new SenderWindows(held.header.members);
    const opened = openGroupMessage(context, others, () => windows, sealed, fields.aad);
    agreed('plaintext', opened.plaintext, fields.plaintext);
    return {
      counter,
      ...hexes({ guard: fields.guard, aad: fields.aad, plaintext: fields.plaintext }),
      ...hexes({ 'sender key': key, nonce }),
      message: agreed('group message', sealed, message),
    };
  }

  settled(): Settled {
    if (this.#last === undefined) throw new Error('there is an epoch');
    return this.#last;
  }
}
