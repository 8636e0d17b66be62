import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  abandonLink,
  answeredNonce,
  confirmLink,
  openLink,
  receiveLinkAnswer,
  receiveLinkDone,
} from '@symmetra/protocol';
import type { LinkAnswered, LinkConfirming, LinkOpening, Step } from '@symmetra/protocol';
import { Allowances } from './allowance.js';
import { peerOf } from './link-world.js';
import type { FailureReason, LinkWorld } from './link-world.js';
import type { QkdKey, QkdSource } from './options.js';

/** LINK-8: after so many milliseconds the newest message is sent again. */
const RESEND_MS = [250, 500, 1000, 2000];
/** LINK-8: when a handshake is given up. */
const GIVE_UP_MS = 5000;
/** LINK-8: how long a target is left alone that was silent, and one at which nobody listens. */
const SILENT_PAUSE_MS = 1000;
const ABSENT_PAUSE_MS = 250;
/** LINK-8: answers that are tried in one handshake. */
const MAX_ANSWERS = 8;
/** LINK-8: handshakes with processes of one node that were named, and that there is no link with. */
const OF_STRANGERS = { perSecond: 4, burst: 16 };
const NONCE_LENGTH = 32;

/** Whether a handshake is under way; if not, whether it may be another time, for there were too many. */
export type Beginning = 'under way' | 'refused' | 'too many';

interface Handshake {
  readonly nodeId: string;
  /** The process that was asked; undefined: any of that node. */
  readonly instance: string | undefined;
  readonly keyHash: Uint8Array;
  /** n_I in hexadecimal. */
  readonly nonce: string;
  readonly startedAt: number;
  state: LinkOpening | LinkAnswered | LinkConfirming;
  /** The newest message, and where it goes. */
  message: Uint8Array;
  to: string | undefined;
  /** Whether a QKD key is mixed in. */
  qkd: boolean;
  answers: number;
  resends: number;
  timer: { cancel(): void } | undefined;
}

/** LINK-1, LINK-3, LINK-4, LINK-8: the handshakes that this end began: at most one for each process and each node. */
export class OutgoingHandshakes {
  readonly #world: LinkWorld;
  readonly #byTarget = new Map<string, Handshake>();
  readonly #byNonce = new Map<string, Handshake>();
  /** Until when targets are left alone that a handshake failed with lately. */
  readonly #pauses = new Map<string, number>();
  readonly #allowances = new Allowances();
  /** LINK-7: nodes whose last handshake with a QKD key was not completed. */
  readonly #withoutQkd = new Set<string>();

  constructor(world: LinkWorld) {
    this.#world = world;
  }

