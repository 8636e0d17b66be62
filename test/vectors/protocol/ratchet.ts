import type { suites } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  grantStage,
  receiveR1,
  receiveR2,
  receiveR3,
  receiveR4,
  startStep,
} from '@symmetra/protocol';
import type { ChainConfirming, DeviceChain, NodeChain } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { epochKeys } from './enrolment.js';
import { vectorNode } from './network.js';
import { NETWORK_ID, agreed, bench, fixed } from './vector.js';
import type { Vector } from './vector.js';

/** Both ends of a chain. */
export interface Ends {
  readonly device: DeviceChain;
  readonly node: NodeChain;
}

interface StepInputs {
  readonly nonce: Uint8Array;
  readonly codeNonce: Uint8Array;
  readonly seed: Uint8Array;
  readonly coins: Uint8Array;
  readonly nodeNonce: Uint8Array;
  readonly nodeCoins: Uint8Array;
  readonly entropy: Uint8Array;
  readonly nodeCodeNonce: Uint8Array;
}

/** What a step leaves behind. */
export interface StepResult extends Ends {
  /** The device between R3 and R4, with both epochs. */
  readonly confirming: ChainConfirming;
  readonly vector: Vector;
}

/** The context of an epoch of a chain. */
export function chainContext(
  chain: DeviceChain,
  epoch: Uint8Array,
  transcriptHash: Uint8Array,
): by.HandContext {
  const { deviceId, nodeId } = chain.parties;
  return { networkId: NETWORK_ID, initiator: deviceId, responder: by.utf8(nodeId), epoch, transcriptHash };
}

/** ATK-2 to ATK-7: one step to an epoch of suite `nextId`, asking for `stage`. */
export function ratchetStep(table: typeof suites, ends: Ends, nextId: number, stage: string): StepResult {
  const now = bench(table, ends.device.keys.suiteId);
  const next = bench(table, nextId);
  const { kem } = next.suite;
  const epoch = ends.device.keys.epoch;
  const name = (what: string): string => `${what} of the step from epoch ${epoch}`;
  const inputs: StepInputs = {
    nonce: fixed(name('n_D'), 32),
    codeNonce: fixed(name('code nonce'), 32),
    seed: fixed(name('seed'), kem.seedLength),
    coins: fixed(name('coins'), kem.coinsLength),
    nodeNonce: fixed(name('n_N'), 32),
    nodeCoins: fixed(name('node coins'), kem.coinsLength),
    entropy: fixed(name('q'), 32),
    nodeCodeNonce: fixed(name('node code nonce'), 32),
  };
  const key = vectorNode(ends.node.parties.nodeId).secretKeys.get(nextId);
  if (key === undefined) throw new Error('every node has a key of every suite');
  const request = { suiteId: nextId, stage, nodeKemKey: key.publicKey };
  const stepping = startStep(next.context, ends.device, request, inputs);
  const rules = {
    kemKeys: vectorNode(ends.node.parties.nodeId).secretKeys,
    allowedSuites: [1, 2, 3],
    grantStage: (present: string, asked: string) => grantStage(DEFAULT_POLICY, present, asked),
  };
  const pending = receiveR1(next.context, ends.node, rules, stepping.output, {
    nonce: inputs.nodeNonce,
    coins: inputs.nodeCoins,
    entropy: inputs.entropy,
    codeNonce: inputs.nodeCodeNonce,
  });
  if (pending.output.kind !== 'r2') throw new Error('R1 gets R2');
  const confirming = receiveR2(next.context, stepping.state, pending.output.r2);
  const committed = receiveR3(next.context, pending.state, confirming.output);
  const settled = receiveR4(confirming.state, committed.output);
  const wire = {
    r1: stepping.output,
    r2: pending.output.r2,
    r3: confirming.output,
    r4: committed.output,
  };
  return {
    device: settled.state,
    node: committed.state,
    confirming: confirming.state,
    vector: stepVector(now.hand, next, ends, { device: settled.state, node: committed.state }, inputs, wire, {
      stage,
      nodeKey: key.publicKey,
    }),
  };
}

