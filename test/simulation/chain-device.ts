import { toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  abandonStep,
  newestKeys,
  openSession,
  proveState,
  receiveR2,
  receiveR4,
  receiveSessionAnswer,
  startStep,
} from '@symmetra/protocol';
import type {
  DeviceChain,
  ProtocolContext,
  SealedMessage,
  SessionEnd,
  SessionOpening,
} from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { STAGES } from './chain-setup.js';
import { decodeCall, encodeCall, encodePing } from './call.js';
import { frame, readFrame, unknownFrame } from './frame.js';
import { nodeIdentity } from './node-identity.js';

/** What a simulated device is to reach. Changed by the run, read at every tick. */
export interface DeviceGoal {
  /** Epoch to settle in. */
  epoch: number;
  /** Calls to complete. */
  calls: number;
}

/** What the device counts, on its disk. */
interface Progress {
  readonly calls: number;
}

/** After so many unanswered copies of R3 the device begins the step anew. */
const PATIENCE = 4;
const PING = '/simulated/Ping';

export const NODE = 'node-1';

/** A device with one chain: it takes ratchet steps, opens sessions and makes calls until its goal is reached. */
export function chainDevice(
  context: ProtocolContext,
  suite: Suite,
  initial: () => DeviceChain,
  goal: Readonly<DeviceGoal>,
  onSession: (end: SessionEnd) => void,
): Boot {
  return (process) => new ChainDevice(context, suite, initial, goal, onSession, process);
}

class ChainDevice implements Actor {
  readonly #context: ProtocolContext;
  readonly #suite: Suite;
  readonly #goal: Readonly<DeviceGoal>;
  readonly #onSession: (end: SessionEnd) => void;
  readonly #process: SimulatedProcess;
  #r3Copies = 0;
  #lateR1s = 0;
  #opening: SessionOpening | undefined;
  #session: SessionEnd | undefined;
  #call: SealedMessage | undefined;
  #unanswered = 0;

  constructor(
    context: ProtocolContext,
    suite: Suite,
    initial: () => DeviceChain,
    goal: Readonly<DeviceGoal>,
    onSession: (end: SessionEnd) => void,
    process: SimulatedProcess,
  ) {
    this.#context = context;
    this.#suite = suite;
    this.#goal = goal;
    this.#onSession = onSession;
    this.#process = process;
    if (!process.get('chain')) process.commit({ writes: { chain: initial(), progress: { calls: 0 } } });
  }

