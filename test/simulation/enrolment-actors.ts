import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  beginChain,
  beginNodeChain,
  inspectConfirmation,
  nodeTokenSecret,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  startEnrolment,
  tokenIdOf,
} from '@symmetra/protocol';
import type {
  ChainSettled,
  EnrolmentConfirming,
  EnrolmentOffered,
  ProtocolContext,
  TokenRecord,
  TokenSecret,
} from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { NETWORK_ID, NODE_IDS, nodeIdentity } from './node-identity.js';

/** Ticks that a reservation lasts: shorter than a stormy phase, so that some run out. */
const RESERVATION_TICKS = 60;
/** Ticks after which the token itself is of no use any more. */
const TOKEN_TICKS = 100_000;

const FIRST_STAGE = 'bootstrap';

type Enrolling = EnrolmentOffered | EnrolmentConfirming;

/** A device that enrols at all three nodes with one token. */
export function enrollingDevice(context: ProtocolContext, suite: Suite, token: TokenSecret): Boot {
  return (process) => new EnrollingDevice(context, suite, token, process);
}

class EnrollingDevice implements Actor {
  readonly #context: ProtocolContext;
  readonly #process: SimulatedProcess;
  /** Nodes that said that the token is spent; they are asked again all the same. */
  readonly #refusedBy = new Set<string>();

  constructor(context: ProtocolContext, suite: Suite, token: TokenSecret, process: SimulatedProcess) {
    this.#context = context;
    this.#process = process;
    if (process.names('').length === 0) this.#begin(suite, token);
  }

