import { SymmetraError } from '@symmetra/crypto';
import {
  approve,
  checkDelivery,
  decodePairMessage,
  encodeState,
  issueChallenge,
  judgeProof,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirm,
  receiveConfirmation,
  receiveOffer,
  receiveOpen,
  receivePairAcknowledge,
  receiveR1,
  receiveR2,
  receiveR3,
  receiveR4,
  receiveRefusal,
  receiveResponse,
  receiveSessionAnswer,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AMSTERDAM,
  CONTEXT,
  STEP_RULES,
  SUITES,
  enrolmentRules,
  r2Random,
} from '../scenario/protocol-world.js';
import { floorsOf, rulesOf } from '../scenario/protocol-couple.js';
import { effort } from './effort.js';
import { METHOD, fuzzWorld, mutated } from './protocol-corpus.js';
import type { FuzzWorld } from './protocol-corpus.js';

const RUNS = 60;
const prng = new Prng('fuzz');

/** Every code that a handler of the protocol may refuse a message with. */
const CODES = new Set([
  'AUTHENTICATION_FAILED',
  'BAD_ENCODING',
  'BAD_HEADER',
  'BAD_KEM_CIPHERTEXT',
  'BAD_KEM_KEY',
  'BAD_LIMITS',
  'BELOW_FLOOR',
  'EPHEMERAL_KEY_MISMATCH',
  'INITIATOR_MISMATCH',
  'MESSAGE_REPLAYED',
  'NOT_IN_NODE_SET',
  'PURPOSE_FORBIDDEN',
  'RESERVATION_UNKNOWN',
  'RESPONDER_MISMATCH',
  'SESSION_EXHAUSTED',
  'SHARE_MISMATCH',
  'SUITE_FORBIDDEN',
  'SUITE_UNKNOWN',
  'DESCRIPTOR_OLD',
  'WRONG_NETWORK',
  'WRONG_NODE',
  'WRONG_VERSION',
]);

/** A handler: the messages it waits for, the state it must not change, and one call. */
interface Handler {
  readonly valid: readonly Uint8Array[];
  readonly states: readonly object[];
  receive(bytes: Uint8Array): unknown;
  /** Whether a result is nothing new: an answer that was given before, or a challenge that changes nothing. */
  harmless?(result: unknown): boolean;
}

