import { SymmetraError } from '@symmetra/crypto';
import {
  abandonStep,
  descriptorNode,
  nodeKemKey,
  proveState,
  receiveR2,
  receiveR4,
  startStep,
} from '@symmetra/protocol';
import type {
  ChainConfirming,
  ChainRestepping,
  ChainStepping,
  DeviceChain,
  ProtocolContext,
} from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import { codeOf } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { Policies } from '../network/policies.js';
import type { NodeRoutes } from '../network/node-routes.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Chains } from './chains.js';

const MAX_TURNS = 12;

/** By these a node refuses messages of an epoch that it does not have, or has left. */
const LEFT_CODES = new Set(['AUTHENTICATION_FAILED', 'MESSAGE_LATE']);

/** What a ratchet step needs. */
export interface StepperParts {
  readonly context: ProtocolContext;
  readonly chains: Chains;
  readonly routes: NodeRoutes;
  readonly descriptors: Descriptors;
  readonly policies: Policies;
  readonly random: DeviceRandomness;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the device wants of a step. */
export interface StepGoal {
  readonly suiteId: number;
  readonly stage: string;
}

/** Takes ratchet steps (ATK-2 to ATK-9), each a walk from one settled epoch to the next, whatever was under way. */
export class Stepper {
  readonly #parts: StepperParts;

  constructor(parts: StepperParts) {
    this.#parts = parts;
  }

  /**
   * Takes one step at a node; a step that was under way is finished first, and counts when it wanted the same.
   * @throws STATE_LEFT when the node refuses every state that this device holds: it was copied or restored. The device
   *   keeps its state, since nobody proves that answer; SUITE_FORBIDDEN when the node refuses a suite that policy, as
   *   this device verified it, allows; and what did not get through
   */
  async step(nodeId: string, goal: StepGoal): Promise<void> {
    await this.#parts.chains.exclusively(nodeId, async () => this.#walk(nodeId, goal));
  }

  /** Finishes what is under way at a node, and begins nothing. @throws as {@link Stepper.step} */
  async finish(nodeId: string): Promise<void> {
    await this.#parts.chains.exclusively(nodeId, async () => {
      const { suiteId, stage } = wanted(this.#parts.chains.get(nodeId));
      if (this.#parts.chains.get(nodeId).kind !== 'settled') await this.#walk(nodeId, { suiteId, stage });
    });
  }

  /** Answers a challenge with the state that the device holds (ATK-9). A failure to deliver it is none of ours. */
  async prove(nodeId: string, challenge: Uint8Array): Promise<void> {
    const { context, chains, routes, logger } = this.#parts;
    const chain = chains.get(nodeId);
    try {
      const proof = proveState(context, chain, challenge);
      await routes.call(nodeId, async (client, node) => client.prove({ node, proof }));
    } catch (error) {
      logger.warn({ node: nodeId, code: codeOf(error) }, 'The answer to a challenge did not arrive.');
    }
  }

  async #walk(nodeId: string, goal: StepGoal): Promise<void> {
    const { chains } = this.#parts;
    let { suiteId } = goal;
    let done = false;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const chain = chains.get(nodeId);
      switch (chain.kind) {
        case 'settled':
          if (done) return;
          await this.#begin(nodeId, chain, { ...goal, suiteId });
          done = true;
          break;
        case 'stepping':
        case 'restepping':
          done ||= fits(wanted(chain), { ...goal, suiteId });
          if (await this.#sendR1(nodeId, chain)) break;
          suiteId = await this.#otherSuite(chain.step.suiteId);
          await chains.save(nodeId, abandonStep(chain));
          done = false;
          break;
        case 'confirming':
          done ||= fits(wanted(chain), { ...goal, suiteId });
          await this.#sendR3(nodeId, chain, { ...goal, suiteId });
          break;
      }
    }
    throw new SymmetraError('STEP_UNFINISHED', 'the ratchet step did not come to its end', { node: nodeId });
  }