  /** ENR-2: all offers are persisted before the first one is sent. */
  #begin(suite: Suite, token: TokenSecret): void {
    const enrolmentNonce = this.#process.random(32);
    const tokenId = tokenIdOf(NETWORK_ID, token);
    const starts = NODE_IDS.map((nodeId) => {
      const { publicKey, nodeKeyHash } = nodeIdentity(suite, nodeId);
      const start = {
        suiteId: suite.id,
        tokenId,
        token: nodeTokenSecret(NETWORK_ID, token, nodeId, nodeKeyHash),
        enrolmentNonce,
        nodeId,
        nodeKeyHash,
        nodeKemKey: publicKey,
        descriptorVersion: 1,
        name: 'a simulated device',
      };
      const seed = this.#process.random(suite.kem.seedLength);
      return startEnrolment(this.#context, start, {
        seed,
        coins: this.#process.random(suite.kem.coinsLength),
      });
    });
    this.#process.commit({
      writes: Object.fromEntries(starts.map(({ state }) => [`enrolment/${state.parties.nodeId}`, state])),
      sends: starts.map(({ state, output }) => ({ to: state.parties.nodeId, frame: frame('offer', output) })),
    });
  }

  receive(nodeId: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    const state = this.#process.get<Enrolling>(`enrolment/${nodeId}`);
    if (state === undefined) return;
    switch (type) {
      case 'answer':
        return this.#answer(nodeId, state, body);
      case 'acknowledgement':
        return state.kind === 'confirming' ? this.#acknowledgement(nodeId, state, body) : undefined;
      case 'error':
        return this.#error(nodeId, state, new TextDecoder().decode(body));
      default:
        throw unknownFrame(type);
    }
  }

  #answer(nodeId: string, state: Enrolling, body: Uint8Array): void {
    const step = receiveAnswer(this.#context, state, body);
    this.#process.commit({
      writes: { [`enrolment/${nodeId}`]: step.state },
      sends: [{ to: nodeId, frame: frame('confirmation', step.output) }],
      wipes: step.consumed,
    });
  }

  #acknowledgement(nodeId: string, state: EnrolmentConfirming, body: Uint8Array): void {
    const enrolled = receiveAcknowledgement(state, body);
    const begun = beginChain(this.#context, enrolled.state, FIRST_STAGE);
    this.#process.commit({
      writes: { [`enrolment/${nodeId}`]: undefined, [`chain/${nodeId}`]: begun.state },
      wipes: [...enrolled.consumed, ...begun.consumed],
    });
  }

  /** An error is not authenticated: it changes nothing, it only makes the device offer again. */
  #error(nodeId: string, state: Enrolling, code: string): void {
    if (code === 'TOKEN_SPENT') this.#refusedBy.add(nodeId);
    else if (code !== 'TOKEN_CONTESTED') this.#process.send(nodeId, frame('offer', state.offer));
  }

  tick(): void {
    for (const nodeId of NODE_IDS) {
      const state = this.#process.get<Enrolling>(`enrolment/${nodeId}`);
      if (state?.kind === 'confirming') this.#process.send(nodeId, frame('confirmation', state.confirmation));
      else if (state) this.#process.send(nodeId, frame('offer', state.offer));
    }
  }

  idle(): boolean {
    const open = NODE_IDS.filter((nodeId) => !this.#process.get<ChainSettled>(`chain/${nodeId}`));
    return open.every((nodeId) => this.#refusedBy.has(nodeId));
  }
}

/** A node at which devices enrol with one token. */
export function enrollingNode(
  context: ProtocolContext,
  suite: Suite,
  nodeId: string,
  token: TokenSecret,
  uses: number,
): Boot {
  return (process) => new EnrollingNode(context, suite, nodeId, token, uses, process);
}

class EnrollingNode implements Actor {
  readonly #context: ProtocolContext;
  readonly #suite: Suite;
  readonly #nodeId: string;
  readonly #process: SimulatedProcess;

  constructor(
    context: ProtocolContext,
    suite: Suite,
    nodeId: string,
    token: TokenSecret,
    uses: number,
    process: SimulatedProcess,
  ) {
    this.#context = context;
    this.#suite = suite;
    this.#nodeId = nodeId;
    this.#process = process;
    if (process.get('token') === undefined) {
      const { nodeKeyHash } = nodeIdentity(suite, nodeId);
      const record: TokenRecord = {
        tokenId: tokenIdOf(NETWORK_ID, token),
        account: 'simulated account',
        uses,
        expiresMs: TOKEN_TICKS,
        token: nodeTokenSecret(NETWORK_ID, token, nodeId, nodeKeyHash),
        claims: [],
      };
      process.commit({ writes: { token: record } });
    }
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    const record = this.#process.get<TokenRecord>('token');
    if (record === undefined) return;
    try {
      if (type === 'offer') this.#offer(from, record, body);
      else if (type === 'confirmation') this.#confirmation(from, record, body);
      else throw unknownFrame(type);
    } catch (error) {
      if (error instanceof SymmetraError) this.#process.send(from, frame('error', error.code));
      throw error;
    }
  }

  #offer(from: string, record: TokenRecord, body: Uint8Array): void {
    const { nodeKeyHash, kemKeys } = nodeIdentity(this.#suite, this.#nodeId);
    const rules = {
      nodeId: this.#nodeId,
      nodeKeyHash,
      kemKeys,
      allowedSuites: [this.#suite.id],
      descriptorVersion: 1,
      reservationMs: RESERVATION_TICKS,
    };
    const random = {
      nonce: this.#process.random(32),
      coins: this.#process.random(this.#suite.kem.coinsLength),
    };
    const step = receiveOffer(this.#context, rules, record, body, this.#process.now, random);
    const answer = { to: from, frame: frame('answer', step.output) };
    if (step.state === record) this.#process.send(answer.to, answer.frame);
    else this.#process.commit({ writes: { token: step.state }, sends: [answer], wipes: step.consumed });
  }

  #confirmation(from: string, record: TokenRecord, body: Uint8Array): void {
    if (!equalConstantTime(inspectConfirmation(body).tokenId, record.tokenId)) {
      throw new SymmetraError('TOKEN_UNKNOWN', 'no such token');
    }
    const { state, output, consumed } = receiveConfirmation(record, body);
    const acknowledgement = { to: from, frame: frame('acknowledgement', output.acknowledgement) };
    if (output.enrolled === undefined) {
      this.#process.send(acknowledgement.to, acknowledgement.frame);
      return;
    }
    const begun = beginNodeChain(this.#context, this.#nodeId, output.enrolled, FIRST_STAGE);
    this.#process.commit({
      writes: { token: state, [`chain/${toHex(output.enrolled.deviceId)}`]: begun.state },
      sends: [acknowledgement],
      wipes: [...consumed, ...begun.consumed],
    });
  }

  tick(): void {
    // A node never speaks first.
  }

  idle(): boolean {
    return true;
  }
}
