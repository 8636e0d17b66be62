import { Secret, SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import {
  beginNodeChain,
  checkIntroduction,
  checkIntroductionPart,
  completeIntroduction,
  decodeIntroductionHeader,
  decodeIntroductionPart,
  encodeDeviceFacts,
  encodeIntroductionPart,
  receiveConfirmation,
  receiveOffer,
} from '@symmetra/protocol';
import type { IntroductionPart, TokenRecord } from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { DEVICE, NEW_NODE, descriptorOf, guarded, unguarded } from './introduction-world.js';
import type { IntroductionWorld } from './introduction-world.js';
import { nodeIdentity } from './node-identity.js';

/** Ticks that parts wait for others, that an introduction waits for its device, and that a reservation lasts. */
const WAIT_TICKS = 70;
const RESERVATION_TICKS = 50;

/** A node at which the device is enrolled: it passes on, and keeps nothing. */
export function oldNode(world: IntroductionWorld, nodeId: string): Boot {
  const { context, suite, deviceId, facts, liar } = world;
  const descriptor = descriptorOf(suite);
  return (process) => ({
    receive(from, bytes) {
      const { type, body } = readFrame(bytes);
      const content = unguarded(nodeId, from, body);
      if (type === 'taken') {
        process.send(DEVICE, frame('receipt', guarded(DEVICE, nodeId, content)));
        return;
      }
      if (type !== 'introduce') throw unknownFrame(type);
      const request = { share: content.slice(0, 32), header: content.slice(32) };
      checkIntroduction(context, { nodeId, descriptor }, deviceId, request);
      const said = nodeId === liar ? { ...facts, account: 'mallory' } : facts;
      const part = encodeIntroductionPart({
        header: request.header,
        share: Secret.of('Share', request.share),
        facts: encodeDeviceFacts(said),
      });
      process.send(NEW_NODE, frame('part', guarded(nodeId, NEW_NODE, part)));
    },
    tick: () => undefined,
    idle: () => true,
  });
}

/** What the new node keeps of a part. */
interface KeptPart extends IntroductionPart {
  readonly expiresTicks: number;
}

/** The device as it was introduced. */
interface Introduced {
  readonly record: TokenRecord;
  readonly headerHash: Uint8Array;
  readonly name: string;
}

/** The node to which the device is introduced. */
export function newNode(world: IntroductionWorld): Boot {
  return (process) => new NewNode(world, process);
}

class NewNode implements Actor {
  readonly #world: IntroductionWorld;
  readonly #process: SimulatedProcess;

  constructor(world: IntroductionWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    if (type === 'part') {
      this.#part(from, unguarded(from, NEW_NODE, body));
      return;
    }
    try {
      const introduced = this.#process.get<Introduced>('introduced');
      if (introduced === undefined) throw new SymmetraError('TOKEN_UNKNOWN', 'nobody introduced the device');
      if (type === 'offer') this.#offer(from, introduced, body);
      else if (type === 'confirmation') this.#confirmation(from, introduced, body);
      else throw unknownFrame(type);
    } catch (error) {
      if (error instanceof SymmetraError) this.#process.send(from, frame('error', error.code));
      throw error;
    }
  }

  /** ENR-11, ENR-12. */
  #part(from: string, bytes: Uint8Array): void {
    const { context, suite } = this.#world;
    const part = decodeIntroductionPart(bytes);
    const { nodeKeyHash } = nodeIdentity(suite, NEW_NODE);
    const node = { nodeId: NEW_NODE, nodeKeyHash, descriptor: descriptorOf(suite) };
    const { headerHash } = checkIntroductionPart(context, node, from, part);
    const taken = { to: from, frame: frame('taken', guarded(from, NEW_NODE, headerHash)) };
    const known = this.#process.get<Introduced>('introduced');
    if (known !== undefined && equalConstantTime(known.headerHash, headerHash)) {
      this.#process.send(taken.to, taken.frame);
      return;
    }
    const { now } = this.#process;
    const kept = this.#process.names('part/').map((name) => {
      return [name.slice('part/'.length), this.#process.get<KeptPart>(name) as KeptPart] as const;
    });
    const others = new Map(kept.filter(([node_, one]) => node_ !== from && one.expiresTicks > now));
    const done = completeIntroduction(context, { from, part }, others);
    if (done === undefined) {
      const { header, share, facts } = part;
      const keep: KeptPart = { header, share, facts, expiresTicks: now + WAIT_TICKS };
      this.#process.commit({ writes: { [`part/${from}`]: keep }, sends: [taken] });
      return;
    }
    const { tokenId } = decodeIntroductionHeader(context, part.header);
    const record: TokenRecord = {
      tokenId,
      account: done.facts.account,
      uses: 1,
      expiresMs: now + WAIT_TICKS,
      token: done.token,
      claims: [],
    };
    const introduced: Introduced = { record, headerHash, name: done.facts.name };
    const over = Object.fromEntries(kept.map(([node_]) => [`part/${node_}`, undefined]));
    this.#process.commit({
      writes: { ...over, introduced },
      sends: [taken],
      wipes: kept.map(([, { share }]) => share),
    });
  }

  #offer(from: string, introduced: Introduced, body: Uint8Array): void {
    const { context, suite } = this.#world;
    const { nodeKeyHash, kemKeys } = nodeIdentity(suite, NEW_NODE);
    const rules = {
      nodeId: NEW_NODE,
      nodeKeyHash,
      kemKeys,
      allowedSuites: [suite.id],
      descriptorVersion: 2,
      reservationMs: RESERVATION_TICKS,
    };
    const random = { nonce: this.#process.random(32), coins: this.#process.random(suite.kem.coinsLength) };
    const step = receiveOffer(context, rules, introduced.record, body, this.#process.now, random);
    const answer = { to: from, frame: frame('answer', step.output) };
    if (step.state === introduced.record) this.#process.send(answer.to, answer.frame);
    else {
      const writes = { introduced: { ...introduced, record: step.state } };
      this.#process.commit({ writes, sends: [answer], wipes: step.consumed });
    }
  }

  #confirmation(from: string, introduced: Introduced, body: Uint8Array): void {
    const { state, output, consumed } = receiveConfirmation(introduced.record, body);
    const acknowledgement = { to: from, frame: frame('acknowledgement', output.acknowledgement) };
    if (output.enrolled === undefined) {
      this.#process.send(acknowledgement.to, acknowledgement.frame);
      return;
    }
    const begun = beginNodeChain(this.#world.context, NEW_NODE, output.enrolled, 'bootstrap');
    this.#process.commit({
      writes: {
        introduced: { ...introduced, record: state },
        [`chain/${toHex(output.enrolled.deviceId)}`]: begun.state,
      },
      sends: [acknowledgement],
      wipes: [...consumed, ...begun.consumed],
    });
  }

  /** An introduction whose device did not come in time goes; the device is introduced anew. */
  tick(): void {
    const introduced = this.#process.get<Introduced>('introduced');
    if (introduced === undefined || introduced.record.expiresMs > this.#process.now) return;
    const { claims, token } = introduced.record;
    if (claims.some((claim) => claim.kind === 'spent' || claim.expiresMs > this.#process.now)) return;
    const keys = claims.flatMap((claim) => (claim.kind === 'reserved' ? [claim.bootstrapKey] : []));
    this.#process.commit({ writes: { introduced: undefined }, wipes: [token, ...keys] });
  }

  idle(): boolean {
    return true;
  }
}
