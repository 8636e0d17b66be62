import {
  AuthenticationError,
  Reader,
  SymmetraError,
  Writer,
  equalConstantTime,
  expand,
} from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, NONCE_LENGTH, preamble, readCount, readNodeId, readPreamble } from '../context.js';
import type { ProtocolContext } from '../context.js';
import { epochContext } from './epoch.js';
import type { ChainParties, EpochKeys } from './epoch.js';
import { newestKeys } from './initiator.js';
import type { DeviceChain } from './initiator.js';
import { evidenceFor } from './responder.js';
import type { NodeChain } from './responder.js';

const EMPTY = new Uint8Array(0);
const MAX_TAG = 64;

/**
 * ATK-8: a fresh challenge, with the place of the chain at the moment when it was issued: only a state that was left
 * before then is evidence, so a proof that is delayed on its way accuses nobody.
 */
export interface Challenge {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  readonly epoch: number;
  readonly counter: number;
}

/** Issues a challenge for a chain as it stands. `nonce` is 32 fresh random bytes; it alone is sent. */
export function issueChallenge(chain: NodeChain, nonce: Uint8Array): Challenge {
  return { nonce, epoch: chain.keys.epoch, counter: chain.keys.counter };
}

/** Which state a party says that it holds. */
export interface Proof {
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
  readonly epoch: number;
  readonly counter: number;
  readonly nonce: Uint8Array;
}

/**
 * ATK-9: the device proves its newest state in answer to a challenge. While it has an unconfirmed epoch e+1 it proves e
 * as well, over the proof of e+1: when another party took the step from e, the node does not know this e+1.
 * @throws BAD_ENCODING when the challenge is not 32 bytes
 */
export function proveState(context: ProtocolContext, chain: DeviceChain, challenge: Uint8Array): Uint8Array {
  if (challenge.length !== NONCE_LENGTH) throw new SymmetraError('BAD_ENCODING', 'a challenge has 32 bytes');
  const { parties } = chain;
  const newest = newestKeys(chain);
  const claim = preamble(context)
    .raw(parties.deviceId)
    .text(parties.nodeId)
    .u64(newest.epoch)
    .u64(newest.counter)
    .raw(challenge)
    .finish();
  const tag = proofTag(context, parties, newest, claim);
  const shown = new Writer().bytes(claim).bytes(tag).finish();
  const formerTag = newest === chain.keys ? EMPTY : proofTag(context, parties, chain.keys, shown);
  return new Writer().raw(shown).bytes(formerTag).finish();
}

function proofTag(
  context: ProtocolContext,
  parties: ChainParties,
  keys: Pick<EpochKeys, 'suiteId' | 'epoch' | 'evidenceKey'>,
  shown: Uint8Array,
): Uint8Array {
  const suite = context.suites.get(keys.suiteId);
  const kdf = epochContext(context, parties, keys.epoch, EMPTY);
  const key = expand(suite, keys.evidenceKey.bytes, 'ratchetChallenge', kdf);
  const tag = suite.mac(key, shown);
  key.fill(0);
  return tag;
}

/** Reads a proof without judging it. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function inspectProof(context: ProtocolContext, bytes: Uint8Array): Proof {
  return decodeClaim(context, decodeFrame(bytes).claim);
}

interface ProofFrame {
  readonly claim: Uint8Array;
  readonly tag: Uint8Array;
  /** Under the epoch before the one that the claim names, over claim and tag; empty without one. */
  readonly formerTag: Uint8Array;
}

function decodeFrame(bytes: Uint8Array): ProofFrame {
  const reader = new Reader(bytes, 'proof');
  const frame = { claim: reader.bytes(), tag: reader.bytes(MAX_TAG), formerTag: reader.bytes(MAX_TAG) };
  reader.end();
  return frame;
}

function decodeClaim(context: ProtocolContext, bytes: Uint8Array): Proof {
  const reader = new Reader(bytes, 'proof');
  readPreamble(context, reader);
  const proof = {
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    nodeId: readNodeId(reader),
    epoch: readCount(reader),
    counter: readCount(reader),
    nonce: reader.raw(NONCE_LENGTH),
  };
  reader.end();
  return proof;
}

/**
 * ATK-9: judges a proof: `left` means that a party holds a state which the chain had left when the challenge was
 * issued (raise clone-suspected); `current` accuses nobody. An unconfirmed epoch that the node does not know counts for
 * nothing: then the epoch before it is judged.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, AUTHENTICATION_FAILED
 */
export function judgeProof(
  context: ProtocolContext,
  chain: NodeChain,
  challenge: Challenge,
  bytes: Uint8Array,
): 'current' | 'left' {
  const frame = decodeFrame(bytes);
  const proof = decodeClaim(context, frame.claim);
  const { parties } = chain;
  const answers =
    proof.nodeId === parties.nodeId &&
    equalConstantTime(proof.deviceId, parties.deviceId) &&
    equalConstantTime(proof.nonce, challenge.nonce);
  const proves = (epoch: number, tag: Uint8Array, shown: Uint8Array): boolean | undefined => {
    const found = evidenceFor(chain, epoch);
    return found && equalConstantTime(tag, proofTag(context, parties, { ...found, epoch }, shown));
  };
  const newest = proves(proof.epoch, frame.tag, frame.claim);
  const shown = new Writer().bytes(frame.claim).bytes(frame.tag).finish();
  const former = frame.formerTag.length > 0 ? proves(proof.epoch - 1, frame.formerTag, shown) : undefined;
  if (answers && newest === true && former !== false) {
    const sameEpoch = proof.epoch === challenge.epoch;
    return proof.epoch < challenge.epoch || (sameEpoch && proof.counter < challenge.counter)
      ? 'left'
      : 'current';
  }
  if (answers && former === true) return proof.epoch - 1 < challenge.epoch ? 'left' : 'current';
  throw new AuthenticationError('the proof does not verify');
}
