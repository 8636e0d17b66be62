import { AuthenticationError, Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { EnrolledDevice } from '../enrolment/responder.js';
import { codeCommitment } from './code.js';
import type { CodePart } from './code.js';
import { enterEpoch, epochSecrets } from './epoch.js';
import type { ChainParties, EpochKeys, EvidenceKey } from './epoch.js';
import { decodeR1, decodeR1Head, decodeR3, encodeR2 } from './messages.js';
import type { R1, R1Head, R3 } from './messages.js';
import { deriveNextEpoch, deviceTag, openR1, r1Tag, sealR2, stepKeys } from './transcript.js';

/*
 * The node's chain with a device:
 *
 *   current e ----R1----> current e, pending e+1 ----R3, or any valid message under e+1----> current e+1
 *                              ^    |
 *                              +----+  R1 with a new nonce replaces the pending epoch
 *
 * Of the epoch that was left only its evidence key stays, to recognise who still holds it.
 */

/** What confirms an epoch: kept with it, so that a repeated R3 gets the same R4. */
interface EpochConfirmation {
  /** H(the R1 that led here), to recognise a late copy. */
  readonly r1Hash: Uint8Array;
  readonly transcriptHash: Uint8Array;
  readonly deviceKey: Secret<'ConfirmationKey'>;
  readonly ackTag: Uint8Array;
  readonly codeCommitment: Uint8Array;
  readonly nodeNonce: Uint8Array;
  /** Absent until R3 reveals it. */
  readonly deviceNonce?: Uint8Array;
}

interface PendingEpoch {
  readonly keys: EpochKeys;
  readonly confirmation: EpochConfirmation;
  /** R2 as it was sent. */
  readonly r2: Uint8Array;
  /** H(each R1 of this epoch whose place a later one took), the newest last; absent for none. */
  readonly replaced?: readonly Uint8Array[];
}

/** A device gives up a step when policy forbids its suite, or R3 is refused: far more often than that ever happens. */
const MAX_REPLACED = 64;

/** The node's side of the ATK chain with one device. */
export interface NodeChain {
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
  readonly confirmation?: EpochConfirmation;
  readonly pending?: PendingEpoch;
  readonly previous?: { readonly suiteId: number; readonly epoch: number; readonly evidenceKey: EvidenceKey };
}

/** What a message shows about the party that sent it: it holds `current` or `pending`, or an epoch that was left. */
export type EpochMatch = 'current' | 'pending' | 'previous';

/** ATK-1: the chain begins with the bootstrap key as K[0]. */
export function beginNodeChain(
  context: ProtocolContext,
  nodeId: string,
  enrolled: EnrolledDevice,
  stage: string,
): Step<NodeChain, undefined> {
  const parties = { deviceId: enrolled.deviceId, nodeId };
  const epoch = { suiteId: enrolled.suiteId, epoch: 0, stage };
  const keys = enterEpoch(context, parties, epoch, enrolled.bootstrapKey.bytes, enrolled.transcriptHash);
  return { state: { parties, keys }, output: undefined, consumed: [enrolled.bootstrapKey] };
}

/** ATK-6: the pending epoch becomes the current one; of the former only the evidence key is kept. */
export function commitPending(chain: NodeChain): Step<NodeChain, undefined> {
  if (chain.pending === undefined) throw new SymmetraError('NO_PENDING_EPOCH', 'no epoch is pending');
  const { suiteId, epoch, evidenceKey } = chain.keys;
  const state: NodeChain = {
    parties: chain.parties,
    keys: chain.pending.keys,
    confirmation: chain.pending.confirmation,
    previous: { suiteId, epoch, evidenceKey },
  };
  const left = [
    chain.keys.ratchetKey,
    chain.keys.chainKey,
    chain.confirmation?.deviceKey,
    chain.previous?.evidenceKey,
  ];
  return { state, output: undefined, consumed: left.filter((secret) => secret !== undefined) };
}

/** The evidence key that the node holds for an epoch, and which one it is. */
export function evidenceFor(
  chain: NodeChain,
  epoch: number,
): { match: EpochMatch; suiteId: number; evidenceKey: EvidenceKey } | undefined {
  if (epoch === chain.keys.epoch) return { match: 'current', ...chain.keys };
  if (epoch === chain.pending?.keys.epoch) return { match: 'pending', ...chain.pending.keys };
  if (epoch === chain.previous?.epoch) return { match: 'previous', ...chain.previous };
  return undefined;
}

/** How the node decides a step: its static keys, and what policy grants. */
export interface StepRules {
  /** Static KEM keys by suite. */
  readonly kemKeys: ReadonlyMap<number, { publicKey: Uint8Array; secretKey: Secret<'NodeKemKey'> }>;
  /** Suites that policy allows for the next epoch. */
  readonly allowedSuites: readonly number[];
  /** The stage granted to a device that is at `present` and asks for `asked`; never an earlier one. */
  grantStage(present: string, asked: string): string;
}

/** Fresh random bytes for one R2. */
export interface R2Random {
  /** n_N, 32 bytes. */
  readonly nonce: Uint8Array;
  /** KEM coins. */
  readonly coins: Uint8Array;
  /** q, 32 bytes. */
  readonly entropy: Uint8Array;
  /** 32 bytes. */
  readonly codeNonce: Uint8Array;
}

/** R2, or a challenge for a party that shows an epoch which the chain has left. */
export type R1Outcome = { readonly kind: 'r2'; readonly r2: Uint8Array } | { readonly kind: 'challenge' };

/** Reads the part of R1 that says where it belongs. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function inspectR1(context: ProtocolContext, r1: Uint8Array): R1Head {
  return decodeR1Head(context, decodeR1(r1).head);
}

/**
 * ATK-3, ATK-4: checks R1 and answers. The same R1 gets the same R2; one with a new nonce replaces the pending
 * epoch, and does not come back once it was replaced itself. Persist the state, then send R2.
 * @throws BAD_ENCODING, WRONG_NODE, AUTHENTICATION_FAILED, MESSAGE_LATE, SUITE_FORBIDDEN, BAD_KEM_KEY
 */
export function receiveR1(
  context: ProtocolContext,
  chain: NodeChain,
  rules: StepRules,
  r1Bytes: Uint8Array,
  random: R2Random,
): Step<NodeChain, R1Outcome> {
  const r1 = decodeR1(r1Bytes);
  const head = decodeR1Head(context, r1.head);
  const match = matchR1(context, chain, head, r1);
  const r1Hash = context.suites.get(head.suiteId).hash(r1Bytes);
  if (match === 'previous') {
    if (chain.confirmation !== undefined && equalConstantTime(chain.confirmation.r1Hash, r1Hash)) {
      throw new SymmetraError('MESSAGE_LATE', 'a late copy of an earlier message');
    }
    return { state: chain, output: { kind: 'challenge' }, consumed: [] };
  }
  if (match === 'pending') {
    const committed = commitPending(chain);
    const step = answerR1(context, committed.state, rules, r1Bytes, { r1, head, r1Hash }, random);
    return { ...step, consumed: [...committed.consumed, ...step.consumed] };
  }
  if (chain.pending !== undefined && equalConstantTime(chain.pending.confirmation.r1Hash, r1Hash)) {
    return { state: chain, output: { kind: 'r2', r2: chain.pending.r2 }, consumed: [] };
  }
  if (chain.pending?.replaced?.some((one) => equalConstantTime(one, r1Hash)) === true) {
    throw new SymmetraError('MESSAGE_LATE', 'a late copy of a message whose place another one took');
  }
  return answerR1(context, chain, rules, r1Bytes, { r1, head, r1Hash }, random);
}

/** ATK-3: verifies R1's tag under the evidence key of the epoch that it names, before any KEM work. */
function matchR1(context: ProtocolContext, chain: NodeChain, head: R1Head, r1: R1): EpochMatch {
  if (head.nodeId !== chain.parties.nodeId) {
    throw new SymmetraError('WRONG_NODE', 'R1 is meant for another node');
  }
  const found = evidenceFor(chain, head.epoch);
  if (found === undefined || found.suiteId !== head.suiteId) {
    throw new AuthenticationError('R1 does not verify');
  }
  const suite = context.suites.get(found.suiteId);
  const { parties } = chain;
  const expected = r1Tag(context, { suite, parties, epoch: head.epoch, evidenceKey: found.evidenceKey }, r1);
  if (!equalConstantTime(expected, r1.tag)) throw new AuthenticationError('R1 does not verify');
  return found.match;
}

function answerR1(
  context: ProtocolContext,
  chain: NodeChain,
  rules: StepRules,
  r1Bytes: Uint8Array,
  read: { r1: R1; head: R1Head; r1Hash: Uint8Array },
  random: R2Random,
): Step<NodeChain, R1Outcome> {
  const { head, r1, r1Hash } = read;
  const keys = stepKeys(context, chain.parties, chain.keys);
  const kemKey = rules.kemKeys.get(head.nextSuiteId);
  if (!rules.allowedSuites.includes(head.nextSuiteId) || kemKey === undefined) {
    throw new SymmetraError('SUITE_FORBIDDEN', `policy forbids suite ${head.nextSuiteId}`, {
      suite: head.nextSuiteId,
    });
  }
  const suite = context.suites.get(head.nextSuiteId);
  const body = openR1(context, keys, head.nonce, r1.head, r1.sealed);
  suite.kem.checkPublicKey(body.ephemeralKey);
  if (equalConstantTime(body.ephemeralKey, kemKey.publicKey)) {
    throw new SymmetraError('BAD_KEM_KEY', "the ephemeral key is the node's own static key");
  }
  const staticSecret = suite.kem.decapsulate(body.ciphertext, kemKey.secretKey.bytes);
  const { ciphertext, sharedSecret } = suite.kem.encapsulate(body.ephemeralKey, random.coins);
  const stage = rules.grantStage(chain.keys.stage, body.stage);
  const { entropy, codeNonce } = random;
  const sealed = sealR2(context, keys, head.nonce, random.nonce, { ciphertext, entropy, stage, codeNonce });
  const next = deriveNextEpoch(
    context,
    keys,
    { suiteId: head.nextSuiteId, stage },
    { staticSecret, ephemeralSecret: sharedSecret, entropy },
    { r1: r1Bytes, nodeNonce: random.nonce, sealed },
  );
  staticSecret.fill(0);
  sharedSecret.fill(0);
  const r2 = encodeR2({ nonce: random.nonce, sealed, tag: next.nodeTag });
  const pending: PendingEpoch = {
    keys: next.keys,
    r2,
    ...(chain.pending && { replaced: replacedBy(chain.pending) }),
    confirmation: {
      r1Hash,
      transcriptHash: next.transcriptHash,
      deviceKey: Secret.of('ConfirmationKey', next.deviceKey),
      ackTag: next.ackTag,
      codeCommitment: body.codeCommitment,
      nodeNonce: codeNonce,
    },
  };
  const replaced =
    chain.pending === undefined
      ? []
      : [...epochSecrets(chain.pending.keys), chain.pending.confirmation.deviceKey];
  return { state: { ...chain, pending }, output: { kind: 'r2', r2 }, consumed: replaced };
}

/** ATK-3: the R1s that must not come back: what waited now, and what it had replaced itself. */
function replacedBy({ confirmation, replaced = [] }: PendingEpoch): readonly Uint8Array[] {
  return [...replaced, confirmation.r1Hash].slice(-MAX_REPLACED);
}

/** Reads the part of R3 that says where it belongs. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function inspectR3(
  context: ProtocolContext,
  r3: Uint8Array,
): Pick<R3, 'deviceId' | 'nodeId' | 'epoch'> {
  const { deviceId, nodeId, epoch } = decodeR3(context, r3);
  return { deviceId, nodeId, epoch };
}

/**
 * ATK-6, ATK-7: checks R3, commits the pending epoch and acknowledges. A repeated R3 gets the same R4. Persist the
 * state, then send R4.
 * @throws BAD_ENCODING, WRONG_NODE, AUTHENTICATION_FAILED
 */
export function receiveR3(
  context: ProtocolContext,
  chain: NodeChain,
  r3Bytes: Uint8Array,
): Step<NodeChain, Uint8Array> {
  const r3 = decodeR3(context, r3Bytes);
  if (r3.nodeId !== chain.parties.nodeId) {
    throw new SymmetraError('WRONG_NODE', 'R3 is meant for another node');
  }
  const pending = r3.epoch === chain.pending?.keys.epoch;
  const keys = pending ? chain.pending?.keys : chain.keys;
  const confirmation = pending ? chain.pending?.confirmation : chain.confirmation;
  const own = equalConstantTime(r3.deviceId, chain.parties.deviceId);
  if (!own || keys === undefined || confirmation === undefined || keys.epoch !== r3.epoch) {
    throw new AuthenticationError('R3 does not verify');
  }
  const suite = context.suites.get(keys.suiteId);
  const expected = deviceTag(suite, confirmation.deviceKey.bytes, confirmation.transcriptHash, r3.codeNonce);
  const revealed = codeCommitment(suite, r3.codeNonce);
  if (!equalConstantTime(expected, r3.tag) || !equalConstantTime(revealed, confirmation.codeCommitment)) {
    throw new AuthenticationError('R3 does not verify');
  }
  const committed = pending ? commitPending(chain) : { state: chain, consumed: [] };
  const state: NodeChain = {
    ...committed.state,
    confirmation: { ...confirmation, deviceNonce: r3.codeNonce },
  };
  return { state, output: confirmation.ackTag, consumed: committed.consumed };
}

/** ATK-10: this node's part of the promotion code; absent before the first step is confirmed by R3. */
export function nodeCodePart(chain: NodeChain): CodePart | undefined {
  const confirmation = chain.confirmation;
  if (confirmation?.deviceNonce === undefined) return undefined;
  return {
    nodeId: chain.parties.nodeId,
    transcriptHash: confirmation.transcriptHash,
    deviceNonce: confirmation.deviceNonce,
    nodeNonce: confirmation.nodeNonce,
  };
}
