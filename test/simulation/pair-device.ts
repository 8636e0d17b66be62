import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  MAX_IN_FLIGHT,
  checkDelivery,
  coefficientLength,
  decodePairMessage,
  nodeRequests,
  quorum,
  receiveConfirm,
  receivePairAcknowledge,
  receiveRefusal,
  receiveResponse,
  requestSecrets,
  respond,
  startNegotiation,
} from '@symmetra/protocol';
import type {
  CheckedDelivery,
  NodeRequest,
  PairConfirmed,
  PairRequested,
  PairResponded,
  ProtocolContext,
  ResponderFloors,
} from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { NODE_IDS } from './node-identity.js';
import { decodeDelivery, deviceIdOfName, encodeRequest, protect, unprotect } from './pair-channel.js';
import type { InRow, OutRow, PairGoal, PairWitness, PeerRow } from './pair-rows.js';

/** A request is given up first, a half-confirmed key of the responder next, one of the initiator last. */
const REQUEST_TICKS = 100;
const RESPONDED_TICKS = 350;
const CONFIRMED_TICKS = 500;

export function pairDevice(
  context: ProtocolContext,
  suite: Suite,
  peer: string,
  goal: Readonly<PairGoal>,
  witness: PairWitness,
): Boot {
  return (process) => new PairDevice(context, suite, peer, goal, witness, process);
}

class PairDevice implements Actor {
  readonly #context: ProtocolContext;
  readonly #suite: Suite;
  readonly #peer: string;
  readonly #goal: Readonly<PairGoal>;
  readonly #witness: PairWitness;
  readonly #process: SimulatedProcess;
  readonly #floors: ResponderFloors;
  /** The peer no longer shares a continuity secret: nothing is begun until the user has it forgotten. */
  #estranged = false;
  readonly #deliveries = new Map<string, CheckedDelivery[]>();