  /**
   * Begins a handshake with a process, or with any of the node, unless one is under way. It is refused when the node is
   * unknown, or the last one failed a moment ago.
   */
  begin(nodeId: string, instance: string | undefined): Beginning {
    const target = targetOf(nodeId, instance);
    if (this.#byTarget.has(target)) return 'under way';
    const { clock, peers } = this.#world.options;
    const now = clock.monotonic();
    if (now < (this.#pauses.get(target) ?? Number.NEGATIVE_INFINITY)) return 'refused';
    this.#pauses.delete(target);
    const strange = instance !== undefined && this.#world.former(nodeId, instance) === undefined;
    if (strange && peers(nodeId) !== undefined && !this.#allowances.take(nodeId, OF_STRANGERS, now)) {
      return 'too many';
    }
    return this.#begin(nodeId, instance, target) ? 'under way' : 'refused';
  }

  /** Nobody listens there: not authentic, so it only ends what waits. */
  absent(nodeId: string, instance: string | undefined): void {
    for (const handshake of this.#byTarget.values()) {
      if (handshake.nodeId === nodeId && handshake.to === instance) this.#fail(handshake, 'absent');
    }
  }

  /** LINK-3. @throws what the answer is refused with */
  receiveAnswer(datagram: Uint8Array): void {
    const handshake = this.#byNonce.get(toHex(answeredNonce(datagram)));
    if (handshake === undefined || !('ephemeral' in handshake.state)) throw unknownHandshake();
    if (handshake.answers >= MAX_ANSWERS) throw unknownHandshake();
    handshake.answers += 1;
    const { context } = this.#world.options;
    const { state, consumed } = receiveLinkAnswer(context, handshake.state, datagram);
    handshake.state = state;
    handshake.to = state.place.responder.instance;
    for (const secret of consumed) secret.wipe();
    this.#confirm(handshake);
  }

  /** LINK-4. @throws what the completion is refused with */
  receiveDone(datagram: Uint8Array): void {
    const handshake = this.#byNonce.get(toHex(datagram.subarray(1, 1 + NONCE_LENGTH)));
    if (handshake === undefined || !('keys' in handshake.state)) throw unknownHandshake();
    const keys = receiveLinkDone(handshake.state, datagram);
    this.#forget(handshake);
    if (handshake.qkd) this.#withoutQkd.delete(handshake.nodeId);
    this.#world.complete(keys, 'initiator', handshake.keyHash);
  }

  /** Forgets the pauses that are over, and allowances that are whole again. */
  sweep(now: number): void {
    this.#allowances.sweep(now);
    for (const [target, until] of this.#pauses) if (now >= until) this.#pauses.delete(target);
  }

  /** Gives up those that the test picks by node and by the hash of the keys that were taken for it. */
  abandon(which: (nodeId: string, keyHash: Uint8Array) => boolean): void {
    for (const handshake of this.#byTarget.values()) {
      if (which(handshake.nodeId, handshake.keyHash)) this.#fail(handshake, 'silent');
    }
  }

  stop(): void {
    for (const handshake of this.#byTarget.values()) {
      handshake.timer?.cancel();
      abandonLink(handshake.state);
    }
    this.#byTarget.clear();
    this.#byNonce.clear();
  }

  #begin(nodeId: string, instance: string | undefined, target: string): boolean {
    const { clock } = this.#world.options;
    let begun;
    try {
      begun = this.#open(nodeId, instance);
    } catch (error) {
      this.#world.refused(error, nodeId);
      return false;
    }
    const { opened, keyHash } = begun;
    const handshake: Handshake = {
      nodeId,
      instance,
      keyHash,
      nonce: toHex(opened.state.nonce),
      startedAt: clock.monotonic(),
      state: opened.state,
      message: opened.output,
      to: instance,
      qkd: false,
      answers: 0,
      resends: 0,
      timer: undefined,
    };
    this.#byTarget.set(target, handshake);
    this.#byNonce.set(handshake.nonce, handshake);
    this.#send(handshake);
    return true;
  }

  /** LINK-1. @throws NODE_UNKNOWN, SUITE_UNKNOWN, BAD_KEM_KEY */
  #open(
    nodeId: string,
    instance: string | undefined,
  ): { readonly opened: Step<LinkOpening, Uint8Array>; readonly keyHash: Uint8Array } {
    const { options, self } = this.#world;
    const { context, random } = options;
    const { kem } = context.suites.get(self.suiteId);
    const peer = peerOf(options, nodeId);
    const former = instance === undefined ? undefined : this.#world.former(nodeId, instance);
    const drawn = {
      nonce: random(NONCE_LENGTH),
      seed: random(kem.seedLength),
      coins: random(kem.coinsLength),
    };
    return { opened: openLink(context, self, peer, { instance, former }, drawn), keyHash: peer.keyHash };
  }

  /** LINK-3: with a QKD key where there is a source for the node. */
  #confirm(handshake: Handshake): void {
    const source = this.#world.options.qkd?.(handshake.nodeId);
    const skip = source?.required === false && this.#withoutQkd.has(handshake.nodeId);
    if (source === undefined || skip) {
      this.#withoutQkd.delete(handshake.nodeId);
      this.#sendConfirmation(handshake, undefined);
      return;
    }
    handshake.timer?.cancel();
    handshake.timer = this.#timer(handshake, () => this.#giveUp(handshake));
    void this.#fetch(handshake, source);
  }

  async #fetch(handshake: Handshake, source: QkdSource): Promise<void> {
    const waits = (): boolean => this.#byNonce.get(handshake.nonce) === handshake;
    let key: QkdKey | undefined;
    try {
      key = await source.newKey();
    } catch (error) {
      if (!waits()) return;
      this.#world.refused(error, handshake.nodeId);
      if (source.required) {
        this.#fail(handshake, 'silent');
        return;
      }
    }
    if (waits()) this.#sendConfirmation(handshake, key);
    else key?.key.fill(0);
  }