function stepVector(
  hand: by.HandSuite,
  next: ReturnType<typeof bench>,
  before: Ends,
  after: Ends,
  inputs: StepInputs,
  wire: Readonly<Record<'r1' | 'r2' | 'r3' | 'r4', Uint8Array>>,
  asked: { readonly stage: string; readonly nodeKey: Uint8Array },
): Vector {
  const { device } = before;
  const { deviceId, nodeId } = device.parties;
  const { epoch, ratchetKey, evidenceKey } = device.keys;
  const { kem } = next.suite;
  const here = (hash: Uint8Array): by.HandContext => chainContext(device, by.u64(epoch), hash);

  const ephemeral = kem.keygen(inputs.seed);
  const first = kem.encapsulate(asked.nodeKey, inputs.coins);
  const head = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    by.u8(next.hand.id),
    deviceId,
    by.text(nodeId),
    by.u64(epoch),
    inputs.nonce,
  );
  const commitment = by.hash(next.hand, by.text('symmetra/1 ratchet code-commit'), inputs.codeNonce);
  const body1 = by.raw(
    by.bytes(ephemeral.publicKey),
    by.bytes(first.ciphertext),
    by.text(asked.stage),
    by.bytes(commitment),
  );
  const seal1 = by.sealOnce(
    hand,
    ratchetKey.bytes,
    'ratchet r1-seal',
    here(by.NONE),
    inputs.nonce,
    head,
    body1,
  );
  const tag1 = by.taggedUnder(
    hand,
    evidenceKey.bytes,
    'ratchet r1-mac',
    here(by.NONE),
    by.raw(by.bytes(head), by.bytes(seal1.sealed)),
  );
  const r1 = by.raw(by.bytes(head), by.bytes(seal1.sealed), by.bytes(tag1.tag));

  const second = kem.encapsulate(ephemeral.publicKey, inputs.nodeCoins);
  const stage = after.device.keys.stage;
  const body2 = by.raw(by.bytes(second.ciphertext), inputs.entropy, by.text(stage), inputs.nodeCodeNonce);
  const seal2 = by.sealOnce(
    hand,
    ratchetKey.bytes,
    'ratchet r2-seal',
    here(inputs.nonce),
    inputs.nodeNonce,
    by.NONE,
    body2,
  );
  const transcriptHash = by.hash(next.hand, by.bytes(r1), inputs.nodeNonce, by.bytes(seal2.sealed));
  const bound = by.hash(next.hand, by.bytes(transcriptHash), by.text(stage));
  const there = chainContext(device, by.u64(epoch + 1), bound);
  const prk = by.extract(next.hand, 'ratchet epoch', [
    ratchetKey.bytes,
    first.sharedSecret,
    second.sharedSecret,
    inputs.entropy,
  ]);
  const epochKey = by.expand(next.hand, prk, 'ratchet epoch', there);
  const nodeTag = by.taggedUnder(next.hand, epochKey, 'ratchet node', there, transcriptHash);
  const deviceTag = by.taggedUnder(
    next.hand,
    epochKey,
    'ratchet device',
    there,
    by.raw(by.bytes(transcriptHash), inputs.codeNonce),
  );
  const ackTag = by.taggedUnder(next.hand, epochKey, 'ratchet ack', there, transcriptHash);
  const r3 = by.raw(
    by.u8(1),
    NETWORK_ID,
    deviceId,
    by.text(nodeId),
    by.u64(epoch + 1),
    inputs.codeNonce,
    by.bytes(deviceTag.tag),
  );
  return {
    'ATK-2 R1': {
      nonce: by.hex(inputs.nonce),
      stage: asked.stage,
      'next suite': next.hand.id,
      codeNonce: by.hex(inputs.codeNonce),
      codeCommitment: by.hex(commitment),
      seed: by.hex(inputs.seed),
      ephemeralKey: by.hex(ephemeral.publicKey),
      coins: by.hex(inputs.coins),
      ct_s: by.hex(first.ciphertext),
      ss_s: by.hex(first.sharedSecret),
      head: by.hex(head),
      messageKey: by.hex(seal1.messageKey),
      'tag key': by.hex(tag1.key),
      tag: by.hex(tag1.tag),
      message: agreed('R1', wire.r1, r1),
    },
    'ATK-4 R2': {
      nonce: by.hex(inputs.nodeNonce),
      q: by.hex(inputs.entropy),
      'stage granted': stage,
      codeNonce: by.hex(inputs.nodeCodeNonce),
      coins: by.hex(inputs.nodeCoins),
      ct_e: by.hex(second.ciphertext),
      ss_e: by.hex(second.sharedSecret),
      messageKey: by.hex(seal2.messageKey),
      transcriptHash: by.hex(transcriptHash),
      bound: by.hex(bound),
      PRK: by.hex(prk),
      'epoch key': by.hex(epochKey),
      'tag key': by.hex(nodeTag.key),
      tag: by.hex(nodeTag.tag),
      message: agreed('R2', wire.r2, by.raw(inputs.nodeNonce, by.bytes(seal2.sealed), by.bytes(nodeTag.tag))),
    },
    'ATK-5 R3': {
      'tag key': by.hex(deviceTag.key),
      tag: by.hex(deviceTag.tag),
      message: agreed('R3', wire.r3, r3),
    },
    'ATK-7 R4': { key: by.hex(ackTag.key), message: agreed('R4', wire.r4, ackTag.tag) },
    'ATK-1 next epoch': epochKeys(next.hand, epochKey, there, after.device, after.node),
  };
}
