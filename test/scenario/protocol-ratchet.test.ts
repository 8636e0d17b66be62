import {
  DEFAULT_POLICY,
  abandonStep,
  commitPending,
  grantStage,
  inspectProof,
  inspectR1,
  inspectR3,
  issueChallenge,
  judgeProof,
  newestKeys,
  nodeCodePart,
  promotionCode,
  proveState,
  receiveR1,
  receiveR2,
  receiveR3,
  receiveR4,
  startStep,
} from '@symmetra/protocol';
import type { ChainStepping, NodeChain } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import {
  AMSTERDAM,
  CONTEXT,
  STEP_RULES,
  SUITES,
  codeOf,
  epochBytes,
  flipped,
  fullStep,
  halfStep,
  newChain,
  r2Random,
  stepRandom,
  stepRequest,
} from './protocol-world.js';

const CHALLENGE = new Prng('a challenge').bytes(32);

test('ATK-4: a stage is granted when it is the next one, and never an earlier one', () => {
  const policy = { ...DEFAULT_POLICY, stages: ['bootstrap', 'staging', 'production'] };
  expect(grantStage(policy, 'bootstrap', 'staging')).toBe('staging');
  expect(grantStage(policy, 'bootstrap', 'production')).toBe('bootstrap');
  expect(grantStage(policy, 'staging', 'bootstrap')).toBe('staging');
  expect(grantStage(policy, 'staging', 'staging')).toBe('staging');
  expect(grantStage(policy, 'retired', 'bootstrap')).toBe('retired');
  expect(grantStage(policy, 'staging', 'unheard of')).toBe('staging');
});

