import { Secret } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  MAX_HELD,
  MAX_IN_FLIGHT,
  REPLAY_WINDOW,
  REQUEST_WINDOW_MS,
  decodeDescriptor,
  decodeEvent,
  decodeHeader,
  decodePairMessage,
  decodeState,
  decodeToken,
  encodeDescriptor,
  encodeEvent,
  encodeHeader,
  encodePairMessage,
  encodeState,
  encodeToken,
} from '@symmetra/protocol';
import type { ControlBody, Descriptor, EnrolmentToken, Header, Policy } from '@symmetra/protocol';
import { describe, expect, test } from 'vitest';
import * as enrolment from '../../packages/protocol/src/enrolment/messages.js';
import * as ratchet from '../../packages/protocol/src/ratchet/messages.js';
import * as session from '../../packages/protocol/src/session/messages.js';
import { CONTEXT, NETWORK_ID, codeOf } from './protocol-world.js';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
const text = (length: number): string => 'x'.repeat(length);
const list = <T>(length: number, item: (at: number) => T): T[] => Array.from({ length }, (_, i) => item(i));

/** What is decoded when something in it has size `n`. */
type Sized = (n: number) => unknown;

const offerBody = (changed: object): unknown =>
  enrolment.decodeOfferBody(
    CONTEXT,
    enrolment.encodeOfferBody(CONTEXT, {
      suiteId: 1,
      nodeId: 'amsterdam',
      descriptorVersion: 1,
      tokenId: bytes(16),
      enrolmentNonce: bytes(32),
      ephemeralKey: bytes(1),
      ciphertext: bytes(1),
      name: '',
      ...changed,
    }),
  );
const offer = (changed: object): unknown =>
  enrolment.decodeOffer(
    enrolment.encodeOffer({ body: bytes(1), filterTag: bytes(1), tag: bytes(1), ...changed }),
  );
const answer = (changed: object): unknown =>
  enrolment.decodeAnswer(
    enrolment.encodeAnswer({
      nonce: bytes(32),
      ciphertext: bytes(1),
      account: '',
      tag: bytes(1),
      ...changed,
    }),
  );
const r1Body = (changed: object): unknown =>
  ratchet.decodeR1Body(
    ratchet.encodeR1Body({
      ephemeralKey: bytes(1),
      ciphertext: bytes(1),
      stage: '',
      codeCommitment: bytes(1),
      ...changed,
    }),
  );
const r2Body = (changed: object): unknown =>
  ratchet.decodeR2Body(
    ratchet.encodeR2Body({
      ciphertext: bytes(1),
      entropy: bytes(32),
      stage: '',
      codeNonce: bytes(32),
      ...changed,
    }),
  );
const sessionAnswer = (changed: object): unknown =>
  session.decodeAnswer(
    session.encodeAnswer({
      sessionId: bytes(16),
      nonce: bytes(32),
      sealed: bytes(1),
      tag: bytes(1),
      ...changed,
    }),
  );

const HEADER: Header = {
  suiteId: 1,
  initiator: bytes(32),
  responder: bytes(32).fill(8),
  keyId: bytes(16),
  purpose: 'doorbell',
  keyLength: 32,
  limits: { lifetimeSeconds: 1, uses: 0 },
  threshold: 2,
  nodes: ['amsterdam', 'bern'],
  commitments: [bytes(32), bytes(32)],
  offers: [],
  descriptorVersion: 1,
  policyRevision: 1,
};
const header = (changed: Partial<Header>): unknown =>
  decodeHeader(CONTEXT, encodeHeader(CONTEXT, { ...HEADER, ...changed }));

const response = (changed: object): unknown =>
  decodePairMessage(
    encodePairMessage({
      kind: 'response',
      keyId: bytes(16),
      ciphertext: bytes(1),
      nonce: bytes(32),
      used: [1, 2],
      limits: { lifetimeSeconds: 1, uses: 0 },
      tag: bytes(1),
      ...changed,
    }),
  );

const NODE: Descriptor['nodes'][0] = {
  id: 'amsterdam',
  addresses: [],
  kemKeys: [{ suiteId: 1, publicKey: bytes(1) }],
  signingKey: bytes(1),
  operator: '',
};
const descriptor = (changed: Partial<Descriptor>, first: Partial<typeof NODE> = {}): unknown =>
  decodeDescriptor(
    encodeDescriptor({
      networkId: NETWORK_ID,
      version: 1,
      nodes: [
        { ...NODE, ...first },
        { ...NODE, id: 'bern' },
      ],
      suites: [1],
      threshold: 2,
      administrators: [bytes(1)],
      administratorThreshold: 1,
      ...changed,
    }),
  );

