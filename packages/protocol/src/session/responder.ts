import { AuthenticationError, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { ChainKey } from '../ratchet/epoch.js';
import { commitPending, evidenceFor } from '../ratchet/responder.js';
import type { NodeChain } from '../ratchet/responder.js';
import { SessionEnd } from './cipher.js';
import { decodeOpen, decodeOpenBody, encodeAnswer } from './messages.js';
import type { Open, OpenBody, SessionGrant } from './messages.js';
import { advanceChain, evidenceTag, openTag, sealGrant, sessionKeys } from './transcript.js';
import type { SessionMaster, SessionPlace } from './transcript.js';

/** SES-2: how many sessions a device may be ahead of the node before it must take a ratchet step. */
export const MAX_CHAIN_SKIP = 1000;

/** The session and its answer, or a challenge for a party that shows a place which the chain has left. */
export type OpenOutcome =
  | { readonly kind: 'opened'; readonly session: SessionEnd; readonly answer: Uint8Array }
  | { readonly kind: 'challenge' };

/** What the node gives a session. */
export interface SessionRandom {
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** n_N, 32 bytes. */
  readonly nonce: Uint8Array;
}

/** Reads the part of an open message that says where it belongs. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function inspectOpen(context: ProtocolContext, open: Uint8Array): OpenBody {
  return decodeOpenBody(context, decodeOpen(open).body);
}

/**
 * SES-2, SES-3: checks an open message and answers it. A valid one under the pending epoch commits that epoch.
 * Persist the state, then send the answer.
 * @throws BAD_ENCODING, WRONG_NODE, EPOCH_UNUSED, AUTHENTICATION_FAILED, CHAIN_BOUND
 */
export function receiveOpen(
  context: ProtocolContext,
  chain: NodeChain,
  openBytes: Uint8Array,
  grant: SessionGrant,
  random: SessionRandom,
): Step<NodeChain, OpenOutcome> {
  const open = decodeOpen(openBytes);
  const body = decodeOpenBody(context, open.body);
  if (body.nodeId !== chain.parties.nodeId) {
    throw new SymmetraError('WRONG_NODE', 'the session is meant for another node');
  }
  const match = matchOpen(context, chain, open, body);
  if (match === 'previous') return { state: chain, output: { kind: 'challenge' }, consumed: [] };
  const committed = match === 'pending' ? commitPending(chain) : { state: chain, consumed: [] };
  const { keys } = committed.state;
  if (keys.epoch === 0) {
    throw new SymmetraError('EPOCH_UNUSED', 'epoch 0 opens no session; take a ratchet step first');
  }
  if (body.counter < keys.counter) return { state: chain, output: { kind: 'challenge' }, consumed: [] };
  if (body.counter - keys.counter > MAX_CHAIN_SKIP) {
    throw new SymmetraError('CHAIN_BOUND', 'the device is too many sessions ahead; take a ratchet step', {
      bound: MAX_CHAIN_SKIP,
    });
  }
  const walked = walkChain(context, committed.state, body.counter);
  const expected = openTag(context, walked.place, walked.master, open.body, open.evidenceTag);
  if (!equalConstantTime(expected, open.tag)) {
    walked.master.wipe();
    walked.next.wipe();
    throw new AuthenticationError('the session open does not verify');
  }
  const state: NodeChain = {
    ...committed.state,
    keys: { ...keys, chainKey: walked.next, counter: body.counter + 1 },
  };
  const output = answerOpen(context, walked.place, walked.master, openBytes, grant, random);
  return { state, output, consumed: [...committed.consumed, keys.chainKey, walked.master] };
}

/** SES-2: the evidence tag is checked before the chain is walked. */
function matchOpen(
  context: ProtocolContext,
  chain: NodeChain,
  open: Open,
  body: OpenBody,
): 'current' | 'pending' | 'previous' {
  const found = evidenceFor(chain, body.epoch);
  if (found === undefined || found.suiteId !== body.suiteId) {
    throw new AuthenticationError('the session open does not verify');
  }
  const { suiteId, evidenceKey } = found;
  const expected = evidenceTag(
    context,
    chain.parties,
    { suiteId, epoch: body.epoch, evidenceKey },
    open.body,
  );
  if (!equalConstantTime(expected, open.evidenceTag)) {
    throw new AuthenticationError('the session open does not verify');
  }
  return found.match;
}

function walkChain(
  context: ProtocolContext,
  chain: NodeChain,
  counter: number,
): { place: SessionPlace; master: SessionMaster; next: ChainKey } {
  const suite = context.suites.get(chain.keys.suiteId);
  const placeAt = (c: number): SessionPlace => ({
    suite,
    parties: chain.parties,
    epoch: chain.keys.epoch,
    counter: c,
  });
  let at = chain.keys.counter;
  let step = advanceChain(context, placeAt(at), chain.keys.chainKey);
  while (at < counter) {
    step.master.wipe();
    const left = step.next;
    at += 1;
    step = advanceChain(context, placeAt(at), left);
    left.wipe();
  }
  return { place: placeAt(counter), ...step };
}

function answerOpen(
  context: ProtocolContext,
  place: SessionPlace,
  master: SessionMaster,
  open: Uint8Array,
  grant: SessionGrant,
  random: SessionRandom,
): OpenOutcome {
  const sealed = sealGrant(context, place, master, open, random, grant);
  const unsigned = { sessionId: random.sessionId, nonce: random.nonce, sealed };
  const keys = sessionKeys(context, place, master, open, unsigned);
  const session = new SessionEnd(context, {
    end: 'node',
    suite: place.suite,
    sessionId: random.sessionId,
    sendKey: keys.nodeToDevice,
    receiveKey: keys.deviceToNode,
    maxMessages: grant.maxMessages,
  });
  return { kind: 'opened', session, answer: encodeAnswer({ ...unsigned, tag: keys.answerTag }) };
}