describe.each(SUITES)('ratchet under suite $id', (suite) => {
  const start = (name = 'alice', stage = 'production') =>
    startStep(CONTEXT, newChain(suite).device, stepRequest(suite, stage), stepRandom(suite, name));
  const answer = (node: NodeChain, r1: Uint8Array, name = 'answer', rules = STEP_RULES) =>
    receiveR1(CONTEXT, node, rules, r1, r2Random(suite, name));
  const r2Of = (step: ReturnType<typeof answer>): Uint8Array => {
    if (step.output.kind !== 'r2') throw new Error('R1 gets R2');
    return step.output.r2;
  };

  test('ATK-1 to ATK-7: a step brings both ends to the same next epoch, stage and suite', () => {
    for (const next of SUITES) {
      const before = newChain(suite);
      const after = fullStep(before, next, 'alice');
      expect(after.device.keys).toMatchObject({
        epoch: 1,
        stage: 'production',
        suiteId: next.id,
        counter: 0,
      });
      expect(after.node.keys).toMatchObject({ epoch: 1, stage: 'production', suiteId: next.id });
      expect(epochBytes(after.device)).toEqual(epochBytes(after.node));
      expect(epochBytes(after.device)).not.toEqual(epochBytes(before.device));
      const more = fullStep(after, suite, 'once more');
      expect(epochBytes(more.device)).toEqual(epochBytes(more.node));
      expect(more.node.previous?.epoch).toBe(1);
    }
  });

  test('ATK-2: one step at a time; one that is given up leaves nothing', () => {
    const { state, consumed } = start();
    expect(consumed).toEqual([]);
    const again = codeOf(() => startStep(CONTEXT, state, stepRequest(suite), stepRandom(suite, 'again')));
    expect(again).toBe('STEP_UNDER_WAY');
    const given = abandonStep(state);
    expect(given.state).toEqual({ kind: 'settled', parties: state.parties, keys: state.keys });
    const { staticSecret, ephemeralKey } = (state as ChainStepping).step;
    expect(given.consumed).toEqual([staticSecret, ephemeralKey]);
  });

  test('ATK-2: a step that is given up while an epoch waits for R4 keeps that epoch', () => {
    const { device } = halfStep(newChain(suite), suite, 'alice');
    const restepping = startStep(CONTEXT, device, stepRequest(suite), stepRandom(suite, 'again')).state;
    expect(restepping.kind).toBe('restepping');
    expect(abandonStep(restepping).state).toEqual(device);
  });

  test('ATK-3: R1 is refused without KEM work when it is for another node, changed, or of an unknown epoch', () => {
    const { node } = newChain(suite);
    const { output } = start();
    const elsewhere = { ...node, parties: { ...node.parties, nodeId: 'bern' } };
    const noKeys = { ...STEP_RULES, kemKeys: new Map() };
    expect(inspectR1(CONTEXT, output)).toMatchObject({
      nodeId: AMSTERDAM.nodeId,
      epoch: 0,
      nextSuiteId: suite.id,
    });
    expect(codeOf(() => answer(elsewhere, output))).toBe('WRONG_NODE');
    expect(codeOf(() => answer(node, flipped(output), 'x', noKeys))).toBe('AUTHENTICATION_FAILED');
    const far = { ...node, keys: { ...node.keys, epoch: 9 } };
    expect(codeOf(() => answer(far, output, 'x', noKeys))).toBe('AUTHENTICATION_FAILED');
    const other = { ...node, keys: { ...node.keys, suiteId: (suite.id % 3) + 1 } };
    expect(codeOf(() => answer(other, output, 'x', noKeys))).toBe('AUTHENTICATION_FAILED');
  });

  test('ATK-3: a suite that policy forbids is refused, at once and without a change', () => {
    const { node } = newChain(suite);
    const forbids = { ...STEP_RULES, allowedSuites: [1, 2, 3].filter((id) => id !== suite.id) };
    expect(codeOf(() => answer(node, start().output, 'x', forbids))).toBe('SUITE_FORBIDDEN');
    const hasNoKey = { ...STEP_RULES, kemKeys: new Map() };
    expect(codeOf(() => answer(node, start().output, 'x', hasNoKey))).toBe('SUITE_FORBIDDEN');
  });

  test("ATK-3: the node's own static key is no ephemeral key", () => {
    const random = { ...stepRandom(suite, 'mallory'), seed: AMSTERDAM.seed(suite) };
    const { output } = startStep(CONTEXT, newChain(suite).device, stepRequest(suite), random);
    expect(codeOf(() => answer(newChain(suite).node, output))).toBe('BAD_KEM_KEY');
  });

  test('ATK-4: the same R1 gets the same R2; a new one replaces the pending epoch and hands its keys back', () => {
    const first = answer(newChain(suite).node, start('first').output, 'one');
    const repeated = answer(first.state, start('first').output, 'two');
    expect(repeated.state).toBe(first.state);
    expect(r2Of(repeated)).toEqual(r2Of(first));
    const replaced = answer(first.state, start('second').output, 'three');
    const pending = first.state.pending;
    expect(replaced.consumed).toEqual([
      pending?.keys.ratchetKey,
      pending?.keys.chainKey,
      pending?.keys.evidenceKey,
      pending?.confirmation.deviceKey,
    ]);
  });

  test('ATK-3: an R1 whose place another one took does not come back', () => {
    const first = answer(newChain(suite).node, start('first').output, 'one');
    const second = answer(first.state, start('second').output, 'two');
    const third = answer(second.state, start('third').output, 'three');
    for (const late of ['first', 'second']) {
      expect(codeOf(() => answer(third.state, start(late).output, 'four'))).toBe('MESSAGE_LATE');
    }
    expect(r2Of(answer(third.state, start('third').output, 'five'))).toEqual(r2Of(third));
  });

  test('ATK-5: R2 that was changed, or answers another R1, changes nothing', () => {
    const { state, output } = start();
    const r2 = r2Of(answer(newChain(suite).node, output));
    const receive = (bytes: Uint8Array): string => codeOf(() => receiveR2(CONTEXT, state, bytes));
    expect(receive(flipped(r2))).toBe('AUTHENTICATION_FAILED');
    expect(receive(flipped(r2, 40))).toBe('AUTHENTICATION_FAILED');
    expect(receive(r2.slice(0, 20))).toBe('BAD_ENCODING');
    expect(receive(r2Of(answer(newChain(suite).node, start('other').output)))).toBe('AUTHENTICATION_FAILED');
  });

  test('ATK-5: a stage that was not asked is refused', () => {
    const { state, output } = start('alice', 'bootstrap');
    const generous = { ...STEP_RULES, grantStage: () => 'production' };
    const r2 = r2Of(answer(newChain(suite).node, output, 'generous', generous));
    expect(codeOf(() => receiveR2(CONTEXT, state as ChainStepping, r2))).toBe('BAD_STAGE');
  });

  test('ATK-5: the newest epoch is used first; a second attempt keeps the first until it has R2', () => {
    const ends = newChain(suite);
    const { device, node } = halfStep(ends, suite, 'first');
    expect(newestKeys(device).epoch).toBe(1);
    const second = startStep(CONTEXT, device, stepRequest(suite), stepRandom(suite, 'second'));
    expect(newestKeys(second.state)).toBe(device.next.keys);
    const answered = answer(node, second.output, 'second');
    if (second.state.kind !== 'restepping') throw new Error('it begins anew under epoch 0');
    const confirming = receiveR2(CONTEXT, second.state, r2Of(answered));
    const { ratchetKey, chainKey, evidenceKey } = device.next.keys;
    expect(confirming.consumed).toEqual(expect.arrayContaining([ratchetKey, chainKey, evidenceKey]));
    const committed = receiveR3(CONTEXT, answered.state, confirming.output);
    expect(receiveR4(confirming.state, committed.output).state.keys.epoch).toBe(1);
  });

  test('ATK-6: R3 commits; one that was changed, or is for another place, does not', () => {
    const { node, r3, device } = halfStep(newChain(suite), suite, 'alice');
    expect(inspectR3(CONTEXT, r3)).toMatchObject({ nodeId: 'amsterdam', deviceId: device.parties.deviceId });
    const elsewhere = { ...node, parties: { ...node.parties, nodeId: 'bern' } };
    const another = { ...node, parties: { ...node.parties, deviceId: new Uint8Array(32) } };
    expect(codeOf(() => receiveR3(CONTEXT, elsewhere, r3))).toBe('WRONG_NODE');
    expect(codeOf(() => receiveR3(CONTEXT, another, r3))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => receiveR3(CONTEXT, node, flipped(r3)))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => receiveR3(CONTEXT, newChain(suite).node, r3))).toBe('AUTHENTICATION_FAILED');
    const committed = receiveR3(CONTEXT, node, r3);
    expect(committed.consumed).toEqual([node.keys.ratchetKey, node.keys.chainKey]);
    expect(committed.state.previous).toEqual({
      suiteId: suite.id,
      epoch: 0,
      evidenceKey: node.keys.evidenceKey,
    });
  });

  test('ATK-6: R1 under the pending epoch commits it; without one there is nothing to commit', () => {
    const { device, node } = halfStep(newChain(suite), suite, 'alice');
    const settled = receiveR4(device, device.next.ackTag).state;
    const next = startStep(CONTEXT, settled, stepRequest(suite), stepRandom(suite, 'next'));
    const answered = answer(node, next.output, 'next');
    expect(answered.state.keys.epoch).toBe(1);
    expect(answered.state.pending?.keys.epoch).toBe(2);
    expect(answered.consumed).toEqual([node.keys.ratchetKey, node.keys.chainKey]);
    expect(codeOf(() => commitPending(newChain(suite).node))).toBe('NO_PENDING_EPOCH');
  });

  test('ATK-7: a repeated R3 gets the same R4, and only R4 lets the device leave epoch e', () => {
    const { device, node, r3 } = halfStep(newChain(suite), suite, 'alice');
    const first = receiveR3(CONTEXT, node, r3);
    const again = receiveR3(CONTEXT, first.state, r3);
    expect(again.output).toEqual(first.output);
    expect(again.state.keys).toBe(first.state.keys);
    expect(codeOf(() => receiveR4(device, flipped(first.output)))).toBe('AUTHENTICATION_FAILED');
    const left = receiveR4(device, first.output);
    const { ratchetKey, chainKey, evidenceKey } = device.keys;
    expect(left.consumed).toEqual([ratchetKey, chainKey, evidenceKey]);
    const restepping = startStep(CONTEXT, device, stepRequest(suite), stepRandom(suite, 'again')).state;
    if (restepping.kind !== 'restepping') throw new Error('it begins anew');
    expect(receiveR4(restepping, first.output).consumed).toHaveLength(5);
  });

  test('ATK-8: the R1 that led here is late; another one from the epoch that was left is challenged', () => {
    const ends = newChain(suite);
    const half = halfStep(ends, suite, 'alice');
    const { state } = receiveR3(CONTEXT, half.node, half.r3);
    expect(codeOf(() => answer(state, half.r1))).toBe('MESSAGE_LATE');
    const challenged = answer(state, start('mallory').output);
    expect(challenged.output).toEqual({ kind: 'challenge' });
    expect(challenged.state).toBe(state);
  });

  test('ATK-9: a proof of the newest state accuses nobody, one of a state that was left does', () => {
    const old = newChain(suite);
    const half = halfStep(old, suite, 'alice');
    const node = receiveR3(CONTEXT, half.node, half.r3).state;
    const challenge = issueChallenge(node, CHALLENGE);
    const judge = (chain: typeof old.device, from = challenge): string =>
      judgeProof(CONTEXT, node, from, proveState(CONTEXT, chain, from.nonce));
    expect(judge(half.device)).toBe('current');
    expect(judge(old.device)).toBe('left');
    expect(judge(old.device, { ...challenge, epoch: 0, counter: 0 })).toBe('current');
    expect(inspectProof(CONTEXT, proveState(CONTEXT, old.device, CHALLENGE))).toMatchObject({
      epoch: 0,
      counter: 0,
    });
  });

  test('ATK-9: a device whose unconfirmed epoch another party pushed aside is found out all the same', () => {
    const ends = newChain(suite);
    const alice = halfStep(ends, suite, 'alice');
    const mallory = fullStep({ device: ends.device, node: alice.node }, suite, 'mallory');
    const challenge = issueChallenge(mallory.node, CHALLENGE);
    const proof = proveState(CONTEXT, alice.device, CHALLENGE);
    expect(judgeProof(CONTEXT, mallory.node, challenge, proof)).toBe('left');
    expect(judgeProof(CONTEXT, alice.node, issueChallenge(alice.node, CHALLENGE), proof)).toBe('current');
  });

  test('ATK-9: a proof that was changed anywhere is refused, so nobody can turn it into an accusation', () => {
    const half = halfStep(newChain(suite), suite, 'alice');
    const node = receiveR3(CONTEXT, half.node, half.r3).state;
    const challenge = issueChallenge(node, CHALLENGE);
    const proof = proveState(CONTEXT, half.device, CHALLENGE);
    for (let at = 0; at < proof.length; at++) {
      const verdict = codeOf(() => judgeProof(CONTEXT, node, challenge, flipped(proof, at)));
      expect(['AUTHENTICATION_FAILED', 'BAD_ENCODING', 'WRONG_VERSION', 'WRONG_NETWORK']).toContain(verdict);
    }
    const stale = issueChallenge(node, new Prng('another').bytes(32));
    expect(codeOf(() => judgeProof(CONTEXT, node, stale, proof))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => proveState(CONTEXT, half.device, CHALLENGE.slice(1)))).toBe('BAD_ENCODING');
  });

  test('ATK-10: both ends show the same code, and only after R3', () => {
    const half = halfStep(newChain(suite), suite, 'alice');
    expect(nodeCodePart(newChain(suite).node)).toBeUndefined();
    expect(nodeCodePart(commitPending(half.node).state)).toBeUndefined();
    const committed = receiveR3(CONTEXT, half.node, half.r3);
    const own = half.device.next.code;
    const other = nodeCodePart(committed.state);
    if (other === undefined) throw new Error('R3 revealed the code nonce');
    expect(promotionCode([own])).toMatch(/^[a-z2-7]{8}$/);
    expect(promotionCode([other])).toBe(promotionCode([own]));
    const bern = { ...own, nodeId: 'bern' };
    expect(promotionCode([bern, own])).toBe(promotionCode([own, bern]));
    expect(promotionCode([bern])).not.toBe(promotionCode([own]));
  });
});
