import { Secret, toHex } from '@symmetra/crypto';
import {
  beginChain,
  beginNodeChain,
  deviceIdOf,
  nodeTokenSecret,
  openSession,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  receiveOpen,
  receiveR1,
  receiveR2,
  receiveR3,
  receiveR4,
  receiveSessionAnswer,
  startEnrolment,
  startStep,
  tokenIdOf,
} from '@symmetra/protocol';
import type {
  DeviceChain,
  HeldContinuity,
  InitiatorContinuity,
  ProtocolContext,
  SessionEnd,
  TokenSecret,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { CollusionNode, NODE_IDS } from './collusion-node.js';
import { KemKeys } from './collusion-wire.js';
import type { WireRecord } from './collusion-wire.js';

const SUITE_ID = 1;
const SESSION_GRANT = { lifetimeSeconds: 3600, maxMessages: 1000, clockMs: 0 };

/** A device: its token, its chains and sessions, and what it keeps of its peer. */
export interface CollusionDevice {
  readonly name: string;
  readonly deviceId: Uint8Array;
  readonly token: TokenSecret;
  readonly enrolmentNonce: Uint8Array;
  readonly chains: Map<string, DeviceChain>;
  readonly sessions: Map<string, SessionEnd>;
  /** As initiator. */
  continuity: InitiatorContinuity;
  /** As responder. */
  held: readonly HeldContinuity[];
}

/**
 * Three nodes, Alice and Bob, enrolled and one step further, with open sessions: the real core under suite 1, and a
 * recording of every line.
 */
export class CollusionWorld {
  readonly context: ProtocolContext;
  readonly kem = new KemKeys();
  readonly nodes: readonly CollusionNode[];
  readonly alice: CollusionDevice;
  readonly bob: CollusionDevice;
  readonly wire: WireRecord[] = [];
  readonly #prng: Prng;

  constructor(seed: string) {
    this.#prng = new Prng(seed);
    this.context = { networkId: this.fresh(16), suites: this.kem.suites };
    const suite = this.context.suites.get(SUITE_ID);
    this.nodes = NODE_IDS.map((id) => new CollusionNode(id, suite, this.fresh(suite.kem.seedLength)));
    this.alice = this.#enrolled('alice');
    this.bob = this.#enrolled('bob');
  }

  fresh(length: number): Uint8Array {
    return this.#prng.bytes(length);
  }

  node(id: string): CollusionNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Both devices open new sessions everywhere: each chain goes on, the former sessions are gone. */
  openSessions(): void {
    for (const device of [this.alice, this.bob]) {
      for (const node of this.nodes) this.#openSession(device, node);
    }
  }

  /** The devices have never met. */
  forget(): void {
    this.alice.continuity = {};
    this.bob.held = [];
  }

  /** A message from a device to a node in their session; what the node opens. */
  call(device: CollusionDevice, node: CollusionNode, method: string, plaintext: Uint8Array): Uint8Array {
    const session = sessionOf(device, node.id);
    const sealed = session.seal(method, plaintext);
    this.wire.push({ kind: 'sealed', sessionId: session.sessionId, from: 'device', method, ...sealed });
    return node.session(device.deviceId).open(method, sealed);
  }

  /** A message from a node to a device in their session; what the device opens. */
  event(device: CollusionDevice, node: CollusionNode, method: string, plaintext: Uint8Array): Uint8Array {
    const session = node.session(device.deviceId);
    const sealed = session.seal(method, plaintext);
    this.wire.push({ kind: 'sealed', sessionId: session.sessionId, from: 'node', method, ...sealed });
    return sessionOf(device, node.id).open(method, sealed);
  }

  #enrolled(name: string): CollusionDevice {
    const { networkId } = this.context;
    const token: TokenSecret = Secret.of('TokenSecret', this.fresh(32));
    const enrolmentNonce = this.fresh(32);
    const device: CollusionDevice = {
      name,
      deviceId: deviceIdOf(tokenIdOf(networkId, token), enrolmentNonce),
      token,
      enrolmentNonce,
      chains: new Map(),
      sessions: new Map(),
      continuity: {},
      held: [],
    };
    for (const node of this.nodes) {
      this.#enrol(device, node);
      this.#step(device, node);
      this.#openSession(device, node);
    }
    return device;
  }

  #kemRandom(): { seed: Uint8Array; coins: Uint8Array } {
    const { kem } = this.context.suites.get(SUITE_ID);
    return { seed: this.fresh(kem.seedLength), coins: this.fresh(kem.coinsLength) };
  }

  #enrol(device: CollusionDevice, node: CollusionNode): void {
    const { networkId } = this.context;
    const tokenId = tokenIdOf(networkId, device.token);
    const ownToken = () => nodeTokenSecret(networkId, device.token, node.id, node.keyHash);
    node.tokens.push(ownToken());
    const started = startEnrolment(
      this.context,
      {
        suiteId: SUITE_ID,
        tokenId,
        token: ownToken(),
        enrolmentNonce: device.enrolmentNonce,
        nodeId: node.id,
        nodeKeyHash: node.keyHash,
        nodeKemKey: node.publicKey,
        descriptorVersion: 1,
        name: device.name,
      },
      this.#kemRandom(),
    );
    const record = { tokenId, account: 'house', uses: 1, expiresMs: 1, token: ownToken(), claims: [] };
    const random = { nonce: this.fresh(32), coins: this.#kemRandom().coins };
    const answered = receiveOffer(this.context, node.enrolmentRules, record, started.output, 0, random);
    const confirming = receiveAnswer(this.context, started.state, answered.output);
    const { acknowledgement, enrolled } = receiveConfirmation(answered.state, confirming.output).output;
    if (enrolled === undefined) throw new Error('the node did not enrol the device');
    const done = receiveAcknowledgement(confirming.state, acknowledgement);
    node.keep(beginNodeChain(this.context, node.id, enrolled, 'bootstrap').state);
    device.chains.set(node.id, beginChain(this.context, done.state, 'bootstrap').state);
    this.wire.push({ kind: 'enrolment', offer: started.output, answer: answered.output });
  }

  #step(device: CollusionDevice, node: CollusionNode): void {
    const request = { suiteId: SUITE_ID, stage: 'production', nodeKemKey: node.publicKey };
    const started = startStep(this.context, chainOf(device, node.id), request, {
      ...this.#kemRandom(),
      nonce: this.fresh(32),
      codeNonce: this.fresh(32),
    });
    const answered = receiveR1(this.context, node.chain(device.deviceId), node.stepRules, started.output, {
      nonce: this.fresh(32),
      coins: this.#kemRandom().coins,
      entropy: this.fresh(32),
      codeNonce: this.fresh(32),
    });
    if (answered.output.kind !== 'r2') throw new Error('R1 gets R2');
    const { r2 } = answered.output;
    node.keep(answered.state);
    const confirming = receiveR2(this.context, started.state, r2);
    const committed = receiveR3(this.context, answered.state, confirming.output);
    node.keep(committed.state);
    device.chains.set(node.id, receiveR4(confirming.state, committed.output).state);
    this.wire.push({ kind: 'step', r1: started.output, r2 });
  }

  #openSession(device: CollusionDevice, node: CollusionNode): void {
    const opening = openSession(this.context, chainOf(device, node.id), this.fresh(32));
    const { open } = opening.output;
    const grant = { ...SESSION_GRANT, entropy: this.fresh(32) };
    const random = { sessionId: this.fresh(16), nonce: this.fresh(32) };
    const opened = receiveOpen(this.context, node.chain(device.deviceId), open, grant, random);
    if (opened.output.kind !== 'opened') throw new Error('the node challenged');
    const { session, answer } = opened.output;
    node.keep(opened.state);
    node.sessions.set(toHex(device.deviceId), session);
    device.chains.set(node.id, opening.state);
    device.sessions.set(node.id, receiveSessionAnswer(this.context, opening.output, answer).session);
    this.wire.push({ kind: 'session', open, answer });
  }
}

function chainOf(device: CollusionDevice, nodeId: string): DeviceChain {
  const chain = device.chains.get(nodeId);
  if (chain === undefined) throw new Error(`${device.name} is not enrolled at ${nodeId}`);
  return chain;
}

function sessionOf(device: CollusionDevice, nodeId: string): SessionEnd {
  const session = device.sessions.get(nodeId);
  if (session === undefined) throw new Error(`${device.name} has no session with ${nodeId}`);
  return session;
}
