import { toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  approve,
  checkDelivery,
  coefficientLength,
  decodePairMessage,
  receiveConfirm,
  receivePairAcknowledge,
  receiveRefusal,
  receiveResponse,
  respond,
  startNegotiation,
} from '@symmetra/protocol';
import type {
  Approval,
  BrokerRequest,
  BrokerRules,
  CheckedDelivery,
  DeliveryFields,
  HeldContinuity,
  InitiatorContinuity,
  InitiatorStep,
  KeyMaterial,
  NodeRequest,
  PairConfirmed,
  PairFinished,
  PairHeld,
  PairRefused,
  PairRequest,
  PairRequested,
  PairResponded,
  ResponderFloors,
  ResponderStep,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { CONTEXT } from './protocol-world.js';

export const NODES = ['amsterdam', 'bern', 'cairo'] as const;

/** How a node of the scenarios decides. */
export function rulesOf(suite: Suite, nodeId: string): BrokerRules {
  return {
    nodeId,
    descriptorVersion: 4,
    nodes: NODES,
    minimumNodes: 3,
    minimumThreshold: 2,
    allowedSuites: [suite.id],
    purposes: ['*'],
    maximum: { lifetimeSeconds: 600, uses: 5 },
    requireDirectKem: false,
    stages: ['production'],
  };
}

/** What the responder of the scenarios insists on. */
export function floorsOf(suite: Suite, deviceId: Uint8Array): ResponderFloors {
  return {
    deviceId,
    nodes: NODES,
    minimumNodes: 3,
    minimumThreshold: 2,
    minimumDescriptorVersion: 4,
    allowedSuites: [suite.id],
    requireDirectKem: false,
    firstContactAll: false,
  };
}

/** The secrets of a key, to compare both ends with. */
export function secretsOf({ applicationKey, tlsKey, fingerprint }: KeyMaterial): readonly string[] {
  return [applicationKey.bytes, tlsKey.bytes, fingerprint].map(toHex);
}

/**
 * Alice, who begins, and Bob, who answers, with what both keep of one another from one negotiation to the next. Each
 * method performs one step and remembers what it says is to be kept.
 */
export class Couple {
  readonly alice: Uint8Array;
  readonly bob: Uint8Array;
  readonly #suite: Suite;
  readonly #prng: Prng;
  /** What Alice keeps. */
  continuity: InitiatorContinuity = {};
  /** What Bob keeps. */
  held: readonly HeldContinuity[] = [];

  constructor(suite: Suite) {
    this.#suite = suite;
    this.#prng = new Prng(`couple under suite ${suite.id}`);
    this.alice = this.#prng.bytes(32);
    this.bob = this.#prng.bytes(32);
  }

  begin({
    direct = true,
    changed = {},
  }: {
    readonly direct?: boolean;
    readonly changed?: Partial<PairRequest>;
  }): {
    readonly state: PairRequested;
    readonly output: readonly NodeRequest[];
  } {
    const request: PairRequest = {
      suiteId: this.#suite.id,
      initiator: this.alice,
      responder: this.bob,
      keyId: this.#prng.bytes(16),
      purpose: 'doorbell',
      keyLength: 32,
      limits: { lifetimeSeconds: 3600, uses: 0 },
      threshold: 2,
      nodes: NODES,
      descriptorVersion: 4,
      policyRevision: 1,
      continuity: this.continuity,
      ...changed,
    };
    const { kem } = this.#suite;
    return startNegotiation(CONTEXT, request, {
      split: this.#prng.bytes(32),
      coefficients: this.#prng.bytes(coefficientLength(request.threshold)),
      ...(direct && { seed: this.#prng.bytes(kem.seedLength) }),
    });
  }

  approve(
    request: BrokerRequest | undefined,
    rules = rulesOf(this.#suite, 'amsterdam'),
    sender = this.alice,
  ): Approval {
    if (request === undefined) throw new Error('there is no such request');
    return approve(CONTEXT, rules, sender, request);
  }

  check(nodeId: string, delivery: DeliveryFields, floors: Partial<ResponderFloors> = {}): CheckedDelivery {
    return checkDelivery(CONTEXT, { ...floorsOf(this.#suite, this.bob), ...floors }, nodeId, delivery);
  }

  /** Every node approves and delivers. */
  deliver(requests: readonly NodeRequest[]): readonly CheckedDelivery[] {
    return requests.map((request) => {
      const { granted } = this.approve(request, rulesOf(this.#suite, request.nodeId));
      return this.check(request.nodeId, { ...request, share: request.share.slice(), granted });
    });
  }

  respond(
    deliveries: readonly CheckedDelivery[],
    floors: Partial<ResponderFloors> = {},
  ): ResponderStep<PairResponded | PairRefused, Uint8Array> {
    const random = { nonce: this.#prng.bytes(32), coins: this.#prng.bytes(this.#suite.kem.coinsLength) };
    const own = { ...floorsOf(this.#suite, this.bob), ...floors };
    const step = respond(CONTEXT, own, deliveries, this.held, random);
    this.held = step.held;
    return step;
  }

  refusal(state: PairRequested, bytes: Uint8Array): string {
    const message = decodePairMessage(bytes);
    if (message.kind !== 'refuse') throw new Error('this is no refusal');
    return receiveRefusal(CONTEXT, state, message);
  }

  confirm(state: PairRequested, response: Uint8Array): InitiatorStep<PairConfirmed, Uint8Array> {
    const step = receiveResponse(CONTEXT, state, this.continuity, response);
    this.continuity = step.continuity;
    return step;
  }

  hold(state: PairResponded | PairHeld, confirmation: Uint8Array): ResponderStep<PairHeld, Uint8Array> {
    const step = receiveConfirm(state, this.held, confirmation);
    this.held = step.held;
    return step;
  }

  finish(state: PairConfirmed, acknowledgement: Uint8Array): InitiatorStep<PairFinished, undefined> {
    const step = receivePairAcknowledge(state, this.continuity, acknowledgement);
    this.continuity = step.continuity;
    return step;
  }

  /** A negotiation of which Bob has sent his response. */
  answer(direct = false): {
    readonly begun: PairRequested;
    readonly state: PairResponded;
    readonly output: Uint8Array;
  } {
    const { state: begun, output } = this.begin({ direct });
    const answered = this.respond(this.deliver(output));
    if (answered.state.kind !== 'responded') throw new Error(`refused with ${answered.state.code}`);
    return { begun, state: answered.state, output: answered.output };
  }

  /** A whole negotiation without a fault. */
  complete(direct = false): { readonly initiator: KeyMaterial; readonly responder: KeyMaterial } {
    const { begun, state, output } = this.answer(direct);
    const confirmed = this.confirm(begun, output);
    const held = this.hold(state, confirmed.output);
    const finished = this.finish(confirmed.state, held.output);
    return { initiator: finished.state.key, responder: held.state.key };
  }
}
