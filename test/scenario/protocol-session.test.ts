import { toHex } from '@symmetra/crypto';
import {
  MAX_CHAIN_SKIP,
  REPLAY_WINDOW,
  inspectOpen,
  openSession,
  receiveOpen,
  receiveR3,
  receiveSessionAnswer,
} from '@symmetra/protocol';
import type { DeviceChain, NodeChain, SessionEnd } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import * as by from '../vectors/protocol/by-hand.js';
import { CONTEXT, SUITES, codeOf, flipped, fullStep, halfStep, newChain } from './protocol-world.js';
import type { Ends } from './protocol-world.js';

const METHOD = '/symmetra.pairwise.v1.PairwiseService/Request';
const prng = new Prng('session scenarios');
const GRANT = { entropy: prng.bytes(32), lifetimeSeconds: 60, maxMessages: 3000, clockMs: 5 };
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

describe.each(SUITES)('sessions under suite $id', (suite) => {
  const ends = (): Ends => fullStep(newChain(suite), suite, 'alice');
  const open = (device: DeviceChain) => openSession(CONTEXT, device, prng.bytes(32));
  const receive = (node: NodeChain, message: Uint8Array, maxMessages = GRANT.maxMessages) =>
    receiveOpen(
      CONTEXT,
      node,
      message,
      { ...GRANT, maxMessages },
      {
        sessionId: prng.bytes(16),
        nonce: prng.bytes(32),
      },
    );

  /** Both ends of an open session. */
  function opened(maxMessages?: number): { readonly device: SessionEnd; readonly node: SessionEnd } {
    const { device, node } = ends();
    const opening = open(device);
    const answered = receive(node, opening.output.open, maxMessages);
    if (answered.output.kind !== 'opened') throw new Error('the session opens');
    const { session } = receiveSessionAnswer(CONTEXT, opening.output, answered.output.answer);
    return { device: session, node: answered.output.session };
  }

  test('SES-1: the device moves its chain before it sends, and hands back the key that it left', () => {
    const { device } = ends();
    const step = open(device);
    expect(step.state.keys.counter).toBe(1);
    expect(step.consumed).toEqual([device.keys.chainKey]);
    expect(step.state.keys.chainKey.bytes).not.toEqual(device.keys.chainKey.bytes);
    const { deviceId } = device.parties;
    expect(inspectOpen(CONTEXT, step.output.open)).toMatchObject({ deviceId, epoch: 1, counter: 0 });
  });

  test('SES-1: epoch 0 opens no session, at either end', () => {
    const { device, node } = newChain(suite);
    expect(codeOf(() => open(device))).toBe('EPOCH_UNUSED');

    const hand = by.HAND_SUITES.find(({ id }) => id === suite.id) as by.HandSuite;
    const { deviceId, nodeId } = device.parties;
    const body = by.raw(
      by.u8(1),
      CONTEXT.networkId,
      by.u8(suite.id),
      deviceId,
      by.text(nodeId),
      by.u64(0),
      by.u64(0),
      prng.bytes(32),
    );
    const context: by.HandContext = {
      networkId: CONTEXT.networkId,
      initiator: deviceId,
      responder: by.utf8(nodeId),
      epoch: by.u64(0),
      transcriptHash: by.NONE,
    };
    const { tag } = by.taggedUnder(hand, device.keys.evidenceKey.bytes, 'session evidence', context, body);
    const disobedient = by.raw(by.bytes(body), by.bytes(tag), by.bytes(tag));
    expect(codeOf(() => receive(node, disobedient))).toBe('EPOCH_UNUSED');
  });

  test('SES-2: an open that was changed is refused before the chain is walked, and changes nothing', () => {
    const { device, node } = ends();
    const message = open(device).output.open;
    expect(codeOf(() => receive(node, flipped(message)))).toBe('AUTHENTICATION_FAILED');
    for (const at of [25, 60, message.length - suite.hashLength - 10]) {
      expect(codeOf(() => receive(node, flipped(message, at)))).not.toBe('done');
    }
    const elsewhere = { ...node, parties: { ...node.parties, nodeId: 'bern' } };
    expect(codeOf(() => receive(elsewhere, message))).toBe('WRONG_NODE');
    const far = { ...node, keys: { ...node.keys, epoch: 7 } };
    expect(codeOf(() => receive(far, message))).toBe('AUTHENTICATION_FAILED');
  });

  test('SES-2: a device may be some sessions ahead, and no further than the bound', () => {
    const { device, node } = ends();
    let chain = device;
    for (let i = 0; i < MAX_CHAIN_SKIP; i++) chain = open(chain).state;
    const last = open(chain);
    const walked = receive(node, last.output.open);
    expect(walked.state.keys.counter).toBe(MAX_CHAIN_SKIP + 1);
    expect(walked.state.keys.chainKey.bytes).toEqual(last.state.keys.chainKey.bytes);
    expect(codeOf(() => receive(node, open(last.state).output.open))).toBe('CHAIN_BOUND');
  });

  test('SES-2: a place or an epoch that the chain has left is challenged, never answered', () => {
    const { device, node } = ends();
    const first = open(device);
    const answered = receive(node, first.output.open);
    expect(receive(answered.state, first.output.open).output).toEqual({ kind: 'challenge' });
    const next = fullStep({ device: first.state, node: answered.state }, suite, 'next');
    const late = receive(next.node, open(first.state).output.open);
    expect(late.output).toEqual({ kind: 'challenge' });
    expect(late.state).toBe(next.node);
  });

  test('SES-2, ATK-6: an open under the pending epoch commits it', () => {
    const half = halfStep(newChain(suite), suite, 'alice');
    const opening = open(half.device);
    expect(opening.state.kind).toBe('confirming');
    const answered = receive(half.node, opening.output.open);
    expect(answered.state.keys).toMatchObject({ epoch: 1, counter: 1 });
    expect(answered.consumed).toEqual(
      expect.arrayContaining([half.node.keys.ratchetKey, half.node.keys.chainKey]),
    );
    expect(codeOf(() => receiveR3(CONTEXT, answered.state, half.r3))).toBe('done');
  });

  test('SES-3, SES-4: the answer opens the session with the same grant at both ends; a changed one does not', () => {
    const { device, node } = ends();
    const opening = open(device);
    const answered = receive(node, opening.output.open);
    if (answered.output.kind !== 'opened') throw new Error('the session opens');
    const { answer } = answered.output;
    const check = (bytes: Uint8Array): string =>
      codeOf(() => receiveSessionAnswer(CONTEXT, opening.output, bytes));
    expect(check(flipped(answer))).toBe('AUTHENTICATION_FAILED');
    expect(check(flipped(answer, 0))).toBe('AUTHENTICATION_FAILED');
    expect(check(answer.slice(0, 30))).toBe('BAD_ENCODING');
    const received = receiveSessionAnswer(CONTEXT, opening.output, answer);
    expect(received.grant).toEqual(GRANT);
    expect(received.consumed).toEqual([opening.output.master]);
    expect(received.session.sessionId).toEqual(answered.output.session.sessionId);
    for (const secret of received.consumed) secret.wipe();
    expect(check(answer)).toBe('SECRET_WIPED');
  });

  test('SES-5: calls, replies and events go through, in any order, each once', () => {
    const { device, node } = opened();
    const calls = ['one', 'two', 'three'].map((call) => device.seal(METHOD, bytesOf(call)));
    expect(calls.toReversed().map((call) => text(node.open(METHOD, call)))).toEqual(['three', 'two', 'one']);
    expect(codeOf(() => node.open(METHOD, calls[0] as (typeof calls)[0]))).toBe('MESSAGE_REPLAYED');
    const reply = node.seal(METHOD, bytesOf('reply'), 1);
    expect(codeOf(() => device.open(METHOD, reply, 2))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => device.open(METHOD, reply))).toBe('AUTHENTICATION_FAILED');
    expect(text(device.open(METHOD, reply, 1))).toBe('reply');
  });

  test('SES-5: a message fits its method, number, direction and session alone', () => {
    const { device, node } = opened();
    const call = device.seal(METHOD, bytesOf('call'));
    expect(codeOf(() => node.open('/another.Service/Method', call))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => node.open(METHOD, { ...call, seq: 1 }))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => device.open(METHOD, call))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => opened().node.open(METHOD, call))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => node.open(METHOD, { ...call, seq: -1 }))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => node.open(METHOD, { ...call, seq: 0.5 }))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => node.open(METHOD, { ...call, ciphertext: flipped(call.ciphertext) }))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(text(node.open(METHOD, call))).toBe('call');
  });

  test('SES-5: what falls behind the replay window is refused, what is inside it is not', () => {
    const { device, node } = opened();
    const calls = Array.from({ length: REPLAY_WINDOW + 2 }, (_, i) => device.seal(METHOD, bytesOf(`${i}`)));
    const at = (i: number) => calls[i] as (typeof calls)[0];
    node.open(METHOD, at(REPLAY_WINDOW + 1));
    expect(codeOf(() => node.open(METHOD, at(0)))).toBe('MESSAGE_REPLAYED');
    expect(codeOf(() => node.open(METHOD, at(1)))).toBe('MESSAGE_REPLAYED');
    expect(text(node.open(METHOD, at(2)))).toBe('2');
    expect(text(node.open(METHOD, at(1000)))).toBe('1000');
    expect(codeOf(() => node.open(METHOD, at(1000)))).toBe('MESSAGE_REPLAYED');
  });

  test('SES-5: a direction ends after its last message, and an ended session opens nothing', () => {
    const { device, node } = opened(2);
    expect(device.remaining).toBe(2);
    const calls = [device.seal(METHOD, bytesOf('1')), device.seal(METHOD, bytesOf('2'))];
    expect(device.remaining).toBe(0);
    expect(codeOf(() => device.seal(METHOD, bytesOf('3')))).toBe('SESSION_EXHAUSTED');
    const beyond = { seq: 2, ciphertext: new Uint8Array(20) };
    expect(codeOf(() => node.open(METHOD, beyond))).toBe('SESSION_EXHAUSTED');
    node.wipe();
    expect(codeOf(() => node.open(METHOD, calls[0] as (typeof calls)[0]))).toBe('SECRET_WIPED');
    expect(codeOf(() => node.seal(METHOD, bytesOf('late')))).toBe('SECRET_WIPED');
  });

  test('SES-1: two sessions of one place never share a key, even when a device went back', () => {
    const { device, node } = ends();
    const again = [open(device), open(device)].map(({ output }) => receive(node, output.open).output);
    const sealed = again.map((outcome) =>
      outcome.kind === 'opened' ? toHex(outcome.session.seal(METHOD, bytesOf('same')).ciphertext) : '',
    );
    expect(new Set(sealed).size).toBe(2);
  });
});
