import type { suites } from '@symmetra/crypto';
import {
  approve,
  checkDelivery,
  coefficientLength,
  externalPsk,
  receiveConfirm,
  receivePairAcknowledge,
  receiveRefusal,
  receiveResponse,
  respond,
  startNegotiation,
  decodePairMessage,
} from '@symmetra/protocol';
import type {
  CheckedDelivery,
  HeldContinuity,
  InitiatorContinuity,
  KeyMaterial,
  NodeRequest,
  PairRequested,
  ResponderFloors,
} from '@symmetra/protocol';
import * as by from './by-hand.js';
import { NODE_IDS } from './network.js';
import {
  ALICE,
  ASKED,
  BOB,
  MAXIMUM,
  PURPOSE,
  headerByHand,
  numbered,
  outputsByHand,
  pairContext,
  responseByHand,
} from './pairwise-by-hand.js';
import type { Inputs, Offered } from './pairwise-by-hand.js';
import { agreed, bench, fixed } from './vector.js';
import type { Bench, Vector } from './vector.js';

/** What the two devices keep between negotiations. */
interface Kept {
  readonly alice: InitiatorContinuity;
  readonly bob: readonly HeldContinuity[];
}

/** PAIR-1 to PAIR-9 and CHN-1: a first negotiation with the direct KEM, one that continues it without, a refusal. */
export function pairwiseVector(table: typeof suites, suiteId: number): Vector {
  const b = bench(table, suiteId);
  const first = negotiation(b, 'first', { alice: {}, bob: [] }, true);
  const second = negotiation(b, 'second', first.kept, false);
  return {
    'first contact, direct KEM': first.vector,
    'continued, no direct KEM': second.vector,
    'PAIR-7 refusal': refusal(b, first.kept),
    'CHN-1 external PSKs': psks(b, first.key),
  };
}

function inputsOf({ suite }: Bench, name: string, direct: boolean): Inputs {
  return {
    keyId: fixed(`key id, ${name}`, 16),
    split: fixed(`S, ${name}`, 32),
    coefficients: fixed(`coefficients, ${name}`, coefficientLength(2)),
    seed: direct ? fixed(`seed of epk_A, ${name}`, suite.kem.seedLength) : undefined,
    nonce: fixed(`n_B, ${name}`, 32),
    coins: fixed(`coins of ct, ${name}`, suite.kem.coinsLength),
  };
}

function begin(
  { context, hand }: Bench,
  inputs: Inputs,
  continuity: InitiatorContinuity,
): {
  readonly state: PairRequested;
  readonly output: readonly NodeRequest[];
} {
  const { keyId, split, coefficients, seed } = inputs;
  return startNegotiation(
    context,
    {
      suiteId: hand.id,
      initiator: ALICE,
      responder: BOB,
      keyId,
      purpose: PURPOSE,
      keyLength: 32,
      limits: ASKED,
      threshold: 2,
      nodes: NODE_IDS,
      descriptorVersion: 7,
      policyRevision: 3,
      continuity,
    },
    { split: split.slice(), coefficients, ...(seed && { seed }) },
  );
}

/** PAIR-3 to PAIR-5: every node approves; the first and the third delivery arrive. */
function deliver({ context, hand }: Bench, requests: readonly NodeRequest[]): readonly CheckedDelivery[] {
  const floors = floorsOf(hand.id);
  return [0, 2].map((i) => {
    const request = requests[i] as NodeRequest;
    const rules = {
      nodeId: request.nodeId,
      descriptorVersion: 7,
      nodes: NODE_IDS,
      minimumNodes: 3,
      minimumThreshold: 2,
      allowedSuites: [hand.id],
      purposes: ['*'],
      maximum: MAXIMUM,
      requireDirectKem: false,
      stages: ['production'],
    };
    const { granted } = approve(context, rules, ALICE, request);
    return checkDelivery(context, floors, request.nodeId, { ...request, granted });
  });
}

