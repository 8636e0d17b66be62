import { signatureKeygen } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  encodeDescriptor,
  encodeEvent,
  encodeState,
  encodeToken,
  issueChallenge,
  openSession,
  proveState,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  receiveOpen,
  receiveR3,
  startEnrolment,
  startStep,
} from '@symmetra/protocol';
import type {
  ChainStepping,
  CheckedDelivery,
  EnrolmentConfirming,
  EnrolmentOffered,
  NodeChain,
  NodeRequest,
  PairConfirmed,
  PairRequested,
  PairResponded,
  ProtocolContext,
  SessionEnd,
  SessionOpening,
  TokenRecord,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import * as fc from 'fast-check';
import { Couple } from '../scenario/protocol-couple.js';
import {
  AMSTERDAM,
  BERN,
  CONTEXT,
  HOUR_MS,
  NETWORK_ID,
  SUITES,
  enrolmentRules,
  enrolmentStart,
  freshRecord,
  fullStep,
  halfStep,
  kemRandom,
  newChain,
  publicKeyOf,
  stepRandom,
  stepRequest,
  tokenSecret,
} from '../scenario/protocol-world.js';
import type { HalfStep } from '../scenario/protocol-world.js';

const prng = new Prng('corpus');

/** Valid bytes with one to four places changed, a piece cut out or put in, or the end moved. */
export function mutated(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 12 }), put: fc.uint8Array({ maxLength: 12 }) });
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([bytes, edits]) =>
      edits.reduce((all, { at, cut, put }) => {
        const start = at % (all.length + 1);
        return Uint8Array.from([...all.subarray(0, start), ...put, ...all.subarray(start + cut)]);
      }, bytes),
    );
}

/** States that wait for a message, and the messages that they wait for. */
export interface FuzzWorld {
  readonly suite: Suite;
  readonly offered: EnrolmentOffered;
  readonly record: TokenRecord;
  readonly reserved: TokenRecord;
  readonly confirming: EnrolmentConfirming;
  readonly stepping: ChainStepping;
  readonly half: HalfStep;
  readonly committed: NodeChain;
  readonly opening: SessionOpening;
  readonly session: SessionEnd;
  readonly sealed: { readonly seq: number; readonly ciphertext: Uint8Array };
  readonly couple: Couple;
  readonly requests: readonly NodeRequest[];
  readonly requested: PairRequested;
  readonly deliveries: readonly CheckedDelivery[];
  readonly responded: PairResponded;
  readonly confirmed: PairConfirmed;
  readonly messages: Readonly<Record<string, Uint8Array>>;
}

export const METHOD = '/symmetra.pairwise.v1.PairwiseService/Request';

/** One run of every flow under a suite, stopped before each message. */
export function fuzzWorld(suite: Suite): FuzzWorld {
  const start = enrolmentStart(AMSTERDAM, suite, 'alice');
  const offered = startEnrolment(CONTEXT, start, kemRandom(suite, 'alice'));
  const record = freshRecord(AMSTERDAM);
  const random = { nonce: prng.bytes(32), coins: kemRandom(suite, 'node').coins };
  const reserved = receiveOffer(CONTEXT, enrolmentRules(AMSTERDAM), record, offered.output, 0, random);
  const confirming = receiveAnswer(CONTEXT, offered.state, reserved.output);
  const spent = receiveConfirmation(reserved.state, confirming.output);

  const half = halfStep(newChain(suite), suite, 'alice');
  const started = startStep(CONTEXT, newChain(suite).device, stepRequest(suite), stepRandom(suite, 'alice'));
  if (started.state.kind !== 'stepping') throw new Error('the step begins');
  const committed = receiveR3(CONTEXT, half.node, half.r3);
  const ends = fullStep(newChain(suite), suite, 'alice');
  const opening = openSession(CONTEXT, ends.device, prng.bytes(32));
  const grant = { entropy: prng.bytes(32), lifetimeSeconds: 60, maxMessages: 1_000_000, clockMs: 1 };
  const ids = { sessionId: prng.bytes(16), nonce: prng.bytes(32) };
  const answered = receiveOpen(CONTEXT, ends.node, opening.output.open, grant, ids);
  if (answered.output.kind !== 'opened') throw new Error('the session opens');
  const challenge = issueChallenge(committed.state, prng.bytes(32));

  const couple = new Couple(suite);
  couple.complete();
  const begun = couple.begin({});
  const deliveries = couple.deliver(begun.output);
  const responded = couple.respond(deliveries);
  if (responded.state.kind !== 'responded') throw new Error('the responder answers');
  const confirmed = couple.confirm(begun.state, responded.output);
  const held = couple.hold(responded.state, confirmed.output);
  const refusing = couple.begin({ changed: { continuity: {} } });
  const refused = couple.respond(couple.deliver(refusing.output));

  return {
    suite,
    offered: offered.state,
    record,
    reserved: reserved.state,
    confirming: confirming.state,
    stepping: started.state,
    half,
    committed: committed.state,
    opening: opening.output,
    session: answered.output.session,
    sealed: answered.output.session.seal(METHOD, prng.bytes(20)),
    couple,
    requests: begun.output,
    requested: begun.state,
    deliveries,
    responded: responded.state,
    confirmed: confirmed.state,
    messages: {
      offer: offered.output,
      answer: reserved.output,
      confirmation: confirming.output,
      acknowledgement: spent.output.acknowledgement,
      r1: half.r1,
      r2: half.r2,
      r3: half.r3,
      r4: committed.output,
      proof: proveState(CONTEXT, half.device, challenge.nonce),
      open: opening.output.open,
      sessionAnswer: answered.output.answer,
      header: begun.state.header,
      response: responded.output,
      confirm: confirmed.output,
      acknowledge: held.output,
      refusal: refused.output,
    },
  };
}

