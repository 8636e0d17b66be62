import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  checkDelivery,
  coefficientLength,
  decodePairMessage,
  quorum,
  receiveConfirm,
  receivePairAcknowledge,
  receiveRefusal,
  receiveResponse,
  respond,
  startNegotiation,
} from '@symmetra/protocol';
import type {
  BrokerRequest,
  CheckedDelivery,
  DeliveryFields,
  PairConfirmed,
  PairFinished,
  PairHeld,
  PairRefused,
  PairRequest,
  PairRequested,
  PairResponded,
  ResponderFloors,
} from '@symmetra/protocol';
import {
  EVENT,
  NEGOTIATE,
  decodeDelivery,
  decodeRequest,
  encodeDelivery,
  encodeRequest,
} from './collusion-methods.js';
import { NODE_IDS, THRESHOLD } from './collusion-node.js';
import type { CollusionNode } from './collusion-node.js';
import type { CollusionWorld } from './collusion-world.js';

const MAX_MESSAGES = 32;

/** A message between the devices, on its way to one of them. */
export interface Carried {
  readonly to: 'alice' | 'bob';
  readonly message: Uint8Array;
}

/** What nodes under one command do in place of the protocol. They carry every message between the devices. */
export interface Strategy {
  /** What a node of the coalition gives to Bob, from what all of them got and what leaked to them. */
  deliver(nodeId: string, requests: ReadonlyMap<string, BrokerRequest>): readonly DeliveryFields[];
  /** What the coalition says by itself, before Bob answers. */
  begin(): readonly Carried[];
  /** What it makes of a message that it carries. */
  carry(carried: Carried): readonly Carried[];
}

/** Who does not do as the protocol says in one negotiation. */
interface Takeover {
  readonly nodes: ReadonlySet<string>;
  /** Honest nodes whose share leaks to the coalition. */
  readonly leaks?: ReadonlySet<string>;
  readonly strategy: Strategy;
}

/** How a negotiation is asked for and watched. */
export interface NegotiationOptions {
  readonly direct: boolean;
  readonly threshold: number;
  /** Bob's policy: a first contact is dealt to all nodes. */
  readonly firstContactAll: boolean;
  readonly takeover?: Takeover;
  /** Called while Bob is away and the shares rest at the nodes. */
  readonly atRest?: () => void;
}

/** What came of it. */
export interface NegotiationOutcome {
  /** Application keys that a device gave to its user, hexadecimal. */
  readonly accepted: readonly string[];
  /** Why a device dropped something, or refused. */
  readonly refusals: readonly string[];
  /** KEM public key of Alice; empty without the direct KEM. */
  readonly ephemeralKey: Uint8Array;
}

/** One negotiation from Alice to Bob, with honest devices and nodes of which some may be taken over. */
export class Negotiation {
  readonly #world: CollusionWorld;
  readonly #options: NegotiationOptions;
  readonly #refusals: string[] = [];
  #alice: PairRequested | PairConfirmed | PairFinished | undefined;
  #bob: PairResponded | PairHeld | PairRefused | undefined;

  constructor(world: CollusionWorld, options: NegotiationOptions) {
    this.#world = world;
    this.#options = options;
  }

