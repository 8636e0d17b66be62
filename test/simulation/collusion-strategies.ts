import { Secret, equalConstantTime } from '@symmetra/crypto';
import {
  coefficientLength,
  decodeHeader,
  decodePairMessage,
  encodeHeader,
  encodePairMessage,
  receiveResponse,
  respond,
  receiveConfirm,
  startNegotiation,
} from '@symmetra/protocol';
import type {
  BrokerRequest,
  CheckedDelivery,
  DeliveryFields,
  PairRequested,
  PairResponded,
} from '@symmetra/protocol';
import { ephemeralKeyHash, shareCommitment } from '../../packages/protocol/src/pairwise/transcript.js';
import type { Attacker } from './collusion-attacker.js';
import { attempt } from './collusion-chains.js';
import type { Carried, Strategy } from './collusion-negotiation.js';

type Requests = ReadonlyMap<string, BrokerRequest>;
type Random = (length: number) => Uint8Array;

const GRANTED = { lifetimeSeconds: 3600, uses: 0 };

/** Does what the protocol says, and writes everything down. */
export class Faithful implements Strategy {
  readonly #attacker: Attacker;

  constructor(attacker: Attacker) {
    this.#attacker = attacker;
  }

  deliver(nodeId: string, requests: Requests): readonly DeliveryFields[] {
    for (const [id, request] of requests) this.#attacker.learnShare(id, request);
    const request = requests.get(nodeId);
    return request === undefined ? [] : [{ ...request, granted: GRANTED }];
  }

  begin(): readonly Carried[] {
    return [];
  }

  carry(carried: Carried): readonly Carried[] {
    return [carried];
  }
}

/** How a man in the middle deals to Bob. */
export interface DealOptions {
  /** `asked`: k as Alice asked; a number: k as the coalition would like it. */
  readonly threshold: 'asked' | number;
  /** Shows Bob Alice's continuity offers, which verify, in place of its own. */
  readonly copyOffers: boolean;
}

/**
 * Stands between the devices. To Bob the coalition is Alice: it draws an S and a KEM key of its own and deals them under
 * Alice's name and key id, as far as its nodes reach. To Alice it is Bob: it rebuilds her S from the shares that it has,
 * with random bytes for those that it lacks, and answers in his place. It completes both runs if it can.
 */
export class ManInTheMiddle implements Strategy {
  readonly #attacker: Attacker;
  readonly #random: Random;
  readonly #options: DealOptions;
  #dealt: { state: PairRequested; requests: Requests } | undefined;
  #towardsAlice: { state: PairResponded; output: Uint8Array } | undefined;

  constructor(attacker: Attacker, random: Random, options: DealOptions) {
    this.#attacker = attacker;
    this.#random = random;
    this.#options = options;
  }

  deliver(nodeId: string, requests: Requests): readonly DeliveryFields[] {
    for (const [id, request] of requests) this.#attacker.learnShare(id, request);
    this.#dealt ??= this.#deal(requests);
    this.#towardsAlice ??= this.#answer(requests);
    const request = this.#dealt?.requests.get(nodeId);
    return request === undefined ? [] : [{ ...request, granted: GRANTED }];
  }

  begin(): readonly Carried[] {
    return this.#towardsAlice === undefined ? [] : [{ to: 'alice', message: this.#towardsAlice.output }];
  }

  carry({ to, message: bytes }: Carried): readonly Carried[] {
    const { context } = this.#attacker;
    const message = decodePairMessage(bytes);
    if (to === 'alice' && message.kind === 'response' && this.#dealt !== undefined) {
      const { state } = this.#dealt;
      const step = attempt(() => receiveResponse(context, state, {}, bytes));
      if (step === undefined) return [{ to, message: bytes }];
      this.#attacker.learnKey(step.state.key);
      return [{ to: 'bob', message: step.output }];
    }
    if (to === 'bob' && message.kind === 'confirm' && this.#towardsAlice !== undefined) {
      const { state } = this.#towardsAlice;
      const step = attempt(() => receiveConfirm(state, [], bytes));
      return [step === undefined ? { to, message: bytes } : { to: 'alice', message: step.output }];
    }
    return message.kind === 'refuse' ? [] : [{ to, message: bytes }];
  }

