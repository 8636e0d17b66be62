import { Writer, expand, extractExpand, openOnce, sealOnce, utf8 } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { enterEpoch, epochContext } from './epoch.js';
import type { ChainParties, EpochKeys, EvidenceKey, RatchetKey } from './epoch.js';
import { decodeR1Body, decodeR2Body, encodeR1Body, encodeR2Body } from './messages.js';
import type { R1, R1Body, R2Body } from './messages.js';

const EMPTY = new Uint8Array(0);

/** What the messages of one step are protected with: the epoch that the step leaves. */
export interface StepKeys {
  readonly suite: Suite;
  readonly parties: ChainParties;
  readonly epoch: number;
  readonly ratchetKey: RatchetKey;
  readonly evidenceKey: EvidenceKey;
}

/** The step keys of an epoch. */
export function stepKeys(context: ProtocolContext, parties: ChainParties, keys: EpochKeys): StepKeys {
  const { epoch, ratchetKey, evidenceKey } = keys;
  return { suite: context.suites.get(keys.suiteId), parties, epoch, ratchetKey, evidenceKey };
}

/** MAC(sub(ev, "R1"), head, sealed). */
export function r1Tag(
  context: ProtocolContext,
  keys: Omit<StepKeys, 'ratchetKey'>,
  r1: Omit<R1, 'tag'>,
): Uint8Array {
  const kdf = epochContext(context, keys.parties, keys.epoch, EMPTY);
  const key = expand(keys.suite, keys.evidenceKey.bytes, 'ratchetR1Mac', kdf);
  const tag = keys.suite.mac(key, new Writer().bytes(r1.head).bytes(r1.sealed).finish());
  key.fill(0);
  return tag;
}

/** seal(KDF(rk, "R1", n_D); body), with the head as associated data. */
export function sealR1(
  context: ProtocolContext,
  keys: StepKeys,
  nonce: Uint8Array,
  head: Uint8Array,
  body: R1Body,
): Uint8Array {
  const kdf = epochContext(context, keys.parties, keys.epoch, EMPTY);
  return sealOnce(keys.suite, keys.ratchetKey.bytes, 'ratchetR1Seal', kdf, nonce, head, encodeR1Body(body));
}

/** @throws AUTHENTICATION_FAILED, BAD_ENCODING */
export function openR1(
  context: ProtocolContext,
  keys: StepKeys,
  nonce: Uint8Array,
  head: Uint8Array,
  sealed: Uint8Array,
): R1Body {
  const kdf = epochContext(context, keys.parties, keys.epoch, EMPTY);
  return decodeR1Body(openOnce(keys.suite, keys.ratchetKey.bytes, 'ratchetR1Seal', kdf, nonce, head, sealed));
}

/** seal(KDF(rk, "R2", n_D, n_N); body): n_D stands in the context, n_N is the one-shot nonce. */
export function sealR2(
  context: ProtocolContext,
  keys: StepKeys,
  deviceNonce: Uint8Array,
  nodeNonce: Uint8Array,
  body: R2Body,
): Uint8Array {
  const kdf = epochContext(context, keys.parties, keys.epoch, deviceNonce);
  return sealOnce(
    keys.suite,
    keys.ratchetKey.bytes,
    'ratchetR2Seal',
    kdf,
    nodeNonce,
    EMPTY,
    encodeR2Body(body),
  );
}

/** @throws AUTHENTICATION_FAILED, BAD_ENCODING */
export function openR2(
  context: ProtocolContext,
  keys: StepKeys,
  deviceNonce: Uint8Array,
  nodeNonce: Uint8Array,
  sealed: Uint8Array,
): R2Body {
  const kdf = epochContext(context, keys.parties, keys.epoch, deviceNonce);
  return decodeR2Body(
    openOnce(keys.suite, keys.ratchetKey.bytes, 'ratchetR2Seal', kdf, nodeNonce, EMPTY, sealed),
  );
}

/** The next epoch's keys with what confirms them. */
export interface NextEpoch {
  readonly keys: EpochKeys;
  /** H(R1, R2), under the next suite. */
  readonly transcriptHash: Uint8Array;
  readonly nodeTag: Uint8Array;
  /** MAC(sub(K[e+1], "device"), H(R1, R2), code nonce), for the code nonce that the device commits to. */
  deviceTag(codeNonce: Uint8Array): Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly ackTag: Uint8Array;
}

/**
 * ATK-4, ATK-5: K[e+1] = KDF(rk, ss_s, ss_e, q; ids, e+1, H(H(R1, R2), stage)), the epoch that it opens, and the
 * tags that confirm it. K[e+1] itself is erased here.
 */
export function deriveNextEpoch(
  context: ProtocolContext,
  step: StepKeys,
  next: { suiteId: number; stage: string },
  secrets: { staticSecret: Uint8Array; ephemeralSecret: Uint8Array; entropy: Uint8Array },
  wire: { r1: Uint8Array; nodeNonce: Uint8Array; sealed: Uint8Array },
): NextEpoch {
  const suite = context.suites.get(next.suiteId);
  const transcriptHash = suite.hash(
    new Writer().bytes(wire.r1).raw(wire.nodeNonce).bytes(wire.sealed).finish(),
  );
  const bound = suite.hash(new Writer().bytes(transcriptHash).bytes(utf8(next.stage)).finish());
  const epoch = step.epoch + 1;
  const kdf = epochContext(context, step.parties, epoch, bound);
  const ikms = [step.ratchetKey.bytes, secrets.staticSecret, secrets.ephemeralSecret, secrets.entropy];
  const epochKey = extractExpand(suite, ikms, 'ratchetEpoch', kdf);
  const tag = (label: 'ratchetNode' | 'ratchetAck'): Uint8Array => {
    const key = expand(suite, epochKey, label, kdf);
    const result = suite.mac(key, transcriptHash);
    key.fill(0);
    return result;
  };
  const deviceKey = expand(suite, epochKey, 'ratchetDevice', kdf);
  const result: NextEpoch = {
    keys: enterEpoch(context, step.parties, { ...next, epoch }, epochKey, bound),
    transcriptHash,
    nodeTag: tag('ratchetNode'),
    deviceKey,
    deviceTag: (codeNonce) => deviceTag(suite, deviceKey, transcriptHash, codeNonce),
    ackTag: tag('ratchetAck'),
  };
  epochKey.fill(0);
  return result;
}

/** MAC(sub(K[e+1], "device"), H(R1, R2), code nonce). */
export function deviceTag(
  suite: Suite,
  deviceKey: Uint8Array,
  transcriptHash: Uint8Array,
  codeNonce: Uint8Array,
): Uint8Array {
  return suite.mac(deviceKey, new Writer().bytes(transcriptHash).raw(codeNonce).finish());
}