  #sendConfirmation(handshake: Handshake, qkd: QkdKey | undefined): void {
    const { options, self } = this.#world;
    const { kem } = options.context.suites.get(self.suiteId);
    const answered = handshake.state as LinkAnswered;
    const coins = options.random(kem.coinsLength);
    const { state, output, consumed } = confirmLink(options.context, answered, qkd, coins);
    handshake.state = state;
    handshake.message = output;
    handshake.qkd = qkd !== undefined;
    handshake.resends = 0;
    for (const secret of consumed) secret.wipe();
    this.#send(handshake);
  }

  /** LINK-8: sends the newest message, and again when nothing comes. */
  #send(handshake: Handshake): void {
    handshake.timer?.cancel();
    handshake.timer = this.#timer(handshake, () => {
      const { clock } = this.#world.options;
      if (clock.monotonic() - handshake.startedAt >= GIVE_UP_MS) return this.#giveUp(handshake);
      handshake.resends += 1;
      this.#send(handshake);
    });
    this.#world.options.wire.send(addressOf(handshake.nodeId, handshake.to), handshake.message);
  }

  #timer(handshake: Handshake, callback: () => void): { cancel(): void } {
    const { clock } = this.#world.options;
    const left = Math.max(0, handshake.startedAt + GIVE_UP_MS - clock.monotonic());
    const fetching = 'first' in handshake.state;
    const pause = fetching ? left : Math.min(left, RESEND_MS[handshake.resends] ?? left);
    return clock.setTimer(pause, callback);
  }

  #giveUp(handshake: Handshake): void {
    const error = new SymmetraError('LINK_SILENT', 'the link was not completed in time', {
      node: handshake.nodeId,
    });
    this.#world.refused(error, handshake.nodeId);
    this.#fail(handshake, 'silent');
  }

  #fail(handshake: Handshake, reason: FailureReason): void {
    const { nodeId, instance } = handshake;
    this.#forget(handshake);
    abandonLink(handshake.state);
    if (handshake.qkd) this.#withoutQkd.add(nodeId);
    const pause = reason === 'absent' ? ABSENT_PAUSE_MS : SILENT_PAUSE_MS;
    this.#pauses.set(targetOf(nodeId, instance), this.#world.options.clock.monotonic() + pause);
    this.#world.failed(nodeId, instance, reason);
  }

  #forget(handshake: Handshake): void {
    handshake.timer?.cancel();
    this.#byTarget.delete(targetOf(handshake.nodeId, handshake.instance));
    this.#byNonce.delete(handshake.nonce);
  }
}

/** The address of a process, or of any of a node. */
function addressOf(
  node: string,
  instance: string | undefined,
): { readonly node: string; readonly instance?: string } {
  return instance === undefined ? { node } : { node, instance };
}

function targetOf(nodeId: string, instance: string | undefined): string {
  return `${nodeId} ${instance ?? 'any'}`;
}

function unknownHandshake(): SymmetraError {
  return new SymmetraError('LINK_UNKNOWN', 'the message belongs to no handshake under way');
}
