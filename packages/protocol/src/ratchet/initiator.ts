import { AuthenticationError, Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { Enrolled, KemRandom } from '../enrolment/initiator.js';
import { codeCommitment } from './code.js';
import type { CodePart } from './code.js';
import { enterEpoch, epochSecrets } from './epoch.js';
import type { ChainParties, EpochKeys } from './epoch.js';
import { decodeR2, encodeR1, encodeR1Head, encodeR3 } from './messages.js';
import { deriveNextEpoch, openR2, r1Tag, sealR1, stepKeys } from './transcript.js';

/*
 *              R1             R2 / R3            R4
 *   settled ------> stepping --------> confirming ------> settled
 *                      ^                    |
 *                      |   R3 refused: R1   v
 *                      +--------------- restepping --R2--> confirming
 *
 * A step that waits for R2 can be given up: back to settled, or to confirming. The device leaves epoch e only on R4. While two epochs exist, the newer one is used first.
 */

/** One epoch, nothing under way. */
export interface ChainSettled {
  readonly kind: 'settled';
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
  /** From the last step; absent before the first one. */
  readonly code?: CodePart;
}

/** A step that waits for R2. */
export interface PendingStep {
  /** R1 as it is sent, and sent again. */
  readonly r1: Uint8Array;
  /** n_D. */
  readonly nonce: Uint8Array;
  readonly suiteId: number;
  readonly stage: string;
  readonly staticSecret: Secret<'StaticSecret'>;
  readonly ephemeralKey: Secret<'EphemeralKey'>;
  readonly codeNonce: Uint8Array;
}

/** An epoch e+1 that waits for R4. */
export interface UnconfirmedEpoch {
  readonly keys: EpochKeys;
  /** R3 as it is sent, and sent again. */
  readonly r3: Uint8Array;
  readonly ackTag: Uint8Array;
  readonly code: CodePart;
}

export interface ChainStepping {
  readonly kind: 'stepping';
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
  readonly step: PendingStep;
}

export interface ChainConfirming {
  readonly kind: 'confirming';
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
  readonly next: UnconfirmedEpoch;
}

export interface ChainRestepping {
  readonly kind: 'restepping';
  readonly parties: ChainParties;
  readonly keys: EpochKeys;
  readonly next: UnconfirmedEpoch;
  readonly step: PendingStep;
}

/** The device's side of the ATK chain with one node. */
export type DeviceChain = ChainSettled | ChainStepping | ChainConfirming | ChainRestepping;

/** What a device asks of a step. */
export interface StepRequest {
  /** Suite of the next epoch. */
  readonly suiteId: number;
  /** Stage asked; the node grants it or leaves the device at its present stage. */
  readonly stage: string;
  /** The node's static KEM key of that suite. */
  readonly nodeKemKey: Uint8Array;
}

/** Fresh random bytes for one step. */
export interface StepRandom extends KemRandom {
  /** n_D, 32 bytes. */
  readonly nonce: Uint8Array;
  /** 32 bytes. */
  readonly codeNonce: Uint8Array;
}

/** ATK-1: the chain begins with the bootstrap key as K[0], which is used for nothing but the first step. */
export function beginChain(
  context: ProtocolContext,
  enrolled: Enrolled,
  stage: string,
): Step<ChainSettled, undefined> {
  const { deviceId, nodeId } = enrolled.parties;
  const parties = { deviceId, nodeId };
  const epoch = { suiteId: enrolled.suiteId, epoch: 0, stage };
  const keys = enterEpoch(context, parties, epoch, enrolled.bootstrapKey.bytes, enrolled.transcriptHash);
  return { state: { kind: 'settled', parties, keys }, output: undefined, consumed: [enrolled.bootstrapKey] };
}

/** The keys that the device uses first: those of the newest epoch. */
export function newestKeys(chain: DeviceChain): EpochKeys {
  return chain.kind === 'confirming' || chain.kind === 'restepping' ? chain.next.keys : chain.keys;
}

/** The chain with its newest keys replaced, after a session advanced them. */
export function withNewestKeys(chain: DeviceChain, keys: EpochKeys): DeviceChain {
  return chain.kind === 'confirming' || chain.kind === 'restepping'
    ? { ...chain, next: { ...chain.next, keys } }
    : { ...chain, keys };
}

/**
 * ATK-2: begins a step. Persist the state, then send R1. From `confirming` it begins anew under epoch e and keeps
 * e+1, for the case that R3 is refused.
 * @throws SUITE_UNKNOWN, BAD_KEM_KEY, STEP_UNDER_WAY
 */
export function startStep(
  context: ProtocolContext,
  chain: DeviceChain,
  request: StepRequest,
  random: StepRandom,
): Step<ChainStepping | ChainRestepping, Uint8Array> {
  if (chain.kind === 'stepping' || chain.kind === 'restepping') {
    throw new SymmetraError('STEP_UNDER_WAY', 'a ratchet step is under way; send its R1 again');
  }
  const keys = stepKeys(context, chain.parties, chain.keys);
  const suite = context.suites.get(request.suiteId);
  const ephemeral = suite.kem.keygen(random.seed);
  const { ciphertext, sharedSecret } = suite.kem.encapsulate(request.nodeKemKey, random.coins);
  const head = encodeR1Head(context, {
    suiteId: chain.keys.suiteId,
    nextSuiteId: request.suiteId,
    deviceId: chain.parties.deviceId,
    nodeId: chain.parties.nodeId,
    epoch: chain.keys.epoch,
    nonce: random.nonce,
  });
  const sealed = sealR1(context, keys, random.nonce, head, {
    ephemeralKey: ephemeral.publicKey,
    ciphertext,
    stage: request.stage,
    codeCommitment: codeCommitment(suite, random.codeNonce),
  });
  const r1 = encodeR1({ head, sealed, tag: r1Tag(context, keys, { head, sealed }) });
  const step: PendingStep = {
    r1,
    nonce: random.nonce,
    suiteId: request.suiteId,
    stage: request.stage,
    staticSecret: Secret.of('StaticSecret', sharedSecret),
    ephemeralKey: Secret.of('EphemeralKey', ephemeral.secretKey),
    codeNonce: random.codeNonce,
  };
  const { parties } = chain;
  const state: ChainStepping | ChainRestepping =
    chain.kind === 'confirming'
      ? { kind: 'restepping', parties, keys: chain.keys, next: chain.next, step }
      : { kind: 'stepping', parties, keys: chain.keys, step };
  return { state, output: r1, consumed: [] };
}

/**
 * ATK-2: gives up a step that the node does not answer, because its suite is forbidden by now or its R1 is old; the next
 * step has a new nonce, which replaces whatever the node kept of this one.
 */
export function abandonStep(
  chain: ChainStepping | ChainRestepping,
): Step<ChainSettled | ChainConfirming, undefined> {
  const { parties, keys, step } = chain;
  const state: ChainSettled | ChainConfirming =
    chain.kind === 'restepping'
      ? { kind: 'confirming', parties, keys, next: chain.next }
      : { kind: 'settled', parties, keys };
  return { state, output: undefined, consumed: [step.staticSecret, step.ephemeralKey] };
}

/**
 * ATK-5: checks R2 and stores epoch e+1. Persist the state, then send R3. An R2 that does not verify changes nothing.
 * @throws BAD_ENCODING, AUTHENTICATION_FAILED, BAD_KEM_CIPHERTEXT; BAD_STAGE when the node grants a stage that is neither
 *   the one asked nor the present one
 */
export function receiveR2(
  context: ProtocolContext,
  chain: ChainStepping | ChainRestepping,
  r2Bytes: Uint8Array,
): Step<ChainConfirming, Uint8Array> & { readonly entropy: Uint8Array } {
  const { step, parties } = chain;
  const keys = stepKeys(context, parties, chain.keys);
  const suite = context.suites.get(step.suiteId);
  const r2 = decodeR2(r2Bytes);
  const body = openR2(context, keys, step.nonce, r2.nonce, r2.sealed);
  if (body.stage !== step.stage && body.stage !== chain.keys.stage) {
    throw new SymmetraError('BAD_STAGE', 'the node granted a stage that was not asked');
  }
  const ephemeralSecret = suite.kem.decapsulate(body.ciphertext, step.ephemeralKey.bytes);
  const next = deriveNextEpoch(
    context,
    keys,
    { suiteId: step.suiteId, stage: body.stage },
    { staticSecret: step.staticSecret.bytes, ephemeralSecret, entropy: body.entropy },
    { r1: step.r1, nodeNonce: r2.nonce, sealed: r2.sealed },
  );
  ephemeralSecret.fill(0);
  if (!equalConstantTime(next.nodeTag, r2.tag)) {
    for (const secret of epochSecrets(next.keys)) secret.wipe();
    throw new AuthenticationError('R2 does not verify');
  }
  const r3 = encodeR3(context, {
    deviceId: parties.deviceId,
    nodeId: parties.nodeId,
    epoch: next.keys.epoch,
    codeNonce: step.codeNonce,
    tag: next.deviceTag(step.codeNonce),
  });
  next.deviceKey.fill(0);
  const code: CodePart = {
    nodeId: parties.nodeId,
    transcriptHash: next.transcriptHash,
    deviceNonce: step.codeNonce,
    nodeNonce: body.codeNonce,
  };
  const unconfirmed: UnconfirmedEpoch = { keys: next.keys, r3, ackTag: next.ackTag, code };
  return {
    state: { kind: 'confirming', parties, keys: chain.keys, next: unconfirmed },
    output: r3,
    consumed: [
      step.staticSecret,
      step.ephemeralKey,
      ...(chain.kind === 'restepping' ? epochSecrets(chain.next.keys) : []),
    ],
    entropy: body.entropy,
  };
}

/** ATK-7: checks R4 and leaves epoch e. @throws AUTHENTICATION_FAILED */
export function receiveR4(
  chain: ChainConfirming | ChainRestepping,
  r4: Uint8Array,
): Step<ChainSettled, undefined> {
  if (!equalConstantTime(chain.next.ackTag, r4)) throw new AuthenticationError('R4 does not verify');
  return {
    state: { kind: 'settled', parties: chain.parties, keys: chain.next.keys, code: chain.next.code },
    output: undefined,
    consumed: [
      ...epochSecrets(chain.keys),
      ...(chain.kind === 'restepping' ? [chain.step.staticSecret, chain.step.ephemeralKey] : []),
    ],
  };
}
