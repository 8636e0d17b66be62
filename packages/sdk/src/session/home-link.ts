import { SymmetraError } from '@symmetra/crypto';
import type { SealedMessage } from '@symmetra/protocol';
import type { Message, NodeLink, SealedMethod } from '@symmetra/rpc';
import type { Timer } from '@symmetra/runtime';
import type { Timers } from '../timers.js';

const REPLY_MS = 10_000;
/** So many calls in a row without any sign of life: the home withholds, or is gone. */
const MAX_SILENT_CALLS = 3;

interface PendingCall {
  readonly resolve: (sealed: SealedMessage) => void;
  readonly reject: (error: SymmetraError) => void;
  readonly timer: Timer;
}

/** An event as it came over the link. */
export interface LinkEventFrame {
  readonly node: string;
  readonly session: Uint8Array;
  readonly message: SealedMessage;
}

/** What a node signed for all members of a group (GRP-7, GRP-10); not verified. */
export type BroadcastFrame = Message<'symmetra.group.v1.Broadcast'>;

/** Takes what the link brings without being asked. */
export interface LinkListener {
  /** An event of any node. */
  event(frame: LinkEventFrame): void;
  /** Views on the frame's bytes: what is kept is copied. */
  broadcast(broadcast: BroadcastFrame): void;
  /** A group message (GRP-12), likewise. */
  groupMessage(message: Uint8Array): void;
}

/** The device's link to its home node: calls and their replies matched, everything else handed on. */
export class HomeLink {
  readonly home: string;
  /** Fulfilled with the reason when the link is over. */
  readonly ended: Promise<SymmetraError>;
  readonly #link: NodeLink;
  readonly #timers: Timers;
  readonly #pending = new Map<number, PendingCall>();
  readonly #end: (reason: SymmetraError) => void;
  #listener: LinkListener | undefined;
  #nextId = 1;
  #silentCalls = 0;
  #over: SymmetraError | undefined;

  constructor(home: string, link: NodeLink, timers: Timers) {
    this.home = home;
    this.#link = link;
    this.#timers = timers;
    let end: (reason: SymmetraError) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    link.onFrame((frame) => this.#receive(frame));
    link.onClose((reason) => this.#finish(reason ?? linkClosed()));
  }

  listen(listener: LinkListener): void {
    this.#listener = listener;
  }

  /** @throws the transport error of the call; LINK_CLOSED, DEADLINE_EXCEEDED, LINK_OVERFLOW */
  async call(
    method: SealedMethod,
    node: string,
    session: Uint8Array,
    message: SealedMessage,
  ): Promise<SealedMessage> {
    if (this.#over !== undefined) throw this.#over;
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = this.#timers.set(REPLY_MS, () => this.#tooLate(id));
      this.#pending.set(id, { resolve, reject, timer });
      const sealed = { session, seq: message.seq, ciphertext: message.ciphertext, node };
      if (this.#link.send({ id, method, sealed })) return;
      this.#settle(id)?.reject(
        new SymmetraError('LINK_OVERFLOW', 'more waits to be sent than the link takes', { node }),
      );
    });
  }

  /** Ends the link. */
  close(reason: SymmetraError = linkClosed()): void {
    this.#finish(reason);
    this.#link.close();
  }

  #receive(frame: Message<'symmetra.link.v1.ConnectResponse'>): void {
    this.#silentCalls = 0;
    for (const reply of frame.replies) {
      const call = this.#settle(reply.id);
      if (call === undefined) continue;
      const { sealed } = reply;
      if (!sealed) call.reject(transportError(reply.transportError ?? '', this.home));
      else call.resolve({ seq: sealed.seq, ciphertext: sealed.ciphertext });
    }
    for (const event of frame.events) {
      const { sealed } = event;
      if (sealed === null) continue;
      const message = { seq: sealed.seq, ciphertext: sealed.ciphertext };
      this.#listener?.event({ node: event.node, session: sealed.session, message });
    }
    for (const broadcast of frame.broadcasts) this.#listener?.broadcast(broadcast);
    for (const message of frame.groupMessages) this.#listener?.groupMessage(message);
  }

  #tooLate(id: number): void {
    this.#settle(id)?.reject(
      new SymmetraError('DEADLINE_EXCEEDED', 'the node did not answer in time', { home: this.home }),
    );
    this.#silentCalls += 1;
    if (this.#silentCalls < MAX_SILENT_CALLS) return;
    this.close(
      new SymmetraError('HOME_WITHHOLDS', 'the home node takes calls and brings no replies', {
        node: this.home,
      }),
    );
  }

  #settle(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    call?.timer.cancel();
    return call;
  }

  #finish(reason: SymmetraError): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(reason);
    this.#end(reason);
  }
}

function linkClosed(): SymmetraError {
  return new SymmetraError('LINK_CLOSED', 'the link to the home node is closed');
}

const CODE_FORM = /^[A-Z][A-Z0-9_]{1,63}$/;

function transportError(code: string, home: string): SymmetraError {
  return new SymmetraError(
    CODE_FORM.test(code) ? code : 'TRANSPORT_FAILED',
    'the call did not reach the node',
    {
      home,
    },
  );
}
