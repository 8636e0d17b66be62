import { SymmetraError, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import { issueChallenge, judgeProof, receiveOpen, receiveR1, receiveR3 } from '@symmetra/protocol';
import type { Challenge, NodeChain, ProtocolContext, SessionEnd } from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { decodeCall, decodePing, encodeCall, encodePing } from './call.js';
import { stepRules } from './chain-setup.js';
import { frame, readFrame, unknownFrame } from './frame.js';

/** Ticks for which a challenge can be answered. */
const CHALLENGE_TICKS = 60;
const PING = '/simulated/Ping';

/** Seen by the run: what the node does that its disk does not show. */
export interface NodeWitness {
  session(end: SessionEnd): void;
  note(what: string): void;
}

/** The alarm, once it is raised. */
export interface Alarm {
  readonly suspect: string;
}

/** A node with one chain. Its sessions live in memory. */
export function chainNode(
  context: ProtocolContext,
  suite: Suite,
  initial: () => NodeChain,
  witness: NodeWitness,
): Boot {
  return (process) => new ChainNode(context, suite, initial, witness, process);
}

class ChainNode implements Actor {
  readonly #context: ProtocolContext;
  readonly #suite: Suite;
  readonly #witness: NodeWitness;
  readonly #process: SimulatedProcess;
  readonly #sessions = new Map<
    string,
    { readonly end: SessionEnd; readonly replies: Map<number, Uint8Array> }
  >();
  #suspect: string | undefined;
  #challenge: { readonly challenge: Challenge; readonly expires: number } | undefined;

  constructor(
    context: ProtocolContext,
    suite: Suite,
    initial: () => NodeChain,
    witness: NodeWitness,
    process: SimulatedProcess,
  ) {
    this.#context = context;
    this.#suite = suite;
    this.#witness = witness;
    this.#process = process;
    if (!process.get('chain')) process.commit({ writes: { chain: initial() } });
  }

  get #chain(): NodeChain {
    return this.#process.get<NodeChain>('chain') as NodeChain;
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    try {
      this.#dispatch(from, type, body);
    } catch (error) {
      if (error instanceof SymmetraError) this.#process.send(from, frame('error', error.code));
      throw error;
    }
  }

  #dispatch(from: string, type: string, body: Uint8Array): void {
    switch (type) {
      case 'r1':
        return this.#r1(from, body);
      case 'r3':
        return this.#r3(from, body);
      case 'open':
        return this.#open(from, body);
      case 'call':
        return this.#call(from, body);
      case 'proof':
        return this.#proof(from, body);
      default:
        throw unknownFrame(type);
    }
  }

  #r1(from: string, body: Uint8Array): void {
    const step = receiveR1(this.#context, this.#chain, stepRules(this.#suite, this.#process.name), body, {
      nonce: this.#process.random(32),
      coins: this.#process.random(this.#suite.kem.coinsLength),
      entropy: this.#process.random(32),
      codeNonce: this.#process.random(32),
    });
    if (step.output.kind === 'challenge') return this.#issue(from);
    const r2 = { to: from, frame: frame('r2', step.output.r2) };
    if (step.state === this.#chain) {
      this.#witness.note('node:R1 repeated');
      this.#process.send(r2.to, r2.frame);
    } else {
      this.#process.commit({ writes: { chain: step.state }, sends: [r2], wipes: step.consumed });
    }
  }

  #r3(from: string, body: Uint8Array): void {
    const before = this.#chain;
    const step = receiveR3(this.#context, before, body);
    this.#witness.note(
      before.pending === undefined || step.state.pending ? 'node:R3 repeated' : 'node:R3 commits',
    );
    this.#process.commit({
      writes: { chain: step.state },
      sends: [{ to: from, frame: frame('r4', step.output) }],
      wipes: step.consumed,
    });
  }

  #open(from: string, body: Uint8Array): void {
    const before = this.#chain;
    const grant = {
      entropy: this.#process.random(32),
      lifetimeSeconds: 60,
      maxMessages: 8,
      clockMs: this.#process.now,
    };
    const random = { sessionId: this.#process.random(16), nonce: this.#process.random(32) };
    const step = receiveOpen(this.#context, before, body, grant, random);
    if (step.output.kind === 'challenge') return this.#issue(from);
    if (step.state.keys.epoch > before.keys.epoch) {
      this.#witness.note('node:session commits the pending epoch');
    }
    if (step.state.keys.counter > before.keys.counter + 1) this.#witness.note('node:sessions skipped');
    const { session, answer } = step.output;
    this.#process.commit({
      writes: { chain: step.state },
      sends: [{ to: from, frame: frame('session-answer', answer) }],
      wipes: step.consumed,
    });
    this.#witness.session(session);
    this.#sessions.set(toHex(session.sessionId), { end: session, replies: new Map() });
  }

  #call(from: string, body: Uint8Array): void {
    const { sessionId, message } = decodeCall(body);
    const session = this.#sessions.get(toHex(sessionId));
    if (session === undefined) throw new SymmetraError('SESSION_LOST', 'no such session in this process');
    const known = session.replies.get(message.seq);
    if (known !== undefined) this.#witness.note('node:call repeated');
    const reply = known ?? this.#answer(session, message);
    this.#process.send(from, frame('reply', reply));
  }

  /** Opens a call once and keeps its reply, to send the same bytes again. */
  #answer(
    session: { readonly end: SessionEnd; readonly replies: Map<number, Uint8Array> },
    message: { readonly seq: number; readonly ciphertext: Uint8Array },
  ): Uint8Array {
    const number = decodePing(session.end.open(PING, message));
    const sealed = session.end.seal(PING, encodePing(number + 1_000_000), message.seq);
    const reply = encodeCall(session.end.sessionId, sealed);
    session.replies.set(message.seq, reply);
    return reply;
  }

  #issue(from: string): void {
    if (this.#challenge === undefined || this.#challenge.expires < this.#process.now) {
      const challenge = issueChallenge(this.#chain, this.#process.random(32));
      this.#challenge = { challenge, expires: this.#process.now + CHALLENGE_TICKS };
    }
    this.#witness.note('node:challenge');
    this.#process.send(from, frame('challenge', this.#challenge.challenge.nonce));
  }

  #proof(from: string, body: Uint8Array): void {
    if (this.#challenge === undefined) return;
    const verdict = judgeProof(this.#context, this.#chain, this.#challenge.challenge, body);
    this.#witness.note(`node:proof ${verdict}`);
    if (verdict === 'left') this.#suspect = from;
  }

  /**
   * The alarm is raised at leisure: the part of a proof that the node can not judge may have been damaged on its way, and
   * a damaged message must not change the chain.
   */
  tick(): void {
    if (this.#suspect === undefined || this.#process.get('alarm')) return;
    const alarm: Alarm = { suspect: this.#suspect };
    this.#process.commit({ writes: { alarm } });
  }

  idle(): boolean {
    return true;
  }
}
