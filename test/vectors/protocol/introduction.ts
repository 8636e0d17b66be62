import {
  checkIntroductionPart,
  completeIntroduction,
  decodeIntroductionPart,
  encodeDeviceFacts,
  encodeIntroductionPart,
  introductionRequests,
  startIntroduction,
  tokenIdOf,
} from '@symmetra/protocol';
import type { Descriptor, IntroductionPart } from '@symmetra/protocol';
import { Secret, suites } from '@symmetra/crypto';
import * as by from './by-hand.js';
import { NODE_IDS, vectorNode } from './network.js';
import { numbered } from './pairwise-by-hand.js';
import { tokenSecret } from './token.js';
import { NETWORK_ID, agreed, fixed } from './vector.js';
import type { Vector } from './vector.js';

const SUITE_1 = by.HAND_SUITES[0] as by.HandSuite;
const CONTEXT = { networkId: NETWORK_ID, suites };
const [FIRST, SECOND, NEW] = NODE_IDS;
const THRESHOLD = 2;
const VERSION = 8;
const FACTS = { account: 'household', name: 'thermometer', tags: [{ key: 'site', value: 'cellar' }] };

/** ENR-9 to ENR-12: a device that two nodes introduce to a third one. Always suite 1. */
export function introductionVector(): Vector {
  const tokenId = tokenIdOf(NETWORK_ID, tokenSecret());
  const enrolmentNonce = fixed('n_E', 32);
  const nodeKeyHash = vectorNode(NEW).keyHash;
  const inputs = { secret: fixed('S of the introduction', 32), coefficients: fixed('its coefficients', 32) };
  const secret = inputs.secret.slice();
  const coefficients = inputs.coefficients.slice();
  const nodes = [FIRST, SECOND];
  const start = { tokenId, enrolmentNonce, nodeId: NEW, nodeKeyHash, nodes };
  const { state } = startIntroduction(
    CONTEXT,
    { ...start, descriptorVersion: VERSION, threshold: THRESHOLD },
    inputs,
  );
  const shares = introductionRequests(state).map(({ share }) => share.slice());
  const header = headerByHand(tokenId, enrolmentNonce, nodeKeyHash, shares);
  const facts = by.raw(
    by.text(FACTS.account),
    by.text(FACTS.name),
    by.list(FACTS.tags, ({ key, value }) => by.raw(by.text(key), by.text(value))),
  );
  const parts = shares.map((share) => by.raw(by.bytes(header.bytes), share, by.bytes(facts)));
  const prk = by.extract(SUITE_1, 'intro token', [secret]);
  const token = by.expand(SUITE_1, prk, 'intro token', {
    networkId: NETWORK_ID,
    initiator: header.deviceId,
    responder: by.utf8(NEW),
    epoch: by.u64(0),
    transcriptHash: by.sha256(header.bytes),
  });
  const rebuilt = introducedAtNode(parts);
  return {
    'ENR-9 introduction': {
      'token id': by.hex(tokenId),
      enrolmentNonce: by.hex(enrolmentNonce),
      deviceId: by.hex(header.deviceId),
      'new node': NEW,
      'key hash': by.hex(nodeKeyHash),
      descriptorVersion: VERSION,
      threshold: THRESHOLD,
      'node 1': FIRST,
      'node 2': SECOND,
      S: by.hex(secret),
      coefficients: by.hex(coefficients),
      ...numbered('share', shares),
      ...numbered('commitment', header.commitments),
      header: agreed('the header', state.header, header.bytes),
      't_new PRK': by.hex(prk),
      t_new: agreed('t_new of the device', state.token.bytes, token),
    },
    'ENR-10 parts': {
      ...FACTS.tags[0],
      account: FACTS.account,
      name: FACTS.name,
      facts: agreed('the facts', encodeDeviceFacts(FACTS), facts),
      ...Object.fromEntries(
        parts.map((part, i) => [
          `part ${i + 1}`,
          agreed(
            `part ${i + 1}`,
            encodeIntroductionPart({
              header: state.header,
              share: Secret.of('Share', (shares[i] as Uint8Array).slice()),
              facts: encodeDeviceFacts(FACTS),
            }),
            part,
          ),
        ]),
      ),
      receipt: by.hex(by.sha256(header.bytes)),
    },
    'ENR-12 introduced': { t_new: agreed('t_new of the new node', rebuilt, token) },
  };
}

function headerByHand(
  tokenId: Uint8Array,
  enrolmentNonce: Uint8Array,
  nodeKeyHash: Uint8Array,
  shares: readonly Uint8Array[],
): {
  readonly bytes: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly commitments: readonly Uint8Array[];
} {
  const deviceId = by.sha256(by.text('symmetra/1 enrol device-id'), tokenId, enrolmentNonce);
  const commitments = shares.map((share, i) =>
    by.sha256(by.text('symmetra/1 intro share'), deviceId, by.text(NEW), by.u8(i + 1), share),
  );
  const bytes = by.raw(
    by.u8(1),
    NETWORK_ID,
    deviceId,
    tokenId,
    enrolmentNonce,
    by.text(NEW),
    nodeKeyHash,
    by.u64(VERSION),
    by.u8(THRESHOLD),
    by.list([FIRST, SECOND], by.text),
    by.list(commitments, (commitment) => commitment),
  );
  return { bytes, deviceId, commitments };
}

/** t_new as the new node makes it of the parts. */
function introducedAtNode(parts: readonly Uint8Array[]): Uint8Array {
  const descriptor: Descriptor = {
    networkId: NETWORK_ID,
    version: VERSION,
    nodes: NODE_IDS.map((id) => ({
      id,
      addresses: [],
      kemKeys: vectorNode(id).kemKeys,
      signingKey: by.NONE,
      operator: '',
    })),
    suites: suites.ids(),
    threshold: THRESHOLD,
    administrators: [],
    administratorThreshold: 1,
  };
  const node = { nodeId: NEW, nodeKeyHash: vectorNode(NEW).keyHash, descriptor };
  const [first, second] = parts.map((bytes, i): IntroductionPart => {
    const part = decodeIntroductionPart(bytes);
    checkIntroductionPart(CONTEXT, node, [FIRST, SECOND][i] as string, part);
    return part;
  });
  if (first === undefined || second === undefined) throw new Error('there are two parts');
  const done = completeIntroduction(CONTEXT, { from: SECOND, part: second }, new Map([[FIRST, first]]));
  if (done === undefined) throw new Error('two parts are enough');
  return done.token.bytes;
}
