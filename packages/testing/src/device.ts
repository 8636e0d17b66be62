import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SymmetraError, suites, toBase32 } from '@symmetra/crypto';
import {
  beginChain,
  coefficientLength,
  decodeToken,
  deviceIdOf,
  newestKeys,
  nodeKemKey,
  nodeKeyHash,
  nodeTokenSecret,
  openSession,
  receiveAcknowledgement,
  receiveAnswer,
  receiveR2,
  receiveR4,
  receiveSessionAnswer,
  startEnrolment,
  startNegotiation,
  startStep,
  tokenIdOf,
  verifyDescriptor,
} from '@symmetra/protocol';
import type {
  ChainSettled,
  Descriptor,
  DeviceChain,
  EnrolmentConfirming,
  EnrolmentOffered,
  NodeRequest,
  PairRequest,
  PairRequested,
  ProtocolContext,
  SessionEnd,
} from '@symmetra/protocol';
import { METHODS, NodeClient, decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SealedMethod } from '@symmetra/rpc';
import { TestLink } from './device-link.js';
import type { LinkFrame } from './device-link.js';
import { NodeClients } from './node-clients.js';

const EVENT_METHOD = '/symmetra.link.v1.LinkService/Event';
const EVENT_WAIT_MS = 10_000;

/** An event as the device opened it, and the node that sent it. */
export type ReceivedEvent = Message<'symmetra.link.v1.DeviceEvent'> & { readonly node: string };

/** Fresh random bytes of the operating system. */
export const fresh = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/**
 * A device of a test, made of the pure core alone: no persistence, no retries, one step at a time, so that a test
 * decides what is sent, sent again or left out.
 */
export class TestDevice {
  readonly descriptor: Descriptor;
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly offers = new Map<string, EnrolmentOffered>();
  readonly chains = new Map<string, DeviceChain>();
  readonly sessions = new Map<string, SessionEnd>();
  readonly events: ReceivedEvent[] = [];
  link: TestLink | undefined;
  /** Takes each event as it was opened, and each frame of the link. */
  onEvent: (event: ReceivedEvent) => void = () => undefined;
  onFrame: (frame: LinkFrame) => void = () => undefined;
  readonly #token: ReturnType<typeof decodeToken>;
  readonly #enrolmentNonce: Uint8Array;
  readonly #suiteId: number;
  readonly #clients = new NodeClients((nodeId) => this.#node(nodeId).addresses[0] ?? '');

