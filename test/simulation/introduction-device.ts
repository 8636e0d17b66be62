import { concat } from '@symmetra/crypto';
import {
  beginChain,
  checkIntroductionReceipt,
  introductionRequests,
  introductionSecrets,
  receiveAcknowledgement,
  receiveAnswer,
  startEnrolment,
  startIntroduction,
} from '@symmetra/protocol';
import type { EnrolmentConfirming, EnrolmentOffered, Introducing } from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { DEVICE, NEW_NODE, guarded, unguarded } from './introduction-world.js';
import type { IntroductionWorld } from './introduction-world.js';
import { NODE_IDS, nodeIdentity } from './node-identity.js';

type Enrolling = EnrolmentOffered | EnrolmentConfirming;

/** A device that is enrolled with three nodes, and has them introduce it to a fourth one. */
export function introducedDevice(world: IntroductionWorld): Boot {
  return (process) => new IntroducedDevice(world, process);
}

class IntroducedDevice implements Actor {
  readonly #world: IntroductionWorld;
  readonly #process: SimulatedProcess;
  readonly #receipts = new Set<string>();

  constructor(world: IntroductionWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
    if (process.names('').length === 0) this.#begin();
  }

  /** ENR-9: persisted before the first request is sent. */
  #begin(): void {
    const { context, suite, tokenId, enrolmentNonce } = this.#world;
    const start = {
      tokenId,
      enrolmentNonce,
      nodeId: NEW_NODE,
      nodeKeyHash: nodeIdentity(suite, NEW_NODE).nodeKeyHash,
      descriptorVersion: 2,
      threshold: 2,
      nodes: NODE_IDS,
    };
    const random = { secret: this.#process.random(32), coefficients: this.#process.random(32) };
    const { state } = startIntroduction(context, start, random);
    this.#process.commit({ writes: { introducing: state }, sends: requestsOf(state) });
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    const introducing = this.#process.get<Introducing>('introducing');
    const enrolling = this.#process.get<Enrolling>('enrolling');
    if (introducing === undefined) return;
    if (type === 'receipt') {
      checkIntroductionReceipt(introducing, unguarded(DEVICE, from, body));
      this.#receipts.add(from);
      if (this.#receipts.size >= introducing.threshold && enrolling === undefined) this.#offer(introducing);
      return;
    }
    if (enrolling === undefined) return;
    if (type === 'answer') this.#answer(enrolling, body);
    else if (type === 'acknowledgement') this.#acknowledgement(introducing, enrolling, body);
    else if (type === 'error') this.tick();
    else throw unknownFrame(type);
  }

  /** ENR-12: the offer is made once, with t_new. */
  #offer({ token }: Introducing): void {
    const { context, suite, tokenId, enrolmentNonce } = this.#world;
    const { publicKey, nodeKeyHash } = nodeIdentity(suite, NEW_NODE);
    const start = {
      suiteId: suite.id,
      tokenId,
      token: token.clone(),
      enrolmentNonce,
      nodeId: NEW_NODE,
      nodeKeyHash,
      nodeKemKey: publicKey,
      descriptorVersion: 2,
      name: 'a name of its own',
    };
    const seed = this.#process.random(suite.kem.seedLength);
    const { state, output } = startEnrolment(context, start, {
      seed,
      coins: this.#process.random(suite.kem.coinsLength),
    });
    this.#process.commit({
      writes: { enrolling: state },
      sends: [{ to: NEW_NODE, frame: frame('offer', output) }],
    });
  }

  #answer(enrolling: Enrolling, body: Uint8Array): void {
    const step = receiveAnswer(this.#world.context, enrolling, body);
    this.#process.commit({
      writes: { enrolling: step.state },
      sends: [{ to: NEW_NODE, frame: frame('confirmation', step.output) }],
      wipes: step.consumed,
    });
  }

  /** ENR-8: chain, enrolment and introduction change in one commit. */
  #acknowledgement(introducing: Introducing, enrolling: Enrolling, body: Uint8Array): void {
    if (enrolling.kind !== 'confirming') return;
    const enrolled = receiveAcknowledgement(enrolling, body);
    const begun = beginChain(this.#world.context, enrolled.state, 'bootstrap');
    this.#process.commit({
      writes: { introducing: undefined, enrolling: undefined, chain: begun.state },
      wipes: [...enrolled.consumed, ...begun.consumed, ...introductionSecrets(introducing)],
    });
  }

  /** The identical messages, whatever the new node said of them. */
  tick(): void {
    const introducing = this.#process.get<Introducing>('introducing');
    const enrolling = this.#process.get<Enrolling>('enrolling');
    if (introducing === undefined) return;
    if (enrolling?.kind === 'confirming') {
      this.#process.send(NEW_NODE, frame('confirmation', enrolling.confirmation));
    }
    if (enrolling !== undefined) this.#process.send(NEW_NODE, frame('offer', enrolling.offer));
    for (const { to, frame: request } of requestsOf(introducing)) this.#process.send(to, request);
  }

  idle(): boolean {
    return this.#process.get('chain') !== undefined;
  }
}

function requestsOf(state: Introducing): { readonly to: string; readonly frame: Uint8Array }[] {
  return introductionRequests(state).map(({ nodeId, header, share }) => ({
    to: nodeId,
    frame: frame('introduce', guarded(DEVICE, nodeId, concat(share, header))),
  }));
}
