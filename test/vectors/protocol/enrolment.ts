import type { Secret, suites } from '@symmetra/crypto';
import {
  beginChain,
  beginNodeChain,
  deviceIdOf,
  nodeTokenSecret,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  startEnrolment,
  tokenIdOf,
} from '@symmetra/protocol';
import type { DeviceChain, Enrolled, EnrolledDevice, NodeChain, TokenRecord } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { NODE_IDS, vectorNode } from './network.js';
import { EXPIRES_MS, shareByHand, tokenSecret } from './token.js';
import { NETWORK_ID, agreed, bench, fixed } from './vector.js';
import type { Bench, Vector } from './vector.js';

const NAME = 'thermometer';
const ACCOUNT = 'household';

/** Both ends after an enrolment at one node, in epoch 0. */
export interface EnrolmentEnds {
  readonly device: DeviceChain;
  readonly node: NodeChain;
  readonly vector: Vector;
}

/** ENR-2 to ENR-8 and ATK-1, with the first node of the network. */
export function enrolment(table: typeof suites, suiteId: number): EnrolmentEnds {
  const b = bench(table, suiteId);
  const node = vectorNode(NODE_IDS[0]);
  const key = node.secretKeys.get(suiteId);
  if (key === undefined) throw new Error('every node has a key of every suite');
  const tokenId = tokenIdOf(NETWORK_ID, tokenSecret());
  const share = (): Secret<'NodeTokenSecret'> =>
    nodeTokenSecret(NETWORK_ID, tokenSecret(), node.id, node.keyHash);
  const { kem } = b.suite;
  const inputs = {
    enrolmentNonce: fixed('n_E', 32),
    seed: fixed('seed of epk_D', kem.seedLength),
    coins: fixed('coins of ct1', kem.coinsLength),
    nodeNonce: fixed('n_N of the enrolment', 32),
    nodeCoins: fixed('coins of ct2', kem.coinsLength),
  };
  const start = {
    suiteId,
    tokenId,
    token: share(),
    enrolmentNonce: inputs.enrolmentNonce,
    nodeId: node.id,
    nodeKeyHash: node.keyHash,
    nodeKemKey: key.publicKey,
    descriptorVersion: 7,
    name: NAME,
  };
  const offered = startEnrolment(b.context, start, inputs);
  const record: TokenRecord = {
    tokenId,
    account: ACCOUNT,
    uses: 1,
    expiresMs: EXPIRES_MS,
    token: share(),
    claims: [],
  };
  const rules = {
    nodeId: node.id,
    nodeKeyHash: node.keyHash,
    kemKeys: node.secretKeys,
    allowedSuites: [1, 2, 3],
    descriptorVersion: 7,
    reservationMs: 60_000,
  };
  const random = { nonce: inputs.nodeNonce, coins: inputs.nodeCoins };
  const reserved = receiveOffer(b.context, rules, record, offered.output, 1_000, random);
  const confirming = receiveAnswer(b.context, offered.state, reserved.output);
  const spent = receiveConfirmation(reserved.state, confirming.output);
  const enrolled = receiveAcknowledgement(confirming.state, spent.output.acknowledgement);
  if (spent.output.enrolled === undefined) throw new Error('the confirmation enrols');

  const wire = {
    offer: offered.output,
    answer: reserved.output,
    confirmation: confirming.output,
    acknowledgement: spent.output.acknowledgement,
  };
  const vector = enrolmentVector(b, inputs, wire, enrolled.state, spent.output.enrolled);
  const device = beginChain(b.context, enrolled.state, 'bootstrap').state;
  const nodeChain = beginNodeChain(b.context, node.id, spent.output.enrolled, 'bootstrap').state;
  return {
    device,
    node: nodeChain,
    vector: { ...vector, 'ATK-1 epoch 0': epochZero(b, vector, device, nodeChain) },
  };
}

