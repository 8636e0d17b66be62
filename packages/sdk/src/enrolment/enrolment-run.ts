import { equalConstantTime } from '@symmetra/crypto';
import {
  beginChain,
  FIRST_STAGE,
  descriptorNode,
  inspectOffer,
  nodeKemKey,
  nodeKeyHash,
  receiveAcknowledgement,
  receiveAnswer,
  startEnrolment,
} from '@symmetra/protocol';
import type {
  EnrolmentConfirming,
  EnrolmentOffered,
  NodeTokenSecret,
  ProtocolContext,
} from '@symmetra/protocol';
import type { Chains } from '../chain/chains.js';
import type { Stepper } from '../chain/stepper.js';
import { codeOf } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeRoutes } from '../network/node-routes.js';
import type { DeviceRandomness } from '../randomness.js';
import type { DeviceState, RowChange } from '../state/device-state.js';
import type { DeviceRecord } from '../state/records.js';
import { wipeSecrets } from '../state/wipe-secrets.js';
import type { Introductions } from './introductions.js';

const PREFIX = 'enrolment/';
const MAX_TURNS = 6;
/** The confirmation came too late or to a node that was set back: the same offer gets a new answer. */
const OFFER_AGAIN = new Set(['RESERVATION_UNKNOWN', 'AUTHENTICATION_FAILED', 'TOKEN_UNKNOWN']);

/** By these a node says that the device's token is of no use there, or not yet. */
const TOKEN_USELESS = new Set(['TOKEN_UNKNOWN', 'TOKEN_SPENT', 'TOKEN_EXPIRED']);
/** ENR-12: and by these too, that an offer which it answered is of no use any more. */
const OFFER_USELESS = new Set([...TOKEN_USELESS, 'AUTHENTICATION_FAILED', 'DESCRIPTOR_OLD']);
/** A node may hear of a token a little later than others. */
const FAILURES_BEFORE_INTRODUCTION = 3;

/** The stage that a device asks for with its first step. */
export const WORKING_STAGE = 'production';

/** Answered, and perhaps too late: then another offer is to take its place, once the node has answered that one. */
type Confirming = EnrolmentConfirming & { readonly renewal?: EnrolmentOffered };

/** An enrolment under way at one node. */
type EnrolmentState = EnrolmentOffered | Confirming;

/** What an enrolment needs. */
export interface EnrolmentParts {
  readonly context: ProtocolContext;
  readonly device: DeviceRecord;
  readonly state: DeviceState;
  readonly chains: Chains;
  readonly stepper: Stepper;
  readonly routes: NodeRoutes;
  readonly descriptors: Descriptors;
  readonly introductions: Introductions;
  readonly random: DeviceRandomness;
  /** The stage that a step at a node asks for, once k nodes have granted one. */
  readonly stage: (nodeId: string) => string;
  /** The suite of new offers and of the first step. */
  readonly suiteId: () => number;
}

/** The enrolments of a device, one per node (ENR-2 to ENR-8): each state is durable before its message leaves. */
export class EnrolmentRuns {
  readonly #parts: EnrolmentParts;
  readonly #states = new Map<string, EnrolmentState>();

  private constructor(parts: EnrolmentParts) {
    this.#parts = parts;
  }

  static async load(parts: EnrolmentParts): Promise<EnrolmentRuns> {
    const runs = new EnrolmentRuns(parts);
    for (const { name, value } of await parts.state.list<EnrolmentState>(PREFIX)) {
      runs.#states.set(name, value);
    }
    return runs;
  }