function handlers(w: FuzzWorld): Readonly<Record<string, Handler>> {
  const { messages, suite, couple } = w;
  const rules = enrolmentRules(AMSTERDAM);
  const coins = prng.bytes(suite.kem.coinsLength);
  const { stepping } = w;
  const challenge = issueChallenge(w.committed, prng.bytes(32));
  const grant = { entropy: prng.bytes(32), lifetimeSeconds: 60, maxMessages: 10, clockMs: 1 };
  const one = (name: string): readonly Uint8Array[] => [messages[name] as Uint8Array];
  const [request] = w.requests;
  const [delivery] = w.deliveries;
  if (request === undefined || delivery === undefined) throw new Error('there are requests and deliveries');
  return {
    offer: {
      valid: one('offer'),
      states: [w.record, w.reserved],
      receive: (bytes) =>
        receiveOffer(CONTEXT, rules, w.reserved, bytes, 0, { nonce: prng.bytes(32), coins }),
    },
    answer: {
      valid: one('answer'),
      states: [w.offered, w.confirming],
      receive: (bytes) => receiveAnswer(CONTEXT, w.offered, bytes),
    },
    confirmation: {
      valid: one('confirmation'),
      states: [w.reserved],
      receive: (bytes) => receiveConfirmation(w.reserved, bytes),
    },
    acknowledgement: {
      valid: one('acknowledgement'),
      states: [w.confirming],
      receive: (bytes) => receiveAcknowledgement(w.confirming, bytes),
    },
    r1: {
      valid: one('r1'),
      states: [w.half.node],
      receive: (bytes) => receiveR1(CONTEXT, w.half.node, STEP_RULES, bytes, r2Random(suite, 'fuzz')),
    },
    r2: {
      valid: one('r2'),
      states: [stepping],
      receive: (bytes) => receiveR2(CONTEXT, stepping, bytes),
    },
    r3: {
      valid: one('r3'),
      states: [w.half.node],
      receive: (bytes) => receiveR3(CONTEXT, w.half.node, bytes),
    },
    r4: { valid: one('r4'), states: [w.half.device], receive: (bytes) => receiveR4(w.half.device, bytes) },
    proof: {
      valid: one('proof'),
      states: [w.committed],
      receive: (bytes) => judgeProof(CONTEXT, w.committed, challenge, bytes),
    },
    open: {
      valid: one('open'),
      states: [w.committed],
      receive: (bytes) =>
        receiveOpen(CONTEXT, w.committed, bytes, grant, { sessionId: prng.bytes(16), nonce: prng.bytes(32) }),
    },
    'session answer': {
      valid: one('sessionAnswer'),
      states: [{ master: w.opening.master }],
      receive: (bytes) => receiveSessionAnswer(CONTEXT, w.opening, bytes),
    },
    'sealed message': {
      valid: [w.sealed.ciphertext],
      states: [{ remaining: w.session.remaining }],
      receive: (bytes) => w.session.open(METHOD, { seq: w.sealed.seq, ciphertext: bytes }),
    },
    'request at a node': {
      valid: [request.header],
      states: [],
      receive: (header) =>
        approve(CONTEXT, rulesOf(suite, 'amsterdam'), couple.alice, { ...request, header }),
      harmless: fitsItself,
    },
    delivery: {
      valid: [delivery.headerBytes],
      states: [],
      receive: (header) =>
        checkDelivery(CONTEXT, floorsOf(suite, couple.bob), 'amsterdam', {
          header,
          share: request.share,
          ephemeralKey: request.ephemeralKey,
          granted: delivery.granted,
        }),
      harmless: fitsItself,
    },
    response: {
      valid: one('response'),
      states: [w.requested],
      receive: (bytes) => receiveResponse(CONTEXT, w.requested, couple.continuity, bytes),
    },
    confirm: {
      valid: one('confirm'),
      states: [w.responded, { held: couple.held }],
      receive: (bytes) => receiveConfirm(w.responded, couple.held, bytes),
    },
    acknowledge: {
      valid: one('acknowledge'),
      states: [w.confirmed],
      receive: (bytes) => receivePairAcknowledge(w.confirmed, couple.continuity, bytes),
    },
    refusal: {
      valid: one('refusal'),
      states: [w.requested],
      receive: (bytes) => {
        const message = decodePairMessage(bytes);
        if (message.kind !== 'refuse') throw new SymmetraError('BAD_ENCODING', 'this is no refusal');
        return receiveRefusal(CONTEXT, w.requested, message);
      },
    },
  };
}

/** Nothing protects a header but the session that it came through, and the agreement of k nodes. */
const fitsItself = (): boolean => true;

describe.each(SUITES)('handlers under suite $id', (suite) => {
  const world = fuzzWorld(suite);

  test.each(Object.entries(handlers(world)))(
    '%s: arbitrary and damaged bytes are refused, and change nothing',
    (_, handler) => {
      const before = handler.states.map(snapshot);
      const bytes = fc.oneof(
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
        { weight: 5, arbitrary: mutated(handler.valid) },
      );
      fc.assert(
        fc.property(bytes, (candidate) => {
          if (handler.valid.some((valid) => Buffer.from(valid).equals(candidate))) return;
          try {
            const result = handler.receive(candidate);
            expect(handler.harmless?.(result)).toBe(true);
          } catch (error) {
            if (!(error instanceof SymmetraError) || !CODES.has(error.code)) throw error;
          }
        }),
        effort(RUNS),
      );
      expect(handler.states.map(snapshot)).toEqual(before);
    },
  );
});

/** The state as it would be stored; a secret that was wiped can not be. */
function snapshot(state: object): string {
  return Buffer.from(encodeState(state)).toString('hex');
}
