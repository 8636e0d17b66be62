import { Secret, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  SessionEnd,
  decodeHeader,
  encodeHeader,
  encodePairMessage,
  issueChallenge,
  judgeProof,
  offered,
  openSession,
  proveState,
  quorum,
  receiveOpen,
  receiveR1,
  receiveR2,
  receiveR3,
  startStep,
} from '@symmetra/protocol';
import type { PairResponse } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { REPLAY_WINDOW, ReplayWindow } from '../../packages/protocol/src/session/window.js';
import { pairSecrets, pairTranscriptHash } from '../../packages/protocol/src/pairwise/transcript.js';
import { Couple } from './protocol-couple.js';
import {
  CONTEXT,
  STEP_RULES,
  SUITES,
  codeOf,
  fullStep,
  newChain,
  r2Random,
  stepRandom,
  stepRequest,
} from './protocol-world.js';

const METHOD = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const NONE = new Uint8Array(0);
const prng = new Prng('edges');

test('SES-5: whatever came in between, each number is taken once, and none from behind the window', () => {
  const window = new ReplayWindow();
  const taken = new Set<number>();
  let newest = -1;
  for (let turn = 0; turn < 20_000; turn++) {
    const jump = prng.below(50) === 0 ? 2 * REPLAY_WINDOW : 3;
    const seq =
      prng.below(3) === 0
        ? newest + 1 + prng.below(jump)
        : Math.max(0, newest - prng.below(REPLAY_WINDOW + 20));
    const isNew = seq > newest - REPLAY_WINDOW && !taken.has(seq);
    expect(window.accepts(seq), `number ${seq} after ${newest}`).toBe(isNew);
    if (!isNew || prng.below(4) === 0) continue;
    window.mark(seq);
    taken.add(seq);
    newest = Math.max(newest, seq);
  }
  expect(newest).toBeGreaterThan(10 * REPLAY_WINDOW);
});