function floorsOf(suiteId: number): ResponderFloors {
  return {
    deviceId: BOB,
    nodes: NODE_IDS,
    minimumNodes: 3,
    minimumThreshold: 2,
    minimumDescriptorVersion: 1,
    allowedSuites: [suiteId],
    requireDirectKem: false,
    firstContactAll: false,
  };
}

function negotiation(
  b: Bench,
  name: string,
  kept: Kept,
  direct: boolean,
): { readonly vector: Vector; readonly kept: Kept; readonly key: KeyMaterial } {
  const inputs = inputsOf(b, name, direct);
  const { state, output } = begin(b, inputs, kept.alice);
  const shares = output.map(({ share }) => share.slice());
  const { nonce, coins } = inputs;
  const answered = respond(b.context, floorsOf(b.hand.id), deliver(b, output), kept.bob, { nonce, coins });
  if (answered.state.kind !== 'responded') throw new Error('the responder answers');
  const confirmed = receiveResponse(b.context, state, kept.alice, answered.output);
  const held = receiveConfirm(answered.state, answered.held, confirmed.output);
  const finished = receivePairAcknowledge(confirmed.state, confirmed.continuity, held.output);
  const ends = { alice: finished.state.key, bob: held.state.key };
  const wire = { response: answered.output, confirm: confirmed.output, acknowledge: held.output };
  const offered = kept.alice.newest;
  const vector = negotiationVector(b, inputs, state, shares, wire, ends, offered, {
    id: finished.continuity.newest?.id ?? by.NONE,
    secret: finished.continuity.newest?.secret.bytes ?? by.NONE,
  });
  return { vector, kept: { alice: finished.continuity, bob: held.held }, key: finished.state.key };
}

function negotiationVector(
  b: Bench,
  inputs: Inputs,
  state: PairRequested,
  shares: readonly Uint8Array[],
  wire: Readonly<Record<'response' | 'confirm' | 'acknowledge', Uint8Array>>,
  ends: Readonly<Record<'alice' | 'bob', KeyMaterial>>,
  offered: Offered,
  continuity: { readonly id: Uint8Array; readonly secret: Uint8Array },
): Vector {
  const header = headerByHand(b, inputs, shares, offered);
  const response = responseByHand(b, inputs, header, offered);
  const out = outputsByHand(b.hand, inputs.keyId, response);
  for (const key of Object.values(ends)) {
    agreed('application key', key.applicationKey.bytes, out.application);
    agreed('TLS key', key.tlsKey.bytes, out.tls);
    agreed('fingerprint', key.fingerprint, out.fingerprint);
  }
  agreed('continuity secret', continuity.secret, out.continuity);
  agreed('continuity id', continuity.id, out.continuityId);
  const message = (type: number, tag: Uint8Array): Uint8Array =>
    by.raw(by.u8(type), inputs.keyId, by.bytes(tag));
  const responseMessage = by.raw(by.u8(1), inputs.keyId, response.body, by.bytes(out.responder.tag));
  return {
    'PAIR-1 header': {
      keyId: by.hex(inputs.keyId),
      S: by.hex(inputs.split),
      coefficients: by.hex(inputs.coefficients),
      ...numbered('share', shares),
      ...numbered('commitment', header.commitments),
      ...(header.direct && {
        seed: by.hex(header.direct.seed),
        ephemeralKey: by.hex(header.direct.publicKey),
        'ephemeral key hash': by.hex(header.direct.hash),
      }),
      ...(header.offer && {
        'continuity id': by.hex(header.offer.id),
        'offer key': by.hex(header.offer.key),
        'offer tag': by.hex(header.offer.tag),
      }),
      header: agreed('header', state.header, header.bytes),
      'header hash': agreed('header hash', state.headerHash, by.hash(b.hand, header.bytes)),
    },
    'PAIR-3 limits granted by each node': { lifetimeSeconds: 43_200, uses: 100 },
    'PAIR-7 response': {
      ...(response.direct && {
        coins: by.hex(inputs.coins),
        ct: by.hex(response.direct.ciphertext),
        ss: by.hex(response.direct.sharedSecret),
      }),
      nonce: by.hex(inputs.nonce),
      'nodes used': 'places 1 and 3',
      transcriptHash: by.hex(response.transcriptHash),
      PRK: by.hex(out.prk),
      'application key': by.hex(out.application),
      'TLS key': by.hex(out.tls),
      'continuity secret': by.hex(out.continuity),
      'continuity id': by.hex(out.continuityId),
      fingerprint: by.hex(out.fingerprint),
      'tag key': by.hex(out.responder.key),
      tag: by.hex(out.responder.tag),
      message: agreed('response', wire.response, responseMessage),
    },
    'PAIR-8 confirmation': {
      'tag key': by.hex(out.initiator.key),
      tag: by.hex(out.initiator.tag),
      message: agreed('confirmation', wire.confirm, message(2, out.initiator.tag)),
    },
    'PAIR-9 acknowledgement': {
      'tag key': by.hex(out.acknowledge.key),
      tag: by.hex(out.acknowledge.tag),
      message: agreed('acknowledgement', wire.acknowledge, message(3, out.acknowledge.tag)),
    },
  };
}