  /** Makes the offers for all nodes durable, together with the device's first row. Nothing is sent yet. */
  async begin(
    secretFor: (nodeId: string, keyHash: Uint8Array) => NodeTokenSecret,
    first: RowChange,
  ): Promise<void> {
    const states = this.#parts.descriptors.current.nodes.map((node) =>
      this.#offer(node.id, secretFor(node.id, nodeKeyHash(node))),
    );
    const rows = states.map((state) => ({ key: PREFIX + state.parties.nodeId, value: state }));
    await this.#parts.state.commit([first, ...rows]);
    for (const state of states) this.#states.set(state.parties.nodeId, state);
  }

  /** The nodes at which something is left to do before sessions can be opened. */
  unfinished(): readonly string[] {
    const { chains, descriptors } = this.#parts;
    const ready = new Set(chains.ready());
    const nodes = descriptors.isKnown ? descriptors.current.nodes.map(({ id }) => id) : [];
    const begun = new Set([...this.#states.keys(), ...chains.nodes(), ...nodes]);
    return [...begun].filter((nodeId) => this.#states.has(nodeId) || !ready.has(nodeId));
  }

  /**
   * Goes on with the enrolment at one node, from wherever it stands, up to the stage that k nodes have granted.
   * @param failures how often it was tried in vain
   * @throws TOKEN_SPENT, TOKEN_EXPIRED, TOKEN_CONTESTED, TOKEN_UNKNOWN, SUITE_FORBIDDEN, AUTHENTICATION_FAILED,
   *   what {@link Introductions.ask} throws, and what did not get through
   */
  async complete(nodeId: string, failures = 0): Promise<void> {
    const { chains } = this.#parts;
    if (!this.#states.has(nodeId) && !chains.nodes().includes(nodeId)) await this.#introduce(nodeId);
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const state = this.#states.get(nodeId);
      if (state === undefined) break;
      try {
        await (state.kind === 'offered'
          ? this.#sendOffer(nodeId, state)
          : this.#sendConfirmation(nodeId, state));
      } catch (error) {
        if (turn === MAX_TURNS - 1) throw error;
        if (state.kind === 'offered' && codeOf(error) === 'DESCRIPTOR_OLD') {
          await this.#offerAnew(nodeId, state, error);
        } else if (state.kind === 'offered' && this.#wantsIntroduction(nodeId, error, failures)) {
          await this.#introduce(nodeId);
        } else if (state.kind === 'confirming' && OFFER_AGAIN.has(codeOf(error))) {
          await this.#sendOfferAgain(nodeId, state);
        } else throw error;
      }
    }
    await this.#step(nodeId);
  }

  /** The rows of enrolments at nodes that are no more, or not those any more. */
  ending(nodeIds: readonly string[]): { readonly rows: readonly RowChange[]; readonly erase: () => void } {
    const introduction = this.#parts.introductions.ending(nodeIds);
    const over = nodeIds.filter((nodeId) => this.#states.has(nodeId));
    return {
      rows: [...over.map((nodeId) => ({ key: PREFIX + nodeId, value: null })), ...introduction.rows],
      erase: () => {
        introduction.erase();
        for (const nodeId of over) {
          wipeSecrets(this.#states.get(nodeId));
          this.#states.delete(nodeId);
        }
      },
    };
  }

  /** ENR-12: from the first epoch, one stage with each step, to the stage that k nodes have granted. */
  async #step(nodeId: string): Promise<void> {
    const { chains, stepper, suiteId, stage } = this.#parts;
    if (chains.ready().includes(nodeId)) await stepper.finish(nodeId);
    for (;;) {
      const present = chains.get(nodeId).keys.stage;
      const next = stage(nodeId);
      const isReady = chains.ready().includes(nodeId);
      if (next === present && isReady) return;
      await stepper.step(nodeId, { suiteId: suiteId(), stage: next === present ? WORKING_STAGE : next });
      if (chains.get(nodeId).keys.stage === present) return;
    }
  }

  /**
   * ENR-12: whether a refusal of the offer is worth an introduction; the node has not answered it. One that has taken an
   * introduction of which the device has no receipts does not know the token of the offer any more.
   */
  #wantsIntroduction(nodeId: string, error: unknown, failures: number): boolean {
    const code = codeOf(error);
    const { introductions } = this.#parts;
    if (!introductions.isPossible(nodeId)) return false;
    if (code === 'AUTHENTICATION_FAILED') return introductions.isAsked(nodeId);
    return TOKEN_USELESS.has(code) && (code !== 'TOKEN_UNKNOWN' || failures >= FAILURES_BEFORE_INTRODUCTION);
  }

  /** ENR-9, ENR-12: has the device introduced, and makes the offer with that token, once. */
  async #introduce(nodeId: string): Promise<void> {
    const { token } = await this.#parts.introductions.ask(nodeId);
    const before = this.#states.get(nodeId);
    const last = before && lastOffer(before);
    if (last !== undefined && equalConstantTime(last.token.bytes, token.bytes)) return;
    const offered = this.#offer(nodeId, token.clone());
    const isAnswered = before?.kind === 'confirming';
    await this.#save(nodeId, isAnswered ? { ...before, renewal: offered } : offered);
    wipeSecrets(isAnswered ? before.renewal : before);
  }

  /** ENR-2: the offer to one node. */
  #offer(nodeId: string, token: NodeTokenSecret): EnrolmentOffered {
    const { context, device, descriptors, random } = this.#parts;
    const node = descriptorNode(descriptors.current, nodeId);
    const suiteId = this.#parts.suiteId();
    const { kem } = context.suites.get(suiteId);
    const start = {
      suiteId,
      tokenId: device.tokenId,
      token,
      enrolmentNonce: device.enrolmentNonce,
      nodeId,
      nodeKeyHash: nodeKeyHash(node),
      nodeKemKey: nodeKemKey(node, suiteId),
      descriptorVersion: descriptors.current.version,
      name: device.name,
    };
    const fresh = { seed: random.bytes(kem.seedLength), coins: random.bytes(kem.coinsLength) };
    return startEnrolment(context, start, fresh).state;
  }

  /** ENR-2, ENR-5: sends the last offer, takes the answer. */
  async #sendOffer(nodeId: string, state: EnrolmentState): Promise<void> {
    const { context, routes } = this.#parts;
    const last = lastOffer(state);
    const { offer } = last;
    const { answer } = await routes.call(nodeId, async (client, node) => client.offer({ node, offer }));
    const step = receiveAnswer(context, last, new Uint8Array(answer));
    await this.#save(nodeId, step.state);
    for (const secret of step.consumed) secret.wipe();
    if (last !== state) wipeSecrets({ ...state, renewal: undefined });
  }

  /** ENR-5, ENR-12: the confirmation came too late: the same offer, or one with another token, gets another answer. */
  async #sendOfferAgain(nodeId: string, state: Confirming): Promise<void> {
    try {
      await this.#sendOffer(nodeId, state);
    } catch (error) {
      if (!OFFER_USELESS.has(codeOf(error)) || !this.#parts.introductions.isPossible(nodeId)) throw error;
      await this.#introduce(nodeId);
      await this.#sendOffer(nodeId, this.#states.get(nodeId) ?? state);
    }
  }

  /** ENR-5, ENR-8: sends the confirmation, takes the acknowledgement; the chain begins. */
  async #sendConfirmation(nodeId: string, state: Confirming): Promise<void> {
    const { context, routes, chains, introductions } = this.#parts;
    const { confirmation } = state;
    const reply = await routes.call(nodeId, async (client, node) => client.confirm({ node, confirmation }));
    const enrolled = receiveAcknowledgement(state, reply.acknowledgement);
    const begun = beginChain(context, enrolled.state, FIRST_STAGE);
    const consumed = [...enrolled.consumed, ...begun.consumed];
    const introduction = introductions.ending([nodeId]);
    const over = [{ key: PREFIX + nodeId, value: null }, ...introduction.rows];
    await chains.begin(nodeId, { state: begun.state, consumed }, over);
    this.#states.delete(nodeId);
    introduction.erase();
    wipeSecrets(state.renewal);
  }

  /** There is a newer descriptor, which this device verified, and no answer yet: the offer is made again for that one. */
  async #offerAnew(nodeId: string, state: EnrolmentOffered, refusal: unknown): Promise<void> {
    const { context, descriptors, device } = this.#parts;
    const { version } = await descriptors.refresh(device.hints);
    if (version <= inspectOffer(context, state.offer).descriptorVersion) throw refusal;
    const offered = this.#offer(nodeId, state.token);
    await this.#save(nodeId, offered);
    state.staticSecret.wipe();
    state.ephemeralKey.wipe();
  }

  async #save(nodeId: string, state: EnrolmentState): Promise<void> {
    await this.#parts.state.commit([{ key: PREFIX + nodeId, value: state }]);
    this.#states.set(nodeId, state);
  }
}

/** The offer that the node shall answer next. */
function lastOffer(state: EnrolmentState): EnrolmentState {
  return state.kind === 'confirming' ? (state.renewal ?? state) : state;
}