describe.each(SUITES)('under suite $id', (suite) => {
  test('ATK-6: a device that reveals another code nonce than it committed to is refused, for all its keys', () => {
    const { device, node } = newChain(suite);
    const started = startStep(CONTEXT, device, stepRequest(suite), stepRandom(suite, 'mallory'));
    const answered = receiveR1(CONTEXT, node, STEP_RULES, started.output, r2Random(suite, 'mallory'));
    if (answered.output.kind !== 'r2') throw new Error('R1 gets R2');
    const step = { ...started.state.step, codeNonce: prng.bytes(32) };
    const { output: r3 } = receiveR2(CONTEXT, { ...started.state, step }, answered.output.r2);
    expect(codeOf(() => receiveR3(CONTEXT, answered.state, r3))).toBe('AUTHENTICATION_FAILED');
  });

  test('ATK-8: within an epoch, whoever holds a place that the chain has left is found out', () => {
    const { device, node } = fullStep(newChain(suite), suite, 'alice');
    const opening = openSession(CONTEXT, device, prng.bytes(32));
    const grant = { entropy: prng.bytes(32), lifetimeSeconds: 60, maxMessages: 9, clockMs: 5 };
    const fresh = { sessionId: prng.bytes(16), nonce: prng.bytes(32) };
    const moved = receiveOpen(CONTEXT, node, opening.output.open, grant, fresh).state;
    const challenge = issueChallenge(moved, prng.bytes(32));
    const judge = (chain: typeof device): string =>
      judgeProof(CONTEXT, moved, challenge, proveState(CONTEXT, chain, challenge.nonce));
    expect(judge(opening.state)).toBe('current');
    expect(judge(device)).toBe('left');
  });

  test('ATK-9: an unconfirmed epoch that the node does not know accuses nobody who holds the current one', () => {
    const ends = fullStep(newChain(suite), suite, 'alice');
    const started = startStep(CONTEXT, ends.device, stepRequest(suite), stepRandom(suite, 'lost'));
    const answered = receiveR1(CONTEXT, ends.node, STEP_RULES, started.output, r2Random(suite, 'lost'));
    if (answered.output.kind !== 'r2') throw new Error('R1 gets R2');
    const { state: confirming } = receiveR2(CONTEXT, started.state, answered.output.r2);
    const challenge = issueChallenge(ends.node, prng.bytes(32));
    const proof = proveState(CONTEXT, confirming, challenge.nonce);
    expect(judgeProof(CONTEXT, ends.node, challenge, proof)).toBe('current');
    expect(judgeProof(CONTEXT, ends.node, { ...challenge, epoch: 2 }, proof)).toBe('left');
  });

  test('SES-5: every message of a direction has a nonce of its own', () => {
    const nonces: string[] = [];
    const watched: Suite = {
      ...suite,
      seal: (key, nonce, aad, plaintext) => {
        nonces.push(toHex(nonce));
        return suite.seal(key, nonce, aad, plaintext);
      },
    };
    const key = (): Secret<'DirectionKey'> => Secret.of('DirectionKey', prng.bytes(suite.keyLength));
    const end = new SessionEnd(CONTEXT, {
      end: 'device',
      suite: watched,
      sessionId: prng.bytes(16),
      sendKey: key(),
      receiveKey: key(),
      maxMessages: 70_000,
    });
    for (let i = 0; i < 600; i++) end.seal(METHOD, NONE);
    expect(new Set(nonces).size).toBe(600);
    expect(nonces[0]).toBe('00'.repeat(12));
    expect(nonces[258]).toBe(`${'00'.repeat(10)}0102`);
  });

  test('PAIR-5: deliveries under two headers are no quorum together', () => {
    const pair = new Couple(suite);
    const { output } = pair.begin({ direct: false });
    const honest = pair.deliver(output);
    const [first, second] = output;
    if (first === undefined || second === undefined) throw new Error('there are three nodes');
    const header = encodeHeader(CONTEXT, { ...decodeHeader(CONTEXT, second.header), purpose: 'front door' });
    const { granted } = pair.approve(first);
    const changed = pair.check(second.nodeId, { ...second, header, share: second.share.slice(), granted });
    expect(changed.place).toBe(2);
    expect(quorum([...honest.slice(0, 1), changed])).toBeUndefined();
    expect(quorum([changed, ...honest.slice(2), ...honest.slice(0, 1)])?.map(({ place }) => place)).toEqual([
      1, 3,
    ]);
  });

  test('PAIR-5: the newest secret and the one that is known to be confirmed are both offered, each once', () => {
    const entry = (id: Uint8Array) => ({
      id,
      suiteId: suite.id,
      secret: Secret.of('ContinuitySecret', prng.bytes(suite.hashLength)),
    });
    const [acknowledged, newest] = [entry(prng.bytes(16)), entry(prng.bytes(16))];
    expect(offered({})).toEqual([]);
    expect(offered({ newest })).toEqual([newest]);
    expect(offered({ acknowledged })).toEqual([acknowledged]);
    expect(offered({ acknowledged, newest })).toEqual([acknowledged, newest]);
    expect(offered({ acknowledged: entry(newest.id), newest })).toEqual([newest]);
  });

  test('PAIR-7: the continuity secret goes into the key: with another one in its place nothing verifies', () => {
    const pair = new Couple(suite);
    pair.complete();
    const { begun, output } = pair.answer();
    const others = begun.offered.map((entry) => ({
      ...entry,
      secret: Secret.of('ContinuitySecret', prng.bytes(suite.hashLength)),
    }));
    expect(others.length).toBeGreaterThan(0);
    expect(codeOf(() => pair.confirm({ ...begun, offered: others }, output))).toBe('AUTHENTICATION_FAILED');
    expect(pair.confirm(begun, output).state.key.continued).toBe(true);
  });

  test('PAIR-8: what was offered binds the negotiation, also when the initiator has forgotten the peer since', () => {
    const pair = new Couple(suite);
    pair.complete();
    const { state: begun, output } = pair.begin({ direct: false });
    const deliveries = pair.deliver(output);
    pair.held = [];
    const { output: response } = pair.respond(deliveries);
    pair.continuity = {};
    expect(begun.offered).toHaveLength(1);
    expect(codeOf(() => pair.confirm(begun, response))).toBe('CONTINUITY_REQUIRED');
  });

  test('PAIR-8: a peer that holds S can still not answer outside of what was asked', () => {
    const pair = new Couple(suite);
    const { state: begun } = pair.begin({ direct: false });
    const header = decodeHeader(CONTEXT, begun.header);
    const answer = (used: readonly number[], lifetimeSeconds = 60): string => {
      const unsigned: Omit<PairResponse, 'tag'> = {
        kind: 'response',
        keyId: header.keyId,
        ciphertext: NONE,
        nonce: prng.bytes(32),
        used,
        limits: { lifetimeSeconds, uses: 0 },
      };
      const th = pairTranscriptHash(suite, begun.header, unsigned);
      const inputs = { split: begun.split.bytes, direct: NONE, continuity: NONE };
      const { responderTag: tag } = pairSecrets(CONTEXT, suite, header, inputs, th);
      return codeOf(() => pair.confirm(begun, encodePairMessage({ ...unsigned, tag })));
    };
    for (const used of [[], [1], [3], [0, 1], [2, 1], [1, 1], [1, 4], [1, 2, 2]]) {
      expect(answer(used)).toBe('BAD_RESPONSE');
    }
    expect(answer([1, 3], 3601)).toBe('BAD_RESPONSE');
    expect(answer([1, 3], 0)).toBe('BAD_RESPONSE');
    expect(answer([1, 3], 3600)).toBe('done');
  });
});