  constructor(descriptor: Descriptor, token: string, suiteId = 1, enrolmentNonce = fresh(32)) {
    this.descriptor = descriptor;
    this.context = { networkId: descriptor.networkId, suites };
    this.#token = decodeToken(token);
    this.#suiteId = suiteId;
    this.#enrolmentNonce = enrolmentNonce;
    this.deviceId = deviceIdOf(tokenIdOf(descriptor.networkId, this.#token.secret), this.#enrolmentNonce);
  }

  /** Fetches the descriptor from the first node that the token names. */
  static async meet(token: string, suiteId = 1): Promise<TestDevice> {
    const { hints, networkId, rootKeyHash } = decodeToken(token);
    const client = new NodeClient(hints[0] ?? '');
    try {
      const signed = await client.getDescriptor();
      const descriptor = verifyDescriptor(signed, { networkId, rootKeyHash, minimumVersion: 0 });
      return new TestDevice(descriptor, token, suiteId);
    } finally {
      client.close();
    }
  }

  /** A device that is enrolled with every node and in epoch 1 there, at the stage in which it may hold keys. */
  static async enrol(token: string, suiteId = 1): Promise<TestDevice> {
    const device = await TestDevice.meet(token, suiteId);
    for (const nodeId of device.nodeIds) {
      await device.enrolAt(nodeId);
      await device.ratchet(nodeId);
    }
    return device;
  }

  get id(): string {
    return toBase32(this.deviceId);
  }

  get nodeIds(): readonly string[] {
    return this.descriptor.nodes.map(({ id }) => id);
  }

  client(nodeId: string): NodeClient {
    return this.#clients.of(nodeId);
  }

  /** ENR-2 without sending. */
  makeOffer(nodeId: string): Uint8Array {
    const { networkId, version } = this.descriptor;
    const node = this.#node(nodeId);
    const { kem } = suites.get(this.#suiteId);
    const { state, output } = startEnrolment(
      this.context,
      {
        suiteId: this.#suiteId,
        tokenId: tokenIdOf(networkId, this.#token.secret),
        token: nodeTokenSecret(networkId, this.#token.secret, nodeId, nodeKeyHash(node)),
        enrolmentNonce: this.#enrolmentNonce,
        nodeId,
        nodeKeyHash: nodeKeyHash(node),
        nodeKemKey: nodeKemKey(node, this.#suiteId),
        descriptorVersion: version,
        name: 'test device',
      },
      { seed: fresh(kem.seedLength), coins: fresh(kem.coinsLength) },
    );
    this.offers.set(nodeId, state);
    return output;
  }

  /** ENR-2 to ENR-5: offers, and makes the confirmation without sending it. */
  async offer(nodeId: string, via = nodeId): Promise<EnrolmentConfirming> {
    const offer = this.makeOffer(nodeId);
    const { answer } = await this.client(via).offer({ node: nodeId, offer });
    return receiveAnswer(this.context, this.offers.get(nodeId) as EnrolmentOffered, answer).state;
  }

  /** ENR-5 to ENR-8. */
  async confirm(nodeId: string, state: EnrolmentConfirming, via = nodeId): Promise<void> {
    const { acknowledgement } = await this.client(via).confirm({
      node: nodeId,
      confirmation: state.confirmation,
    });
    const enrolled = receiveAcknowledgement(state, acknowledgement).state;
    this.chains.set(nodeId, beginChain(this.context, enrolled, 'bootstrap').state);
  }

  async enrolAt(nodeId: string, via = nodeId): Promise<void> {
    await this.confirm(nodeId, await this.offer(nodeId, via), via);
  }

  /** ATK-2 without sending. */
  startStep(nodeId: string, stage = 'production', suiteId = this.#suiteId): Uint8Array {
    const { kem } = suites.get(suiteId);
    const request = { suiteId, stage, nodeKemKey: nodeKemKey(this.#node(nodeId), suiteId) };
    const random = {
      nonce: fresh(32),
      codeNonce: fresh(32),
      seed: fresh(kem.seedLength),
      coins: fresh(kem.coinsLength),
    };
    const { state, output } = startStep(this.context, this.#chain(nodeId), request, random);
    this.chains.set(nodeId, state);
    return output;
  }

  /** ATK-5: takes R2 and makes R3 without sending it. */
  receiveR2(nodeId: string, r2: Uint8Array): Uint8Array {
    const chain = this.#chain(nodeId);
    if (chain.kind !== 'stepping' && chain.kind !== 'restepping') throw new Error('no step is under way');
    const { state, output } = receiveR2(this.context, chain, r2);
    this.chains.set(nodeId, state);
    return output;
  }

  /** ATK-8: takes R4; the epoch is left. */
  receiveR4(nodeId: string, r4: Uint8Array): ChainSettled {
    const chain = this.#chain(nodeId);
    if (chain.kind !== 'confirming' && chain.kind !== 'restepping') throw new Error('no epoch waits for R4');
    const { state } = receiveR4(chain, r4);
    this.chains.set(nodeId, state);
    return state;
  }

  /** A whole ratchet step. */
  async ratchet(nodeId: string, stage?: string, suiteId?: number, via = nodeId): Promise<ChainSettled> {
    const client = this.client(via);
    const { r2 } = await client.step({ node: nodeId, r1: this.startStep(nodeId, stage, suiteId) });
    if (r2 === undefined) throw new Error('the node challenged');
    const { r4 } = await client.commit({ node: nodeId, r3: this.receiveR2(nodeId, r2) });
    return this.receiveR4(nodeId, r4);
  }

  /** SES-1 without sending. */
  makeOpen(nodeId: string): { open: Uint8Array; receive: (answer: Uint8Array) => SessionEnd } {
    const { state, output } = openSession(this.context, this.#chain(nodeId), fresh(32));
    this.chains.set(nodeId, state);
    const receive = (answer: Uint8Array): SessionEnd =>
      receiveSessionAnswer(this.context, output, answer).session;
    return { open: output.open, receive };
  }

  async openSession(nodeId: string, via = nodeId): Promise<SessionEnd> {
    const { open, receive } = this.makeOpen(nodeId);
    const { answer } = await this.#clients.dialled(via, async (node) => node.open({ node: nodeId, open }));
    if (answer === undefined) throw new Error('the node challenged');
    const session = receive(answer);
    this.sessions.set(nodeId, session);
    return session;
  }

  /** Opens sessions with the nodes, or keeps those that it has, a link to the home node, and attaches everywhere. */
  async connect(home: string, nodes = this.nodeIds, isMoving = false): Promise<void> {
    if (!isMoving) for (const nodeId of nodes) await this.openSession(nodeId);
    this.link = new TestLink(
      this.client(home),
      (event) => this.#take(event),
      (frame) => this.onFrame(frame),
    );
    const seenOf = (nodeId: string): number =>
      isMoving ? this.events.filter(({ node }) => node === nodeId).length : 0;
    await this.attach(home, home, seenOf(home));
    for (const nodeId of nodes) if (nodeId !== home) await this.attach(nodeId, home, seenOf(nodeId));
  }

  async attach(
    nodeId: string,
    home: string,
    lastEvent = 0,
  ): Promise<Message<'symmetra.session.v1.AttachResponse'>> {
    return this.call(nodeId, '/symmetra.session.v1.SessionService/Attach', {
      home,
      addresses: ['127.0.0.1:1'],
      lastEvent,
    });
  }

  /** A sealed call: on the link when there is one, else unary. A refusal is thrown. */
  async call<Method extends SealedMethod>(
    nodeId: string,
    method: Method,
    request: MessageInput<PlaintextRequest<Method>>,
  ): Promise<Message<PlaintextReply<Method>>> {
    const { plaintext } = METHODS[method];
    const session = this.sessions.get(nodeId) ?? (await this.openSession(nodeId));
    const { seq, ciphertext } = session.seal(method, encode(plaintext.request, request as never));
    const sealed = { session: session.sessionId, seq, ciphertext, node: nodeId };
    const reply = this.link
      ? await this.link.call(method, sealed)
      : await this.client(nodeId).sealed(method, sealed);
    const opened = session.open(method, reply, seq);
    const body = opened.subarray(1);
    if (opened[0] === 0) return decode(plaintext.reply, body) as Message<PlaintextReply<Method>>;
    const { code, message, details } = decode('symmetra.sealed.v1.Refusal', body);
    throw new SymmetraError(code, message, details);
  }

  /** PAIR-1 without sending. */
  startNegotiation(
    responder: Uint8Array,
    changes: Partial<PairRequest> & { direct?: boolean } = {},
  ): { state: PairRequested; requests: readonly NodeRequest[]; keyId: Uint8Array } {
    const { direct = false, ...fields } = changes;
    const request: PairRequest = {
      suiteId: this.#suiteId,
      initiator: this.deviceId,
      responder,
      keyId: fresh(16),
      purpose: 'test',
      keyLength: 32,
      limits: { lifetimeSeconds: 3600, uses: 0 },
      threshold: this.descriptor.threshold,
      nodes: this.nodeIds,
      descriptorVersion: this.descriptor.version,
      policyRevision: 1,
      continuity: {},
      ...fields,
    };
    const { state, output } = startNegotiation(this.context, request, {
      split: fresh(32),
      coefficients: fresh(coefficientLength(request.threshold)),
      ...(direct && { seed: fresh(suites.get(request.suiteId).kem.seedLength) }),
    });
    return { state, requests: output, keyId: request.keyId };
  }

  /** PAIR-2: asks one node. */
  async ask({
    nodeId,
    header,
    share,
    ephemeralKey,
  }: NodeRequest): Promise<Message<'symmetra.pairwise.v1.NegotiateResponse'>> {
    const request = { header, share, ephemeralKey };
    return this.call(nodeId, '/symmetra.pairwise.v1.PairwiseService/Negotiate', request);
  }

  /** The first `count` events that pass, as soon as there are so many. */
  async received(passes: (event: ReceivedEvent) => boolean, count = 1): Promise<readonly ReceivedEvent[]> {
    const deadline = Date.now() + EVENT_WAIT_MS;
    for (;;) {
      const found = this.events.filter(passes);
      if (found.length >= count) return found.slice(0, count);
      if (Date.now() > deadline) throw new Error(`only ${found.length} of ${count} events came`);
      await sleep(5);
    }
  }

  /** Epoch of the newest keys at a node. */
  epoch(nodeId: string): number {
    return newestKeys(this.#chain(nodeId)).epoch;
  }

  close(): void {
    this.link?.close();
    this.#clients.close();
  }

  #take({ node, sealed }: Message<'symmetra.link.v1.Event'>): void {
    const session = this.sessions.get(node);
    if (session === undefined || sealed === null) return;
    const event = decode('symmetra.link.v1.DeviceEvent', session.open(EVENT_METHOD, sealed));
    this.events.push({ ...event, node });
    this.onEvent({ ...event, node });
  }

  #node(nodeId: string): Descriptor['nodes'][number] {
    const node = this.descriptor.nodes.find(({ id }) => id === nodeId);
    if (node === undefined) throw new Error(`the descriptor names no ${nodeId}`);
    return node;
  }

  #chain(nodeId: string): DeviceChain {
    const chain = this.chains.get(nodeId);
    if (chain === undefined) throw new Error(`the device is not enrolled at ${nodeId}`);
    return chain;
  }
}
