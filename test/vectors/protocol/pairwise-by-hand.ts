import type { InitiatorContinuity } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { NODE_IDS } from './network.js';
import { NETWORK_ID, fixed } from './vector.js';
import type { Bench } from './vector.js';

export const ALICE = fixed('device id of Alice', 32);
export const BOB = fixed('device id of Bob', 32);
export const PURPOSE = 'doorbell';
export const ASKED = { lifetimeSeconds: 86_400, uses: 0 };
export const MAXIMUM = { lifetimeSeconds: 43_200, uses: 100 };

/** What is random in a negotiation. */
export interface Inputs {
  readonly keyId: Uint8Array;
  readonly split: Uint8Array;
  readonly coefficients: Uint8Array;
  readonly seed: Uint8Array | undefined;
  readonly nonce: Uint8Array;
  readonly coins: Uint8Array;
}

/** The continuity secret that the header offers, if it offers one. */
export type Offered = InitiatorContinuity['newest'];

/** Values that belong to the nodes at place 1, 2, ... */
export function numbered(name: string, values: readonly Uint8Array[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value, i) => [`${name} ${i + 1}`, by.hex(value)]));
}

export function pairContext(keyId: Uint8Array, transcriptHash: Uint8Array): by.HandContext {
  return { networkId: NETWORK_ID, initiator: ALICE, responder: BOB, epoch: keyId, transcriptHash };
}

/** The header of a negotiation, and what went into it. */
export interface HandHeader {
  readonly bytes: Uint8Array;
  readonly commitments: readonly Uint8Array[];
  readonly direct:
    { readonly seed: Uint8Array; readonly publicKey: Uint8Array; readonly hash: Uint8Array } | undefined;
  readonly offer: { readonly id: Uint8Array; readonly key: Uint8Array; readonly tag: Uint8Array } | undefined;
}

export function headerByHand(
  { suite, hand }: Bench,
  inputs: Inputs,
  shares: readonly Uint8Array[],
  offered: Offered,
): HandHeader {
  const { keyId, seed } = inputs;
  const commitments = shares.map((share, i) =>
    by.hash(hand, by.text('symmetra/1 pair share'), keyId, by.u8(i + 1), share),
  );
  const publicKey = seed && suite.kem.keygen(seed).publicKey;
  const direct = seed && publicKey ? { seed, publicKey, hash: by.hash(hand, publicKey) } : undefined;
  const offer = offered && {
    id: offered.id,
    ...by.taggedUnder(
      hand,
      offered.secret.bytes,
      'pair continuity-offer',
      pairContext(keyId, by.NONE),
      keyId,
    ),
  };
  const header = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    ALICE,
    BOB,
    keyId,
    by.text(PURPOSE),
    by.u16(32),
    by.u32(ASKED.lifetimeSeconds),
    by.u32(ASKED.uses),
    by.u8(2),
    by.list(NODE_IDS, by.text),
    by.list(commitments, by.bytes),
    by.bytes(direct?.hash ?? by.NONE),
    by.list(offer ? [offer] : [], ({ id, tag }) => by.raw(id, by.bytes(tag))),
    by.u64(7),
    by.u64(3),
  );
  return { bytes: header, commitments, direct, offer };
}

/** What the response says, and the secrets behind it. */
export interface HandResponse {
  readonly body: Uint8Array;
  readonly transcriptHash: Uint8Array;
  readonly direct: { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array } | undefined;
  readonly secrets: readonly Uint8Array[];
}

export function responseByHand(
  { suite, hand }: Bench,
  inputs: Inputs,
  header: HandHeader,
  offered: Offered,
): HandResponse {
  const direct = header.direct && suite.kem.encapsulate(header.direct.publicKey, inputs.coins);
  const body = by.raw(
    by.bytes(direct?.ciphertext ?? by.NONE),
    inputs.nonce,
    by.list([1, 3], by.u8),
    by.u32(MAXIMUM.lifetimeSeconds),
    by.u32(MAXIMUM.uses),
    by.bytes(offered?.id ?? by.NONE),
  );
  return {
    body,
    transcriptHash: by.hash(hand, by.bytes(header.bytes), body),
    direct,
    secrets: [inputs.split, direct?.sharedSecret ?? by.NONE, offered?.secret.bytes ?? by.NONE],
  };
}

export function outputsByHand(
  hand: by.HandSuite,
  keyId: Uint8Array,
  { transcriptHash, secrets }: HandResponse,
) {
  const context = pairContext(keyId, transcriptHash);
  const prk = by.expand(hand, by.extract(hand, 'pair prk', secrets), 'pair prk', context);
  const derive = (label: string, length?: number): Uint8Array => by.expand(hand, prk, label, context, length);
  const tagged = (label: string): ReturnType<typeof by.taggedUnder> =>
    by.taggedUnder(hand, prk, label, context, transcriptHash);
  const continuity = derive('pair continuity');
  return {
    prk,
    application: derive('pair application', 32),
    tls: derive('pair tls'),
    continuity,
    continuityId: by.expand(hand, continuity, 'pair continuity-id', context, 16),
    fingerprint: derive('pair fingerprint', 16),
    responder: tagged('pair confirm-responder'),
    initiator: tagged('pair confirm-initiator'),
    acknowledge: tagged('pair acknowledge'),
  };
}