  get #chain(): DeviceChain {
    return this.#process.get<DeviceChain>('chain') as DeviceChain;
  }

  get #calls(): number {
    return (this.#process.get<Progress>('progress') as Progress).calls;
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    switch (type) {
      case 'r2':
        return this.#r2(body);
      case 'r4':
        return this.#r4(body);
      case 'challenge':
        return this.#challenge(from, body);
      case 'session-answer':
        return this.#sessionAnswer(body);
      case 'reply':
        return this.#reply(body);
      case 'error':
        return this.#error(new TextDecoder().decode(body));
      default:
        throw unknownFrame(type);
    }
  }

  #r2(body: Uint8Array): void {
    const chain = this.#chain;
    if (chain.kind !== 'stepping' && chain.kind !== 'restepping') return;
    const step = receiveR2(this.#context, chain, body);
    this.#r3Copies = 0;
    this.#process.commit({
      writes: { chain: step.state },
      sends: [{ to: NODE, frame: frame('r3', step.output) }],
      wipes: step.consumed,
    });
  }

  #r4(body: Uint8Array): void {
    const chain = this.#chain;
    if (chain.kind !== 'confirming' && chain.kind !== 'restepping') return;
    const step = receiveR4(chain, body);
    this.#process.commit({ writes: { chain: step.state }, wipes: step.consumed });
  }

  #challenge(from: string, body: Uint8Array): void {
    const proof = proveState(this.#context, this.#chain, body);
    this.#process.send(from, frame('proof', proof));
  }

  #sessionAnswer(body: Uint8Array): void {
    if (this.#opening === undefined) return;
    const { session, consumed } = receiveSessionAnswer(this.#context, this.#opening, body);
    this.#opening = undefined;
    for (const secret of consumed) secret.wipe();
    this.#onSession(session);
    this.#session = session;
    this.#unanswered = 0;
  }

  #reply(body: Uint8Array): void {
    if (this.#session === undefined || this.#call === undefined) return;
    const { sessionId, message } = decodeCall(body);
    if (toHex(sessionId) !== toHex(this.#session.sessionId)) return;
    const reply = this.#session.open(PING, message, this.#call.seq);
    if (toHex(reply) !== toHex(expectedReply(this.#calls))) {
      throw new Error('a reply to another call was accepted');
    }
    this.#call = undefined;
    this.#unanswered = 0;
    this.#process.commit({ writes: { progress: { calls: this.#calls + 1 } } });
  }

  /** Errors are not authenticated: they hurry the device, and change no state. */
  #error(code: string): void {
    if (code === 'SESSION_LOST') this.#dropSession();
    else if (code === 'AUTHENTICATION_FAILED') this.#r3Copies += 1;
    else if (code === 'MESSAGE_LATE') this.#lateR1s += 1;
  }

  tick(): void {
    this.#ratchet();
    if (this.#calls < this.#goal.calls && newestKeys(this.#chain).epoch > 0) this.#converse();
  }

  #ratchet(): void {
    const chain = this.#chain;
    if (chain.kind === 'settled') {
      if (chain.keys.epoch < this.#goal.epoch) this.#startStep(chain);
      return;
    }
    if (chain.kind === 'confirming' && this.#r3Copies >= PATIENCE) {
      this.#startStep(chain);
      return;
    }
    if (chain.kind !== 'confirming' && this.#lateR1s >= PATIENCE) {
      this.#lateR1s = 0;
      const step = abandonStep(chain);
      this.#process.commit({ writes: { chain: step.state }, wipes: step.consumed });
      return;
    }
    if (chain.kind !== 'stepping') {
      this.#r3Copies += 1;
      this.#process.send(NODE, frame('r3', chain.next.r3));
    }
    if (chain.kind !== 'confirming') this.#process.send(NODE, frame('r1', chain.step.r1));
  }

  #startStep(chain: DeviceChain): void {
    const stage = STAGES.indexOf(chain.keys.stage as (typeof STAGES)[number]);
    const request = {
      suiteId: this.#suite.id,
      stage: STAGES[Math.min(stage + 1, STAGES.length - 1)] as string,
      nodeKemKey: nodeIdentity(this.#suite, NODE).publicKey,
    };
    const step = startStep(this.#context, chain, request, {
      nonce: this.#process.random(32),
      codeNonce: this.#process.random(32),
      seed: this.#process.random(this.#suite.kem.seedLength),
      coins: this.#process.random(this.#suite.kem.coinsLength),
    });
    this.#process.commit({
      writes: { chain: step.state },
      sends: [{ to: NODE, frame: frame('r1', step.output) }],
      wipes: step.consumed,
    });
  }

  #converse(): void {
    this.#unanswered += 1;
    if (this.#unanswered > PATIENCE) this.#dropSession();
    if (this.#session !== undefined) this.#sendCall(this.#session);
    else if (this.#opening === undefined) this.#open();
  }

  #open(): void {
    const step = openSession(this.#context, this.#chain, this.#process.random(32));
    this.#process.commit({
      writes: { chain: step.state },
      sends: [{ to: NODE, frame: frame('open', step.output.open) }],
      wipes: step.consumed,
    });
    this.#opening = step.output;
  }

  #sendCall(session: SessionEnd): void {
    this.#call ??= session.seal(PING, encodePing(this.#calls));
    this.#process.send(NODE, frame('call', encodeCall(session.sessionId, this.#call)));
  }

  #dropSession(): void {
    this.#opening?.master.wipe();
    this.#session?.wipe();
    this.#opening = undefined;
    this.#session = undefined;
    this.#call = undefined;
    this.#unanswered = 0;
  }

  idle(): boolean {
    const chain = this.#chain;
    return (
      chain.kind === 'settled' && chain.keys.epoch >= this.#goal.epoch && this.#calls >= this.#goal.calls
    );
  }
}

function expectedReply(calls: number): Uint8Array {
  return encodePing(calls + 1_000_000);
}
