import { SymmetraError, toHex } from '@symmetra/crypto';
import { openSession, receiveSessionAnswer } from '@symmetra/protocol';
import type { ProtocolContext, SessionOpening } from '@symmetra/protocol';
import type { Chains } from '../chain/chains.js';
import type { Stepper } from '../chain/stepper.js';
import { codeOf } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { NodeRoutes } from '../network/node-routes.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Timers } from '../timers.js';
import { NodeSession } from './node-session.js';

/** How long a session that was replaced still takes replies and events. */
const LINGER_MS = 30_000;

/** What a ratchet step may put right. */
const STEP_CODES = new Set(['EPOCH_UNUSED', 'CHAIN_BOUND', 'SUITE_FORBIDDEN', 'AUTHENTICATION_FAILED']);

/** What sessions need. */
export interface SessionParts {
  readonly context: ProtocolContext;
  readonly chains: Chains;
  readonly stepper: Stepper;
  readonly routes: NodeRoutes;
  readonly descriptors: Descriptors;
  readonly nodeClock: NodeClock;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  /** The suite that a step asks for. */
  readonly suiteId: () => number;
}

/** The sessions of a device: at most one in use per node, opened when it is first needed. */
export class Sessions {
  readonly #parts: SessionParts;
  readonly #current = new Map<string, NodeSession>();
  readonly #opening = new Map<string, Promise<NodeSession>>();
  readonly #byId = new Map<string, NodeSession>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The session with a node, opened if need be; callers at the same time share one. @throws as opening does */
  async get(nodeId: string): Promise<NodeSession> {
    const current = this.#current.get(nodeId);
    if (current?.isUsable(this.#parts.timers.monotonic()) === true) return current;
    const pending = this.#opening.get(nodeId);
    if (pending !== undefined) return pending;
    const opening = this.#openWithRemedy(nodeId).finally(() => this.#opening.delete(nodeId));
    this.#opening.set(nodeId, opening);
    return opening;
  }

  /** The session in use with a node, if there is one. */
  current(nodeId: string): NodeSession | undefined {
    return this.#current.get(nodeId);
  }

  /** The session of an id, also one that was replaced a moment ago. */
  byId(sessionId: Uint8Array): NodeSession | undefined {
    return this.#byId.get(toHex(sessionId));
  }

  /** The node does not know the session any more. */
  lost(session: NodeSession): void {
    if (this.#current.get(session.nodeId) === session) this.#current.delete(session.nodeId);
    this.#forget(session);
  }

  /** The node is no more: erases all its session keys. */
  drop(nodeId: string): void {
    this.#current.delete(nodeId);
    for (const session of this.#byId.values()) if (session.nodeId === nodeId) this.#forget(session);
  }

  /** Erases all session keys. */
  close(): void {
    for (const session of this.#byId.values()) session.end.wipe();
    this.#byId.clear();
    this.#current.clear();
  }

  /** Opens a session; what a ratchet step can put right is put right once. */
  async #openWithRemedy(nodeId: string): Promise<NodeSession> {
    try {
      return await this.#open(nodeId);
    } catch (error) {
      if (!STEP_CODES.has(codeOf(error))) throw error;
      const { chains, stepper, suiteId } = this.#parts;
      const { keys } = chains.get(nodeId);
      const forbidden = codeOf(error) === 'SUITE_FORBIDDEN';
      await stepper.step(nodeId, { suiteId: forbidden ? suiteId() : keys.suiteId, stage: keys.stage });
      return this.#open(nodeId);
    }
  }

  /** SES-1 to SES-4. */
  async #open(nodeId: string): Promise<NodeSession> {
    const { context, chains, routes, random, timers, nodeClock } = this.#parts;
    const opening = await chains.exclusively(nodeId, async () => {
      const step = openSession(context, chains.get(nodeId), random.bytes(32));
      await chains.save(nodeId, step);
      return step.output;
    });
    const started = timers.monotonic();
    try {
      const reply = await routes.call(nodeId, async (client, node) =>
        client.open({ node, open: opening.open }),
      );
      if (reply.outcome !== 'answer' || !reply.answer) {
        await this.#parts.stepper.prove(nodeId, reply.challenge ?? new Uint8Array(0));
        throw new SymmetraError('AUTHENTICATION_FAILED', 'the node knows a newer state of this device', {
          node: nodeId,
        });
      }
      const session = this.#establish(nodeId, opening, reply.answer);
      const { threshold } = this.#parts.descriptors.current;
      await nodeClock.note(nodeId, session.clockMs, timers.monotonic() - started, threshold);
      return session.session;
    } catch (error) {
      opening.master.wipe();
      throw error;
    }
  }

  #establish(
    nodeId: string,
    opening: SessionOpening,
    answer: Uint8Array,
  ): { readonly session: NodeSession; readonly clockMs: number } {
    const { context, random, timers } = this.#parts;
    const { session: end, grant, consumed } = receiveSessionAnswer(context, opening, answer);
    for (const secret of consumed) secret.wipe();
    random.mix(grant.entropy);
    const session = new NodeSession(nodeId, end, grant, timers.monotonic());
    const replaced = this.#current.get(nodeId);
    this.#current.set(nodeId, session);
    this.#byId.set(toHex(end.sessionId), session);
    if (replaced !== undefined) timers.set(LINGER_MS, () => this.#forget(replaced));
    return { session, clockMs: grant.clockMs };
  }

  #forget(session: NodeSession): void {
    this.#byId.delete(toHex(session.end.sessionId));
    session.end.wipe();
  }
}