const event = (body: ControlBody): unknown =>
  decodeEvent(
    encodeEvent({ networkId: NETWORK_ID, number: 1, previousHash: EMPTY_LOG.hash, timeMs: 1, body }),
  );
const policy = (changed: Partial<Policy>): unknown =>
  event({ kind: 'policy', policy: { ...DEFAULT_POLICY, ...changed } });
const tokenCreate = (changed: object): unknown =>
  event({
    kind: 'token-create',
    tokenId: bytes(16),
    account: '',
    uses: 1,
    expiresMs: 1,
    tags: [],
    secrets: [],
    ...changed,
  });

const token = (changed: Partial<EnrolmentToken>): unknown =>
  decodeToken(
    encodeToken({
      networkId: NETWORK_ID,
      secret: Secret.of('TokenSecret', bytes(32)),
      rootKeyHash: bytes(32),
      hints: [],
      expiresMs: 1,
      ...changed,
    }),
  );

const KEM = 4096;
const TAG = 64;
const NAME = 64;
const LONG = 255;

describe('what fits a limit is taken, and nothing beyond it', () => {
  test.each<[string, number, Sized, string?]>([
    ['ENR-2: ephemeral key of an offer', KEM, (n) => offerBody({ ephemeralKey: bytes(n) })],
    ['ENR-2: ciphertext of an offer', KEM, (n) => offerBody({ ciphertext: bytes(n) })],
    ['ENR-2: name of a device', NAME, (n) => offerBody({ name: text(n) })],
    ['ENR-2: filter tag', TAG, (n) => offer({ filterTag: bytes(n) })],
    ['ENR-2: tag of an offer', TAG, (n) => offer({ tag: bytes(n) })],
    ['ENR-4: ciphertext of an answer', KEM, (n) => answer({ ciphertext: bytes(n) })],
    ['ENR-4: account', NAME, (n) => answer({ account: text(n) })],
    ['ENR-4: tag of an answer', TAG, (n) => answer({ tag: bytes(n) })],
    ['ATK-2: ephemeral key of R1', KEM, (n) => r1Body({ ephemeralKey: bytes(n) })],
    ['ATK-2: ciphertext of R1', KEM, (n) => r1Body({ ciphertext: bytes(n) })],
    ['ATK-2: stage of R1', NAME, (n) => r1Body({ stage: text(n) })],
    ['ATK-2: commitment of R1', TAG, (n) => r1Body({ codeCommitment: bytes(n) })],
    ['ATK-4: ciphertext of R2', KEM, (n) => r2Body({ ciphertext: bytes(n) })],
    ['ATK-4: stage of R2', NAME, (n) => r2Body({ stage: text(n) })],
    ['SES-3: sealed part of a session answer', 256, (n) => sessionAnswer({ sealed: bytes(n) })],
    ['SES-3: tag of a session answer', TAG, (n) => sessionAnswer({ tag: bytes(n) })],
    ['PAIR-1: purpose', NAME, (n) => header({ purpose: text(n) })],
    ['PAIR-1: length of a key', 64, (n) => header({ keyLength: n }), 'BAD_HEADER'],
    [
      'PAIR-1: nodes of a header',
      16,
      (n) => header({ nodes: list(n, (i) => `node-${i}`), commitments: list(n, () => bytes(32)) }),
    ],
    ['PAIR-1: offers', 2, (n) => header({ offers: list(n, () => ({ id: bytes(16), tag: bytes(32) })) })],
    ['PAIR-7: ciphertext of a response', KEM, (n) => response({ ciphertext: bytes(n) })],
    ['PAIR-7: places of a response', 16, (n) => response({ used: list(n, (i) => i + 1) })],
    ['PAIR-7: tag of a response', TAG, (n) => response({ tag: bytes(n) })],
    [
      'PAIR-7: code of a refusal',
      64,
      (n) =>
        decodePairMessage(
          encodePairMessage({ kind: 'refuse', keyId: bytes(16), code: text(n), tag: bytes(1) }),
        ),
    ],
    [
      'CTL-1: nodes of a descriptor',
      16,
      (n) => descriptor({ nodes: list(n, (i) => ({ ...NODE, id: `n${i}` })) }),
    ],
    ['CTL-1: administrators', 64, (n) => descriptor({ administrators: list(n, (i) => bytes(i + 1)) })],
    ['CTL-1: key of an administrator', KEM, (n) => descriptor({ administrators: [bytes(n)] })],
    ['CTL-1: addresses of a node', 16, (n) => descriptor({}, { addresses: list(n, String) })],
    ['CTL-1: address of a node', LONG, (n) => descriptor({}, { addresses: [text(n)] })],
    ['CTL-1: signing key', KEM, (n) => descriptor({}, { signingKey: bytes(n) })],
    ['CTL-1: KEM key', KEM, (n) => descriptor({}, { kemKeys: [{ suiteId: 1, publicKey: bytes(n) }] })],
    [
      'CTL-1: KEM keys of a node',
      16,
      (n) => descriptor({}, { kemKeys: list(n, (i) => ({ suiteId: i + 1, publicKey: bytes(1) })) }),
    ],
    ['CTL-4: reason', LONG, (n) => event({ kind: 'key-revoke', keyId: bytes(16), reason: text(n) })],
    ['CTL-4: uses of a token', 256, (n) => tokenCreate({ uses: n }), 'BAD_EVENT'],
    ['CTL-4: tags of a token', 64, (n) => tokenCreate({ tags: list(n, () => ({ key: 'k', value: '' })) })],
    ['CTL-4: value of a tag', LONG, (n) => tokenCreate({ tags: [{ key: 'k', value: text(n) }] })],
    [
      'CTL-4: sealed token secret',
      KEM,
      (n) => tokenCreate({ secrets: [{ nodeId: 'bern', ciphertext: bytes(1), sealed: bytes(n) }] }),
    ],
    ['CTL-5: purposes of a policy', 64, (n) => policy({ purposes: list(n, String) })],
    ['ENR-1: hints of a token', 32, (n) => token({ hints: list(n, String) }), 'TOKEN_MALFORMED'],
    ['ENR-1: hint of a token', LONG, (n) => token({ hints: [text(n)] }), 'TOKEN_MALFORMED'],
    ['depth of a state', 16, (n) => decodeState(encodeState(nested(n)))],
  ])('%s: %i', (_, limit, decode, code = 'BAD_ENCODING') => {
    expect(codeOf(() => decode(limit))).toBe('done');
    expect(codeOf(() => decode(limit + 1))).toBe(code);
  });

  test.each<[string, number, Sized, string]>([
    ['PAIR-1: length of a key', 16, (n) => header({ keyLength: n }), 'BAD_HEADER'],
    ['PAIR-1: threshold', 2, (n) => header({ threshold: n }), 'BAD_HEADER'],
    ['PAIR-1: lifetime', 1, (n) => header({ limits: { lifetimeSeconds: n, uses: 0 } }), 'BAD_HEADER'],
    ['PAIR-1: purpose', 1, (n) => header({ purpose: text(n) }), 'BAD_HEADER'],
    ['CTL-1: threshold', 2, (n) => descriptor({ threshold: n }), 'BAD_DESCRIPTOR'],
    ['CTL-1: signatures', 1, (n) => descriptor({ administratorThreshold: n }), 'BAD_DESCRIPTOR'],
    ['CTL-4: uses of a token', 1, (n) => tokenCreate({ uses: n }), 'BAD_EVENT'],
  ])('%s: at least %i', (_, limit, decode, code) => {
    expect(codeOf(() => decode(limit))).toBe('done');
    expect(codeOf(() => decode(limit - 1))).toBe(code);
  });

  test('PAIR-5, SES-5, CTL-6: the bounds that both sides count by are those of the documents', () => {
    expect([MAX_HELD, MAX_IN_FLIGHT, REPLAY_WINDOW]).toEqual([130, 64, 1024]);
    expect(REQUEST_WINDOW_MS).toBe(300_000);
    expect(DEFAULT_POLICY.maximum).toEqual({ lifetimeSeconds: 2_592_000, uses: 0 });
    expect(EMPTY_LOG.hash).toHaveLength(32);
  });
});

/** Objects within objects, so deep. */
function nested(depth: number): object {
  return depth === 0 ? {} : { inner: nested(depth - 1) };
}
