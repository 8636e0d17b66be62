import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  abandonAnswer,
  answerLink,
  checkLinkOpen,
  confirmedNonces,
  inspectLinkConfirm,
  inspectLinkOpen,
  receiveLinkConfirm,
} from '@symmetra/protocol';
import type { LinkAnswering, LinkEnd } from '@symmetra/protocol';
import { Allowance, Allowances } from './allowance.js';
import { peerOf, sameBytes } from './link-world.js';
import type { LinkWorld } from './link-world.js';

/** LINK-8: how long a handshake is remembered. */
const LIFE_MS = 10_000;
/** LINK-8: handshakes whose filter did not verify. */
const MAX_HANDSHAKES = 64;
const MAX_OF_NODE = 8;
/** LINK-8: how often one message is answered again. */
const MAX_REPEATS = 8;
const OF_NODE = { perSecond: 4, burst: 8 };
const IN_ALL = { perSecond: 16, burst: 32 };
const OF_PROCESS = { perSecond: 1, burst: 4 };
const NONCE_LENGTH = 32;

interface Handshake {
  readonly initiator: LinkEnd;
  readonly nonces: LinkAnswering['nonces'];
  readonly keyHash: Uint8Array;
  readonly expiresAt: number;
  /** Whether its filter verified. */
  readonly proved: boolean;
  readonly open: Uint8Array;
  readonly answer: Uint8Array;
  /** Undefined when the confirmation has been taken. */
  answering: LinkAnswering | undefined;
  /** The confirmation that was taken. */
  confirm: Uint8Array | undefined;
  /** The reply to it. */
  done: Uint8Array | undefined;
  repeats: number;
}

/** LINK-2, LINK-4, LINK-8: the handshakes that others began. */
export class IncomingHandshakes {
  readonly #world: LinkWorld;
  readonly #handshakes = new Map<string, Handshake>();
  readonly #inAll = new Allowance(IN_ALL);
  readonly #allowances = new Allowances();

  constructor(world: LinkWorld) {
    this.#world = world;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#handshakes.size;
  }