  constructor(
    context: ProtocolContext,
    suite: Suite,
    peer: string,
    goal: Readonly<PairGoal>,
    witness: PairWitness,
    process: SimulatedProcess,
  ) {
    this.#context = context;
    this.#suite = suite;
    this.#peer = peer;
    this.#goal = goal;
    this.#witness = witness;
    this.#process = process;
    this.#floors = {
      deviceId: deviceIdOfName(process.name),
      nodes: NODE_IDS,
      minimumNodes: 3,
      minimumThreshold: 2,
      minimumDescriptorVersion: 1,
      allowedSuites: [suite.id],
      requireDirectKem: false,
      firstContactAll: false,
    };
  }

  get #row(): PeerRow {
    return this.#process.get<PeerRow>('peer') ?? { continuity: {}, held: [] };
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    if (type === 'delivery') this.#delivery(from, unprotect(body));
    else if (type === 'pair') this.#pairMessage(body);
    else throw unknownFrame(type);
  }

  #pairMessage(body: Uint8Array): void {
    const message = decodePairMessage(body);
    const id = toHex(message.keyId);
    const own = this.#process.get<OutRow>(`out/${id}`);
    const other = this.#process.get<InRow>(`in/${id}`);
    if (message.kind === 'confirm') this.#confirm(id, other, body);
    else if (own?.state.kind === 'requested' && message.kind === 'response') {
      this.#response(id, own.state, body);
    } else if (own?.state.kind === 'requested' && message.kind === 'refuse') {
      const code = receiveRefusal(this.#context, own.state, message);
      this.#giveUp(id, own.state, code);
    } else if (own?.state.kind === 'confirmed') this.#answered(id, own.state, body);
  }

  /** PAIR-8. */
  #response(id: string, state: PairRequested, body: Uint8Array): void {
    const row = this.#row;
    try {
      const step = receiveResponse(this.#context, state, row.continuity, body);
      this.#process.commit({
        writes: {
          [`out/${id}`]: { since: this.#process.now, state: step.state } satisfies OutRow,
          peer: { ...row, continuity: step.continuity },
        },
        sends: [{ to: this.#peer, frame: frame('pair', step.output) }],
        wipes: step.consumed,
      });
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'CONTINUITY_REQUIRED') {
        this.#giveUp(id, state, error.code);
      }
      throw error;
    }
  }

  #giveUp(id: string, state: PairRequested, code: string): void {
    this.#witness.refused(state, code, this.#row.continuity);
    this.#estranged ||= code === 'CONTINUITY_REQUIRED' && state.offered.length > 0;
    this.#process.commit({ writes: { [`out/${id}`]: undefined }, wipes: requestSecrets(state) });
  }

  /** The response again gets the confirmation again; the acknowledgement ends the run (PAIR-9). */
  #answered(id: string, state: PairConfirmed, body: Uint8Array): void {
    if (equalConstantTime(body, state.response)) {
      this.#witness.note('initiator:response repeated');
      this.#process.send(this.#peer, frame('pair', state.confirm));
      return;
    }
    const row = this.#row;
    const step = receivePairAcknowledge(state, row.continuity, body);
    this.#process.commit({
      writes: {
        [`out/${id}`]: { since: this.#process.now, state: step.state } satisfies OutRow,
        peer: { ...row, continuity: step.continuity },
      },
      wipes: step.consumed,
    });
  }

  /** PAIR-9. */
  #confirm(id: string, known: InRow | undefined, body: Uint8Array): void {
    if (known === undefined || known.state.kind === 'refused') return;
    const row = this.#row;
    const step = receiveConfirm(known.state, row.held, body);
    const acknowledge = { to: this.#peer, frame: frame('pair', step.output) };
    if (step.state === known.state) {
      this.#witness.note('responder:confirmation repeated');
      this.#process.send(acknowledge.to, acknowledge.frame);
      return;
    }
    this.#process.commit({
      writes: {
        [`in/${id}`]: { since: this.#process.now, state: step.state } satisfies InRow,
        peer: { ...row, held: step.held },
      },
      sends: [acknowledge],
      wipes: step.consumed,
    });
  }

  /** PAIR-5 to PAIR-7. */
  #delivery(nodeId: string, body: Uint8Array): void {
    const delivery = checkDelivery(this.#context, this.#floors, nodeId, decodeDelivery(body));
    const { keyId } = delivery.header;
    const id = toHex(keyId);
    const taken = { to: nodeId, frame: frame('delivered', protect(keyId)) };
    if (this.#process.get<InRow>(`in/${id}`)) {
      this.#process.send(taken.to, taken.frame);
      return;
    }
    const all = [...(this.#deliveries.get(id) ?? []).filter((one) => one.nodeId !== nodeId), delivery];
    this.#deliveries.set(id, all);
    const waits = (this.#process.random(1)[0] as number) < 128;
    if (!waits) this.#respondWhenEnough(id);
  }

  #respondWhenEnough(id: string): void {
    const all = this.#deliveries.get(id) ?? [];
    const enough = quorum(all);
    if (enough === undefined) return;
    if (enough.length < all.length) this.#witness.note('responder:a header that differs');
    this.#respond(id, enough);
  }

  #respond(id: string, deliveries: readonly CheckedDelivery[]): void {
    const row = this.#row;
    const random = {
      nonce: this.#process.random(32),
      coins: this.#process.random(this.#suite.kem.coinsLength),
    };
    const step = respond(this.#context, this.#floors, deliveries, row.held, random);
    this.#deliveries.delete(id);
    const keyId = deliveries[0]?.header.keyId ?? new Uint8Array(0);
    this.#process.commit({
      writes: {
        [`in/${id}`]: { since: this.#process.now, state: step.state } satisfies InRow,
        peer: { ...row, held: step.held },
      },
      sends: [
        { to: this.#peer, frame: frame('pair', step.output) },
        ...deliveries.map(({ nodeId }) => ({ to: nodeId, frame: frame('delivered', protect(keyId)) })),
      ],
      wipes: step.consumed,
    });
  }

  tick(): void {
    for (const id of this.#deliveries.keys()) this.#respondWhenEnough(id);
    for (const name of this.#process.names('out/')) this.#tickOut(name);
    for (const name of this.#process.names('in/')) this.#tickIn(name);
    if (!this.#estranged) this.#beginMore();
  }

  #beginMore(): void {
    const open = this.#outRows().filter(({ state }) => state.kind !== 'finished').length;
    const done = this.#outRows().length - open;
    const wanted = Math.min(this.#goal.inFlight, this.#goal.complete - done, MAX_IN_FLIGHT);
    for (let i = open; i < wanted; i++) this.#begin();
  }

  #tickOut(name: string): void {
    const { since, state } = this.#process.get<OutRow>(name) as OutRow;
    const age = this.#process.now - since;
    if (state.kind === 'requested' && age > REQUEST_TICKS) {
      this.#witness.note('initiator:requested>given up');
      this.#process.commit({ writes: { [name]: undefined }, wipes: requestSecrets(state) });
    } else if (state.kind === 'requested') {
      for (const { to, frame: bytes } of this.#requests(nodeRequests(this.#context, state))) {
        this.#process.send(to, bytes);
      }
    } else if (state.kind === 'confirmed' && age > CONFIRMED_TICKS) {
      this.#witness.note('initiator:confirmed>expired');
      this.#process.commit({ writes: { [name]: undefined }, wipes: halfConfirmed(state) });
    } else if (state.kind === 'confirmed') {
      this.#process.send(this.#peer, frame('pair', state.confirm));
    }
  }

  #tickIn(name: string): void {
    const { since, state } = this.#process.get<InRow>(name) as InRow;
    if (state.kind !== 'responded') return;
    if (this.#process.now - since > RESPONDED_TICKS) {
      this.#witness.note('responder:responded>expired');
      this.#process.commit({ writes: { [name]: undefined }, wipes: halfConfirmed(state) });
    } else {
      this.#process.send(this.#peer, frame('pair', state.response));
    }
  }

  /** PAIR-1, PAIR-2. */
  #begin(): void {
    const direct = (this.#process.random(1)[0] as number) % 4 !== 0;
    const keyId = this.#process.random(16);
    const step = startNegotiation(
      this.#context,
      {
        suiteId: this.#suite.id,
        initiator: deviceIdOfName(this.#process.name),
        responder: deviceIdOfName(this.#peer),
        keyId,
        purpose: 'simulation',
        keyLength: 32,
        limits: { lifetimeSeconds: 600, uses: 0 },
        threshold: 2,
        nodes: NODE_IDS,
        descriptorVersion: 1,
        policyRevision: 1,
        continuity: this.#row.continuity,
      },
      {
        split: this.#process.random(32),
        coefficients: this.#process.random(coefficientLength(2)),
        ...(direct && { seed: this.#process.random(this.#suite.kem.seedLength) }),
      },
    );
    this.#process.commit({
      writes: { [`out/${toHex(keyId)}`]: { since: this.#process.now, state: step.state } satisfies OutRow },
      sends: this.#requests(step.output),
      wipes: step.consumed,
    });
  }

  #requests(requests: readonly NodeRequest[]): readonly { to: string; frame: Uint8Array }[] {
    return requests.map((request) => ({
      to: request.nodeId,
      frame: frame('request', protect(encodeRequest(request))),
    }));
  }

  #outRows(): readonly OutRow[] {
    return this.#process.names('out/').map((name) => this.#process.get<OutRow>(name) as OutRow);
  }

  idle(): boolean {
    const rows = this.#outRows();
    const answered = this.#process.names('in/').map((name) => this.#process.get<InRow>(name)?.state.kind);
    return (
      rows.length >= this.#goal.complete &&
      rows.every(({ state }) => state.kind === 'finished') &&
      answered.every((kind) => kind !== 'responded')
    );
  }
}

/** The secrets of a key that was never confirmed by both ends. */
function halfConfirmed({ key, continuity }: PairConfirmed | PairResponded): readonly { wipe(): void }[] {
  return [key.applicationKey, key.tlsKey, continuity.secret];
}