/** PAIR-7: Bob holds continuity with Alice, who offers none: she gets a refusal that only Bob can have made. */
function refusal(b: Bench, kept: Kept): Vector {
  const inputs = inputsOf(b, 'refused', false);
  const { state, output } = begin(b, inputs, {});
  const { nonce, coins } = inputs;
  const shares = output.map(({ share }) => share.slice());
  const refused = respond(b.context, floorsOf(b.hand.id), deliver(b, output), kept.bob, { nonce, coins });
  const header = headerByHand(b, inputs, shares, undefined);
  const context = pairContext(inputs.keyId, by.hash(b.hand, header.bytes));
  const prk = by.extract(b.hand, 'pair refusal', [inputs.split]);
  const { key, tag } = by.taggedUnder(b.hand, prk, 'pair refusal', context, by.text('CONTINUITY_REQUIRED'));
  const message = decodePairMessage(refused.output);
  if (message.kind !== 'refuse' || receiveRefusal(b.context, state, message) !== 'CONTINUITY_REQUIRED') {
    throw new Error('the responder refuses');
  }
  return {
    keyId: by.hex(inputs.keyId),
    S: by.hex(inputs.split),
    header: agreed('header of the refused negotiation', state.header, header.bytes),
    PRK: by.hex(prk),
    'tag key': by.hex(key),
    code: 'CONTINUITY_REQUIRED',
    message: agreed(
      'refusal',
      refused.output,
      by.raw(by.u8(4), inputs.keyId, by.text('CONTINUITY_REQUIRED'), by.bytes(tag)),
    ),
  };
}

/** CHN-1: the first two connections of each direction. */
function psks({ context, hand }: Bench, key: KeyMaterial): Vector {
  const one = (client: 'initiator' | 'responder', counter: number): Vector => {
    const kdf = pairContext(key.keyId, by.hash(hand, by.utf8(client), by.u64(counter)));
    const psk = externalPsk(context, key, client, counter);
    const identity = by.hex(by.expand(hand, key.tlsKey.bytes, 'pair tls-identity', kdf, 16));
    if (identity !== psk.identity) throw new Error('the identity of the PSK is another one');
    const value = by.expand(hand, key.tlsKey.bytes, 'pair tls-psk', kdf, 32);
    return { identity, key: agreed('external PSK', psk.key.bytes, value) };
  };
  return {
    'client initiator, counter 0': one('initiator', 0),
    'client initiator, counter 1': one('initiator', 1),
    'client responder, counter 0': one('responder', 0),
    'client responder, counter 1': one('responder', 1),
  };
}