  /** PAIR-1 in Alice's name. */
  #deal(requests: Requests): { state: PairRequested; requests: Requests } | undefined {
    const { context, continuity } = this.#attacker;
    const header = headerOf(this.#attacker, requests);
    if (header === undefined) return undefined;
    const { kem, ...suite } = context.suites.get(header.suiteId);
    const threshold = this.#options.threshold === 'asked' ? header.threshold : this.#options.threshold;
    const newest = continuity.at(-1);
    const { state, output } = startNegotiation(
      context,
      { ...header, threshold, continuity: newest === undefined ? {} : { newest } },
      {
        split: this.#random(32),
        coefficients: this.#random(coefficientLength(threshold)),
        ...(header.ephemeralKeyHash && { seed: this.#random(kem.seedLength) }),
      },
    );
    const own = decodeHeader(context, state.header);
    const shown = this.#options.copyOffers ? { ...own, offers: header.offers } : own;
    const bytes = encodeHeader(context, shown);
    return {
      state: { ...state, header: bytes, headerHash: suite.hash(bytes) },
      requests: new Map(output.map((one) => [one.nodeId, { ...one, header: bytes }])),
    };
  }

  /** PAIR-6, PAIR-7 in Bob's name. */
  #answer(requests: Requests): { state: PairResponded; output: Uint8Array } | undefined {
    const { context, continuity } = this.#attacker;
    const header = headerOf(this.#attacker, requests);
    const [first] = requests.values();
    if (header === undefined || first === undefined) return undefined;
    const suite = context.suites.get(header.suiteId);
    const places = header.nodes.map((nodeId, i) => ({ nodeId, place: i + 1, request: requests.get(nodeId) }));
    const held = places.filter(({ request }) => request !== undefined);
    const lacking = places.filter(({ request }) => request === undefined);
    const used = [...held, ...lacking].slice(0, Math.max(held.length, header.threshold));
    const deliveries = used
      .toSorted((a, b) => a.place - b.place)
      .map(({ nodeId, place, request }): CheckedDelivery => ({
        nodeId,
        place,
        header,
        headerBytes: first.header,
        headerHash: suite.hash(first.header),
        share: Secret.of('Share', request?.share.slice() ?? this.#random(32)),
        ephemeralKey: first.ephemeralKey,
        granted: GRANTED,
      }));
    const floors = {
      deviceId: header.responder,
      nodes: header.nodes,
      minimumNodes: 2,
      minimumThreshold: 2,
      minimumDescriptorVersion: 0,
      allowedSuites: [header.suiteId],
      requireDirectKem: false,
      firstContactAll: false,
    };
    const own = continuity.map(({ id, suiteId, secret }) => ({ id, suiteId, secret, confirmed: true }));
    const random = { nonce: this.#random(32), coins: this.#random(suite.kem.coinsLength) };
    const { state, output } = respond(context, floors, deliveries, own, random);
    if (state.kind !== 'responded') return undefined;
    this.#attacker.learnKey(state.key);
    return { state, output };
  }
}

/**
 * Changes one thing at a time, and passes the true one on behind it: another share, another KEM key beside the header,
 * a header with a KEM key and commitments of its own; and in the response, a ciphertext and a choice of its own.
 */
export class Tampering implements Strategy {
  readonly #attacker: Attacker;
  readonly #random: Random;

  constructor(attacker: Attacker, random: Random) {
    this.#attacker = attacker;
    this.#random = random;
  }

  deliver(nodeId: string, requests: Requests): readonly DeliveryFields[] {
    const request = requests.get(nodeId);
    const header = headerOf(this.#attacker, requests);
    if (request === undefined || header === undefined) return [];
    const { context } = this.#attacker;
    const suite = context.suites.get(header.suiteId);
    for (const [id, one] of requests) this.#attacker.learnShare(id, one);
    const share = this.#random(32);
    const own = suite.kem.keygen(this.#random(suite.kem.seedLength));
    this.#attacker.breakKem((publicKey) =>
      equalConstantTime(publicKey, own.publicKey) ? own.secretKey : undefined,
    );
    const place = header.nodes.indexOf(nodeId);
    const altered = encodeHeader(context, {
      ...header,
      commitments: header.commitments.map((commitment, i) =>
        i === place ? shareCommitment(suite, header.keyId, place + 1, share) : commitment,
      ),
      ephemeralKeyHash: ephemeralKeyHash(suite, own.publicKey),
    });
    const honest = { ...request, granted: GRANTED };
    const forged = { ...honest, header: altered, share, ephemeralKey: own.publicKey };
    this.#attacker.learnShare(nodeId, forged);
    return [{ ...honest, share }, { ...honest, ephemeralKey: own.publicKey }, forged, honest];
  }

  begin(): readonly Carried[] {
    return [];
  }

  carry(carried: Carried): readonly Carried[] {
    const message = decodePairMessage(carried.message);
    if (message.kind !== 'response') return [carried];
    const { continuityId: _, ...withoutContinuity } = message;
    const ciphertext = this.#random(message.ciphertext.length);
    const changed = [withoutContinuity, { ...message, ciphertext }].map((response) => ({
      to: carried.to,
      message: encodePairMessage(response),
    }));
    return [...changed, carried];
  }
}

function headerOf(attacker: Attacker, requests: Requests): ReturnType<typeof decodeHeader> | undefined {
  const [first] = requests.values();
  return first && decodeHeader(attacker.context, first.header);
}