  run(): NegotiationOutcome {
    const { takeover, atRest } = this.#options;
    const { requests, ephemeralKey } = this.#ask();
    const known = new Map(
      [...requests].filter(
        ([nodeId]) => (takeover?.nodes.has(nodeId) ?? false) || (takeover?.leaks?.has(nodeId) ?? false),
      ),
    );
    const honest = this.#world.nodes.filter(({ id }) => !takeover?.nodes.has(id));
    const rests = honest.map((node) => this.#approved(node, requests.get(node.id)));
    atRest?.();
    const checked: CheckedDelivery[] = [];
    for (const nodeId of takeover?.nodes ?? []) {
      for (const delivery of takeover?.strategy.deliver(nodeId, known) ?? []) {
        checked.push(...this.#deliver(this.#world.node(nodeId), delivery));
      }
    }
    for (const [i, node] of honest.entries()) {
      const delivery = rests[i];
      if (delivery !== undefined) checked.push(...this.#deliver(node, delivery));
    }
    const injected = takeover?.strategy.begin() ?? [];
    this.#exchange([...injected, ...this.#respond(checked)]);
    return { accepted: this.#accepted(), refusals: this.#refusals, ephemeralKey };
  }

  /** PAIR-1, PAIR-2. */
  #ask(): { requests: Map<string, BrokerRequest>; ephemeralKey: Uint8Array } {
    const world = this.#world;
    const { direct, threshold } = this.#options;
    const request: PairRequest = {
      suiteId: 1,
      initiator: world.alice.deviceId,
      responder: world.bob.deviceId,
      keyId: world.fresh(16),
      purpose: 'doorbell',
      keyLength: 32,
      limits: { lifetimeSeconds: 3600, uses: 0 },
      threshold,
      nodes: NODE_IDS,
      descriptorVersion: 1,
      policyRevision: 1,
      continuity: world.alice.continuity,
    };
    const { state, output } = startNegotiation(world.context, request, {
      split: world.fresh(32),
      coefficients: world.fresh(coefficientLength(threshold)),
      ...(direct && { seed: world.fresh(world.context.suites.get(1).kem.seedLength) }),
    });
    this.#alice = state;
    const requests = new Map(
      output.map((one) => {
        const plaintext = world.call(world.alice, world.node(one.nodeId), NEGOTIATE, encodeRequest(one));
        return [one.nodeId, decodeRequest(plaintext)] as const;
      }),
    );
    return { requests, ephemeralKey: state.direct?.publicKey ?? new Uint8Array(0) };
  }

  /** PAIR-3. */
  #approved(node: CollusionNode, request: BrokerRequest | undefined): DeliveryFields | undefined {
    const { context, alice } = this.#world;
    return request && this.#tried(() => node.approve(context, alice.deviceId, request));
  }

  /** PAIR-4, PAIR-5: what Bob makes of a delivery. */
  #deliver(node: CollusionNode, delivery: DeliveryFields): readonly CheckedDelivery[] {
    const world = this.#world;
    const opened = decodeDelivery(world.event(world.bob, node, EVENT, encodeDelivery(1, delivery)));
    const checked =
      opened && this.#tried(() => checkDelivery(world.context, this.#floors(), node.id, opened));
    return checked === undefined ? [] : [checked];
  }

  /** PAIR-6, PAIR-7; the shares are acknowledged and erased. */
  #respond(checked: readonly CheckedDelivery[]): readonly Carried[] {
    const agreeing = quorum(checked);
    if (agreeing === undefined) return [];
    const world = this.#world;
    const random = {
      nonce: world.fresh(32),
      coins: world.fresh(world.context.suites.get(1).kem.coinsLength),
    };
    const step = respond(world.context, this.#floors(), agreeing, world.bob.held, random);
    world.bob.held = step.held;
    this.#bob = step.state;
    if (step.state.kind === 'refused') this.#refusals.push(step.state.code);
    for (const node of world.nodes) node.shares.length = 0;
    return this.#send({ to: 'alice', message: step.output });
  }

  /** PAIR-8 to PAIR-10: messages go on until nobody has anything to say. */
  #exchange(first: readonly Carried[]): void {
    const queue = [...first];
    for (let count = 0; count < MAX_MESSAGES; count++) {
      const carried = queue.shift();
      if (carried === undefined) return;
      const answer = this.#tried(() => this.#receive(carried));
      if (answer !== undefined) queue.push(...this.#send(answer));
    }
    throw new Error('the devices do not come to an end');
  }

  #send(carried: Carried): readonly Carried[] {
    this.#world.wire.push({ kind: 'pair', message: carried.message });
    const { takeover } = this.#options;
    return takeover === undefined ? [carried] : takeover.strategy.carry(carried);
  }

  #receive({ to, message }: Carried): Carried | undefined {
    if (to === 'alice') return this.#atAlice(message);
    const { bob } = this.#world;
    const state = this.#bob;
    if (state?.kind !== 'responded' && state?.kind !== 'held') return undefined;
    const step = receiveConfirm(state, bob.held, message);
    bob.held = step.held;
    this.#bob = step.state;
    return { to: 'alice', message: step.output };
  }

  #atAlice(bytes: Uint8Array): Carried | undefined {
    const { context, alice } = this.#world;
    const state = this.#alice;
    const message = decodePairMessage(bytes);
    if (state?.kind === 'requested' && message.kind === 'response') {
      const step = receiveResponse(context, state, alice.continuity, bytes);
      alice.continuity = step.continuity;
      this.#alice = step.state;
      return { to: 'bob', message: step.output };
    }
    if (state?.kind === 'requested' && message.kind === 'refuse') {
      this.#refusals.push(receiveRefusal(context, state, message));
      this.#alice = undefined;
    } else if (state?.kind === 'confirmed' && message.kind === 'acknowledge') {
      const step = receivePairAcknowledge(state, alice.continuity, bytes);
      alice.continuity = step.continuity;
      this.#alice = step.state;
    }
    return undefined;
  }

  #accepted(): readonly string[] {
    const keys = [
      ...(this.#alice?.kind === 'finished' ? [this.#alice.key] : []),
      ...(this.#bob?.kind === 'held' ? [this.#bob.key] : []),
    ];
    return keys.map(({ applicationKey }) => toHex(applicationKey.bytes));
  }

  #floors(): ResponderFloors {
    return {
      deviceId: this.#world.bob.deviceId,
      nodes: NODE_IDS,
      minimumNodes: NODE_IDS.length,
      minimumThreshold: THRESHOLD,
      minimumDescriptorVersion: 1,
      allowedSuites: [1],
      requireDirectKem: false,
      firstContactAll: this.#options.firstContactAll,
    };
  }

  #tried<Result>(action: () => Result): Result | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SymmetraError)) throw error;
      this.#refusals.push(error.code);
      return undefined;
    }
  }
}