  /** ATK-2. */
  async #begin(nodeId: string, chain: DeviceChain, goal: StepGoal): Promise<void> {
    const { context, chains, descriptors, random } = this.#parts;
    const suite = context.suites.get(goal.suiteId);
    const request = {
      suiteId: goal.suiteId,
      stage: goal.stage,
      nodeKemKey: nodeKemKey(descriptorNode(descriptors.current, nodeId), goal.suiteId),
    };
    const fresh = {
      seed: random.bytes(suite.kem.seedLength),
      coins: random.bytes(suite.kem.coinsLength),
      nonce: random.bytes(32),
      codeNonce: random.bytes(32),
    };
    await chains.save(nodeId, startStep(context, chain, request, fresh));
  }

  /** Sends R1 and takes R2 (ATK-5). @returns false when it is said that policy forbids the suite */
  async #sendR1(nodeId: string, chain: ChainStepping | ChainRestepping): Promise<boolean> {
    const { context, chains, routes, random } = this.#parts;
    let challenge: Uint8Array;
    try {
      const reply = await routes.call(nodeId, async (client, node) =>
        client.step({ node, r1: chain.step.r1 }),
      );
      if (reply.outcome === 'r2' && reply.r2) {
        const received = receiveR2(context, chain, reply.r2);
        await chains.save(nodeId, received);
        random.mix(received.entropy);
        return true;
      }
      challenge = reply.challenge ?? new Uint8Array(0);
    } catch (error) {
      if (codeOf(error) === 'SUITE_FORBIDDEN') return false;
      if (!LEFT_CODES.has(codeOf(error))) throw error;
      await this.#goOnFromNext(nodeId, chain);
      return true;
    }
    await this.prove(nodeId, challenge);
    await this.#goOnFromNext(nodeId, chain);
    return true;
  }

  /** R1 is refused: the node may have moved on to the epoch whose R3 it refused to acknowledge. @throws STATE_LEFT */
  async #goOnFromNext(nodeId: string, chain: ChainStepping | ChainRestepping): Promise<void> {
    if (chain.kind !== 'restepping') throw stateLeft(nodeId);
    try {
      await this.#sendStoredR3(nodeId, chain);
    } catch (error) {
      throw LEFT_CODES.has(codeOf(error)) ? stateLeft(nodeId) : error;
    }
  }

  /** Sends R3; when it is refused, begins again under the epoch before. */
  async #sendR3(nodeId: string, chain: ChainConfirming, goal: StepGoal): Promise<void> {
    try {
      await this.#sendStoredR3(nodeId, chain);
    } catch (error) {
      if (codeOf(error) !== 'AUTHENTICATION_FAILED') throw error;
      await this.#begin(nodeId, chain, goal);
    }
  }

  /** ATK-5 to ATK-8: R3 for R4. */
  async #sendStoredR3(nodeId: string, chain: ChainConfirming | ChainRestepping): Promise<void> {
    const { chains, routes, clock } = this.#parts;
    const { r4 } = await routes.call(nodeId, async (client, node) =>
      client.commit({ node, r3: chain.next.r3 }),
    );
    await chains.save(nodeId, receiveR4(chain, r4), clock.now());
  }

  /**
   * Anyone may say that a suite is forbidden: the device believes the policy that it verifies itself.
   * @throws SUITE_FORBIDDEN when that policy allows the suite, or no other
   */
  async #otherSuite(refused: number): Promise<number> {
    const { descriptors, policies } = this.#parts;
    await descriptors.refresh([]);
    const [other] = policies.suites;
    if (other !== undefined && !policies.suites.includes(refused)) return other;
    throw new SymmetraError('SUITE_FORBIDDEN', 'the step is refused for its suite', { suite: refused });
  }
}

function stateLeft(nodeId: string): SymmetraError {
  return new SymmetraError(
    'STATE_LEFT',
    `${nodeId} knows no state that this device holds: it was restored or copied; revoke it and enrol it anew with a new token`,
    { node: nodeId },
  );
}

/** What the step that is under way asks for; for a settled chain, what it has. */
function wanted(chain: DeviceChain): StepGoal {
  switch (chain.kind) {
    case 'stepping':
    case 'restepping':
      return { suiteId: chain.step.suiteId, stage: chain.step.stage };
    case 'confirming':
      return { suiteId: chain.next.keys.suiteId, stage: chain.next.keys.stage };
    case 'settled':
      return { suiteId: chain.keys.suiteId, stage: chain.keys.stage };
  }
}

function fits(step: StepGoal, goal: StepGoal): boolean {
  return step.suiteId === goal.suiteId && step.stage === goal.stage;
}