function enrolmentVector(
  { suite, hand }: Bench,
  inputs: Readonly<Record<'enrolmentNonce' | 'seed' | 'coins' | 'nodeNonce' | 'nodeCoins', Uint8Array>>,
  wire: Readonly<Record<'offer' | 'answer' | 'confirmation' | 'acknowledgement', Uint8Array>>,
  enrolled: Enrolled,
  atNode: EnrolledDevice,
): Vector {
  const node = vectorNode(NODE_IDS[0]);
  const tokenId = tokenIdOf(NETWORK_ID, tokenSecret());
  const share = shareByHand(node.id).secret;
  const staticKey = node.secretKeys.get(hand.id)?.publicKey ?? by.NONE;
  const ephemeral = suite.kem.keygen(inputs.seed);
  const first = suite.kem.encapsulate(staticKey, inputs.coins);
  const second = suite.kem.encapsulate(ephemeral.publicKey, inputs.nodeCoins);
  const deviceId = by.sha256(by.text('symmetra/1 enrol device-id'), tokenId, inputs.enrolmentNonce);
  const body = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    by.text(node.id),
    by.u64(7),
    tokenId,
    inputs.enrolmentNonce,
    by.bytes(ephemeral.publicKey),
    by.bytes(first.ciphertext),
    by.text(NAME),
  );
  const context = (transcriptHash: Uint8Array): by.HandContext => ({
    networkId: NETWORK_ID,
    initiator: deviceId,
    responder: by.utf8(node.id),
    epoch: by.u64(0),
    transcriptHash,
  });
  const filterPrk = by.extract(hand, 'enrol filter', [share]);
  const filter = by.taggedUnder(hand, filterPrk, 'enrol filter', context(node.keyHash), body);
  const offerPrk = by.extract(hand, 'enrol request', [share, first.sharedSecret]);
  const offer = by.taggedUnder(hand, offerPrk, 'enrol request', context(by.hash(hand, body)), body);
  const transcript = by.raw(
    by.bytes(body),
    inputs.nodeNonce,
    by.bytes(second.ciphertext),
    by.text(ACCOUNT),
    node.keyHash,
  );
  const transcriptHash = by.hash(hand, transcript);
  const bound = context(transcriptHash);
  const prk = by.extract(hand, 'enrol bootstrap', [share, first.sharedSecret, second.sharedSecret]);
  const bootstrapKey = by.expand(hand, prk, 'enrol bootstrap', bound);
  const nodeTag = by.taggedUnder(hand, bootstrapKey, 'enrol node', bound, transcriptHash);
  const deviceTag = by.taggedUnder(hand, bootstrapKey, 'enrol device', bound, transcriptHash);
  const ackTag = by.taggedUnder(hand, bootstrapKey, 'enrol ack', bound, transcriptHash);
  agreed('the device id', deviceIdOf(tokenId, inputs.enrolmentNonce), deviceId);
  agreed('the bootstrap key of the node', atNode.bootstrapKey.bytes, bootstrapKey);
  return {
    'ENR-2 offer': {
      nodeId: node.id,
      descriptorVersion: 7,
      name: NAME,
      enrolmentNonce: by.hex(inputs.enrolmentNonce),
      deviceId: by.hex(deviceId),
      seed: by.hex(inputs.seed),
      ephemeralKey: by.hex(ephemeral.publicKey),
      coins: by.hex(inputs.coins),
      ct1: by.hex(first.ciphertext),
      ss1: by.hex(first.sharedSecret),
      m1: by.hex(body),
      'tag0 PRK': by.hex(filterPrk),
      'tag0 key': by.hex(filter.key),
      tag0: by.hex(filter.tag),
      'tag1 PRK': by.hex(offerPrk),
      'tag1 key': by.hex(offer.key),
      tag1: by.hex(offer.tag),
      message: agreed('offer', wire.offer, by.raw(by.bytes(body), by.bytes(filter.tag), by.bytes(offer.tag))),
    },
    'ENR-4 answer': {
      account: ACCOUNT,
      nonce: by.hex(inputs.nodeNonce),
      coins: by.hex(inputs.nodeCoins),
      ct2: by.hex(second.ciphertext),
      ss2: by.hex(second.sharedSecret),
      transcriptHash: by.hex(transcriptHash),
      PRK: by.hex(prk),
      'bootstrap key': agreed('bootstrap key', enrolled.bootstrapKey.bytes, bootstrapKey),
      'tagN key': by.hex(nodeTag.key),
      tagN: by.hex(nodeTag.tag),
      message: agreed(
        'answer',
        wire.answer,
        by.raw(inputs.nodeNonce, by.bytes(second.ciphertext), by.text(ACCOUNT), by.bytes(nodeTag.tag)),
      ),
    },
    'ENR-5 confirmation': {
      'tagD key': by.hex(deviceTag.key),
      tagD: by.hex(deviceTag.tag),
      message: agreed('confirmation', wire.confirmation, by.raw(tokenId, deviceId, by.bytes(deviceTag.tag))),
    },
    'ENR-7 acknowledgement': {
      key: by.hex(ackTag.key),
      message: agreed('acknowledgement', wire.acknowledgement, ackTag.tag),
    },
  };
}

/** ATK-1: what both ends derive from BK and keep. */
function epochZero({ hand }: Bench, vector: Vector, device: DeviceChain, node: NodeChain): Vector {
  const answer = vector['ENR-4 answer'] as Vector;
  const key = Buffer.from(answer['bootstrap key'] as string, 'hex');
  const context: by.HandContext = {
    networkId: NETWORK_ID,
    initiator: device.parties.deviceId,
    responder: by.utf8(node.parties.nodeId),
    epoch: by.u64(0),
    transcriptHash: Buffer.from(answer['transcriptHash'] as string, 'hex'),
  };
  return epochKeys(hand, key, context, device, node);
}

/** rk, ck_0 and ev of an epoch, which both ends hold. */
export function epochKeys(
  hand: by.HandSuite,
  epochKey: Uint8Array,
  context: by.HandContext,
  device: Pick<DeviceChain, 'keys'>,
  node: Pick<NodeChain, 'keys'>,
): Vector {
  const both = (what: string, name: 'ratchetKey' | 'chainKey' | 'evidenceKey', label: string): string => {
    const value = by.expand(hand, epochKey, label, context);
    agreed(`${what} of the node`, node.keys[name].bytes, value);
    return agreed(`${what} of the device`, device.keys[name].bytes, value);
  };
  return {
    'ratchet key': both('rk', 'ratchetKey', 'ratchet key'),
    'chain key 0': both('ck', 'chainKey', 'ratchet chain'),
    'evidence key': both('ev', 'evidenceKey', 'ratchet evidence'),
  };
}