  /** LINK-2. @throws what the open message is refused with */
  receiveOpen(datagram: Uint8Array): void {
    const { options, self } = this.#world;
    const { context, random, wire, clock } = options;
    const request = inspectLinkOpen(context, self, datagram);
    const { initiator, nonce } = request.body;
    try {
      const peer = peerOf(options, initiator.nodeId);
      const former = this.#world.former(initiator.nodeId, initiator.instance, request.body.former);
      const known = this.#handshakes.get(keyOf(initiator, nonce));
      if (known !== undefined && sameBytes(known.open, datagram)) return this.#repeat(known, known.answer);
      checkLinkOpen(context, self, peer, request, former);
      const now = clock.monotonic();
      if (known !== undefined || !this.#hasRoom(initiator, former !== undefined, now)) throw flood();
      const { kem } = context.suites.get(self.suiteId);
      const { state, output } = answerLink(context, self, peer, request, former, {
        nonce: random(NONCE_LENGTH),
        seed: random(kem.seedLength),
        coinsToEphemeral: random(kem.coinsLength),
        coinsToStatic: random(kem.coinsLength),
      });
      this.#handshakes.set(keyOf(initiator, nonce), {
        initiator,
        nonces: state.nonces,
        keyHash: peer.keyHash,
        expiresAt: now + LIFE_MS,
        proved: former !== undefined,
        open: datagram,
        answer: output,
        answering: state,
        confirm: undefined,
        done: undefined,
        repeats: 0,
      });
      wire.send({ node: initiator.nodeId, instance: initiator.instance }, output);
    } catch (error) {
      this.#world.refused(error, initiator.nodeId);
    }
  }

  /** LINK-4. @throws what the confirmation is refused with */
  receiveConfirm(datagram: Uint8Array): void {
    const handshake = this.#find(confirmedNonces(datagram));
    if (handshake === undefined) throw unknownHandshake();
    const { answering, confirm, done } = handshake;
    if (answering === undefined || confirm !== undefined) {
      if (confirm === undefined || !sameBytes(confirm, datagram)) throw unknownHandshake();
      if (done !== undefined) this.#repeat(handshake, done);
      return;
    }
    const keyId = inspectLinkConfirm(this.#world.options.context, answering, datagram);
    handshake.confirm = datagram;
    const source = this.#world.options.qkd?.(handshake.initiator.nodeId);
    if (keyId === undefined) {
      if (source?.required === true) {
        return this.#end(handshake, new SymmetraError('LINK_QKD_REQUIRED', 'the link has no QKD key'));
      }
      return this.#complete(handshake, answering, datagram, undefined);
    }
    if (source === undefined) {
      const error = new SymmetraError('LINK_QKD_UNKNOWN', 'there is no source for the QKD key of the link');
      return this.#end(handshake, error);
    }
    void this.#fetch(handshake, answering, source.keyOf(keyId));
  }

  async #fetch(handshake: Handshake, answering: LinkAnswering, asked: Promise<Uint8Array>): Promise<void> {
    try {
      const key = await asked;
      const { confirm } = handshake;
      if (handshake.answering === answering && confirm) this.#complete(handshake, answering, confirm, key);
      else key.fill(0);
    } catch (error) {
      this.#end(handshake, error);
    }
  }

  /** Forgets what is too old. */
  sweep(now: number): void {
    for (const [name, handshake] of this.#handshakes) {
      if (now >= handshake.expiresAt) this.#forget(name, handshake);
    }
    this.#allowances.sweep(now);
  }

  /** Forgets those that the test picks by node and by the hash of the keys that were taken for it. */
  abandon(which: (nodeId: string, keyHash: Uint8Array) => boolean): void {
    for (const [name, handshake] of this.#handshakes) {
      if (which(handshake.initiator.nodeId, handshake.keyHash)) this.#forget(name, handshake);
    }
  }

  #complete(
    handshake: Handshake,
    answering: LinkAnswering,
    datagram: Uint8Array,
    qkd: Uint8Array | undefined,
  ): void {
    const { context, wire } = this.#world.options;
    try {
      const { state, output, consumed } = receiveLinkConfirm(context, answering, datagram, qkd);
      for (const secret of consumed) secret.wipe();
      handshake.answering = undefined;
      handshake.done = output;
      handshake.repeats = 0;
      this.#world.complete(state, 'responder', handshake.keyHash);
      const { nodeId, instance } = handshake.initiator;
      wire.send({ node: nodeId, instance }, output);
    } catch (error) {
      this.#end(handshake, error);
    }
  }

  #end(handshake: Handshake, error: unknown): void {
    if (handshake.answering !== undefined) abandonAnswer(handshake.answering);
    handshake.answering = undefined;
    this.#world.refused(error, handshake.initiator.nodeId);
  }

  #repeat(handshake: Handshake, message: Uint8Array): void {
    if (handshake.repeats >= MAX_REPEATS) throw flood();
    handshake.repeats += 1;
    const { nodeId, instance } = handshake.initiator;
    this.#world.options.wire.send({ node: nodeId, instance }, message);
  }

  #find({ initiator, responder }: LinkAnswering['nonces']): Handshake | undefined {
    for (const handshake of this.#handshakes.values()) {
      const { nonces } = handshake;
      if (sameBytes(nonces.initiator, initiator) && sameBytes(nonces.responder, responder)) return handshake;
    }
    return undefined;
  }

  #forget(name: string, handshake: Handshake): void {
    this.#handshakes.delete(name);
    if (handshake.answering !== undefined) abandonAnswer(handshake.answering);
    handshake.answering = undefined;
  }

  /** LINK-8: whether another handshake is answered now. */
  #hasRoom(initiator: LinkEnd, proved: boolean, now: number): boolean {
    if (proved) return this.#allowances.take(nameOf(initiator), OF_PROCESS, now);
    this.sweep(now);
    const unproved = [...this.#handshakes.values()].filter((handshake) => !handshake.proved);
    const ofNode = unproved.filter((handshake) => handshake.initiator.nodeId === initiator.nodeId);
    if (unproved.length >= MAX_HANDSHAKES || ofNode.length >= MAX_OF_NODE) return false;
    return this.#allowances.take(initiator.nodeId, OF_NODE, now) && this.#inAll.take(now);
  }
}

function keyOf(initiator: LinkEnd, nonce: Uint8Array): string {
  return `${nameOf(initiator)} ${toHex(nonce)}`;
}

function nameOf({ nodeId, instance }: LinkEnd): string {
  return `${nodeId} ${instance}`;
}

function flood(): SymmetraError {
  return new SymmetraError('LINK_FLOOD', 'too many handshakes at once');
}

function unknownHandshake(): SymmetraError {
  return new SymmetraError('LINK_UNKNOWN', 'the message belongs to no handshake under way');
}