function descriptor(): Uint8Array {
  const keys = [0, 1].map(() => signatureKeygen(prng.bytes(32)).publicKey) as [Uint8Array, Uint8Array];
  return encodeDescriptor({
    networkId: NETWORK_ID,
    version: 4,
    nodes: [AMSTERDAM, BERN].map((node) => ({
      id: node.nodeId,
      addresses: ['127.0.0.1:7401'],
      kemKeys: SUITES.map((suite) => ({ suiteId: suite.id, publicKey: publicKeyOf(node, suite.id) })),
      signingKey: keys[0],
      operator: 'somebody',
    })),
    suites: [1, 2, 3],
    threshold: 2,
    administrators: [keys[1]],
    administratorThreshold: 1,
  });
}

function events(): readonly Uint8Array[] {
  const event = { networkId: NETWORK_ID, number: 1, previousHash: EMPTY_LOG.hash, timeMs: 1 };
  return [
    encodeEvent({ ...event, body: { kind: 'policy', policy: DEFAULT_POLICY } }),
    encodeEvent({ ...event, body: { kind: 'device-revoke', deviceId: prng.bytes(32), reason: 'stolen' } }),
    encodeEvent({ ...event, body: { kind: 'key-revoke', keyId: prng.bytes(16), reason: '' } }),
    encodeEvent({
      ...event,
      body: {
        kind: 'token-create',
        tokenId: prng.bytes(16),
        account: 'household',
        uses: 3,
        expiresMs: 9,
        tags: [{ key: 'room', value: 'kitchen' }],
        secrets: [{ nodeId: 'bern', ciphertext: prng.bytes(9), sealed: prng.bytes(9) }],
      },
    }),
  ];
}

function corpus(): {
  context: ProtocolContext;
  token: string;
  messages: Record<string, readonly Uint8Array[]>;
} {
  const worlds = SUITES.map(fuzzWorld);
  const names = Object.keys(worlds[0]?.messages ?? {});
  const states = worlds.flatMap((world) => [
    world.offered,
    world.reserved,
    world.half.device,
    world.half.node,
  ]);
  return {
    context: CONTEXT,
    token: encodeToken({
      networkId: NETWORK_ID,
      secret: tokenSecret(),
      rootKeyHash: prng.bytes(32),
      hints: ['127.0.0.1:7401'],
      expiresMs: HOUR_MS,
    }),
    messages: {
      ...Object.fromEntries(
        names.map((name) => [name, worlds.map(({ messages }) => messages[name] as Uint8Array)]),
      ),
      descriptor: [descriptor()],
      event: events(),
      state: states.map((state) => encodeState(state)),
    },
  };
}

/** Valid messages of every kind and suite, by their names. */
export const CORPUS = corpus();
