import { SymmetraError } from '@symmetra/crypto';
import {
  newMember,
  readBroadcast,
  readWelcome,
  receiveEpochBroadcast,
  receiveWelcome,
} from '@symmetra/protocol';
import type {
  Descriptor,
  HeldEpoch,
  MemberGroup,
  MemberStep,
  ProtocolContext,
  SessionEnd,
} from '@symmetra/protocol';
import { METHODS, decode, encode } from '@symmetra/rpc';
import type { LinkEvent, Message, MessageInput, PlaintextRequest, SealedMethod } from '@symmetra/rpc';
import type { GroupLink, GroupNode } from './group-node.js';

const EVENT_METHOD = '/symmetra.link.v1.LinkService/Event';
const SEALED = 'symmetra.sealed.v1.Sealed';

/** Counts what arrives at all members together. */
export class Arrivals {
  #left = 0;
  #done: () => void = () => undefined;

  /** Fulfilled once so much has arrived. */
  async expect(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  one(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#done();
  }
}

/** A member, made of the pure core: it keeps what arrives until it is let take it. */
export class BenchMember implements GroupLink {
  readonly deviceId: Uint8Array;
  /** By node. */
  readonly ends = new Map<string, SessionEnd>();
  state: MemberGroup | undefined;
  /** Counts what arrives; undefined once the member was removed. */
  arrivals: Arrivals | undefined;
  /** Whether it keeps what arrives. */
  follows = true;
  readonly #context: ProtocolContext;
  readonly #descriptor: Descriptor;
  readonly #events: LinkEvent[] = [];
  readonly #frames: Uint8Array[] = [];

  constructor(context: ProtocolContext, descriptor: Descriptor, deviceId: Uint8Array) {
    this.#context = context;
    this.#descriptor = descriptor;
    this.deviceId = deviceId;
  }

  event(event: LinkEvent): void {
    if (this.follows) this.#events.push(event);
    this.arrivals?.one();
  }

  frame(frame: Uint8Array): void {
    if (this.follows) this.#frames.push(frame);
    this.arrivals?.one();
  }

  /** A sealed call. @returns bytes of its ciphertext */
  async call<Method extends SealedMethod>(
    node: GroupNode,
    method: Method,
    request: MessageInput<PlaintextRequest<Method>>,
  ): Promise<number> {
    const end = this.ends.get(node.id);
    if (end === undefined) throw new Error('a member has a session with each node');
    const plaintext = encode(METHODS[method].plaintext.request, request as never);
    const { seq, ciphertext } = end.seal(method, plaintext);
    const sealed = encode(SEALED, { session: end.sessionId, seq, ciphertext, node: node.id });
    const reply = await node.call(method, decode(SEALED, sealed));
    const outcome = end.open(method, decode(SEALED, encode(SEALED, reply)), seq);
    if (outcome[0] === 0) return ciphertext.length;
    const { code, message: sentence } = decode('symmetra.sealed.v1.Refusal', outcome.subarray(1));
    throw new SymmetraError(code, sentence);
  }

  /** Bytes that arrived and were not taken. */
  get arrivedBytes(): number {
    const ciphertexts = this.#events.map(({ sealed }) => sealed?.ciphertext?.length ?? 0);
    return [...ciphertexts, ...this.#frames.map(({ length }) => length)].reduce(
      (sum, bytes) => sum + bytes,
      0,
    );
  }

  /** Drops what arrived. */
  skip(): void {
    this.#events.length = 0;
    this.#frames.length = 0;
  }

  /** Takes everything that arrived. @returns the newest epoch that it holds then */
  take(groupId: Uint8Array): HeldEpoch | undefined {
    this.state ??= newMember(groupId, this.deviceId);
    for (const event of this.#events) this.#keep(this.#welcomed(this.state, event));
    for (const frame of this.#frames) {
      const { broadcasts } = decode('symmetra.link.v1.ConnectResponse', frame);
      for (const broadcast of broadcasts) this.#keep(this.#told(this.state, broadcast));
    }
    this.skip();
    return this.state.epochs[0];
  }

  #welcomed(state: MemberGroup, event: LinkEvent): MemberStep {
    const { node, sealed } = decode('symmetra.link.v1.Event', encode('symmetra.link.v1.Event', event));
    const end = this.ends.get(node);
    if (sealed === null || end === undefined) throw new Error('events come of nodes');
    const { groupWelcome } = decode('symmetra.link.v1.DeviceEvent', end.open(EVENT_METHOD, sealed));
    if (!groupWelcome) throw new Error('events bring welcomes');
    const { header, tag, share, place, step, pathKeys } = groupWelcome;
    const read = readWelcome(this.#context, this.#floors, node, {
      header: Uint8Array.from(header),
      tag: Uint8Array.from(tag),
      share: Uint8Array.from(share),
      place,
      step,
      pathKeys: Uint8Array.from(pathKeys),
    });
    return receiveWelcome(this.#context, state, read, Date.now());
  }

  #told(state: MemberGroup, { content, signature }: Message<'symmetra.group.v1.Broadcast'>): MemberStep {
    const signed = [Uint8Array.from(content), Uint8Array.from(signature)] as const;
    const read = readBroadcast(this.#context, this.#descriptor, ...signed);
    if (read.kind !== 'epoch') throw new Error('nobody is out');
    return receiveEpochBroadcast(this.#context, this.#floors, state, read, Date.now());
  }

  #keep({ state, consumed }: MemberStep): void {
    this.state = state;
    for (const secret of consumed) secret.wipe();
  }

  get #floors() {
    const { nodes, threshold, suites } = this.#descriptor;
    return {
      nodes: nodes.map(({ id }) => id),
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: suites,
    };
  }
}
