import { signatureKeygen, sha256 } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  REQUEST_WINDOW_MS,
  checkDescriptor,
  decodeEvent,
  descriptorNode,
  encodeDescriptor,
  encodeEvent,
  eventHash,
  nextEvent,
  nodeKemKey,
  requestBytes,
  signDescriptor,
  signEvent,
  signRequest,
  signResponse,
  verifyDescriptor,
  verifyEvent,
  verifyRequest,
  verifyResponse,
} from '@symmetra/protocol';
import type { ControlBody, ControlEvent, Descriptor, LogHead, SignedEvent } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { AMSTERDAM, BERN, NETWORK_ID, SUITES, codeOf, flipped, publicKeyOf } from './protocol-world.js';

const prng = new Prng('control scenarios');
const [root, alice, bob, mallory, node] = Array.from({ length: 5 }, () =>
  signatureKeygen(prng.bytes(32)),
) as [
  ReturnType<typeof signatureKeygen>,
  ReturnType<typeof signatureKeygen>,
  ReturnType<typeof signatureKeygen>,
  ReturnType<typeof signatureKeygen>,
  ReturnType<typeof signatureKeygen>,
];
const ROOT_HASH = sha256(root.publicKey);

const DESCRIPTOR: Descriptor = {
  networkId: NETWORK_ID,
  version: 4,
  nodes: [AMSTERDAM, BERN].map((one) => ({
    id: one.nodeId,
    addresses: ['127.0.0.1:7401'],
    kemKeys: SUITES.map((suite) => ({ suiteId: suite.id, publicKey: publicKeyOf(one, suite.id) })),
    signingKey: node.publicKey,
    operator: 'somebody',
  })),
  suites: [1, 2, 3],
  threshold: 2,
  administrators: [alice.publicKey, bob.publicKey],
  administratorThreshold: 1,
};
const [FIRST, SECOND] = DESCRIPTOR.nodes as [Descriptor['nodes'][0], Descriptor['nodes'][0]];

describe('the descriptor', () => {
  const expected = { networkId: NETWORK_ID, rootKeyHash: ROOT_HASH, minimumVersion: 4 };
  const signed = signDescriptor(DESCRIPTOR, root.secretKey, root.publicKey);

  test('CTL-1: says everything that was written into it', () => {
    expect(verifyDescriptor(signed, expected)).toEqual(DESCRIPTOR);
    expect(descriptorNode(DESCRIPTOR, 'bern')).toBe(SECOND);
    expect(codeOf(() => descriptorNode(DESCRIPTOR, 'delhi'))).toBe('NODE_UNKNOWN');
    expect(nodeKemKey(FIRST, 3)).toEqual(publicKeyOf(AMSTERDAM, 3));
    expect(codeOf(() => nodeKemKey(FIRST, 9))).toBe('SUITE_UNKNOWN');
  });

  test.each<[string, Partial<Descriptor>]>([
    ['no node', { nodes: [] }],
    ['a node twice', { nodes: [FIRST, FIRST] }],
    ['a threshold of one', { threshold: 1 }],
    ['a threshold above its nodes', { threshold: 3 }],
    ['no suite', { suites: [] }],
    ['suites out of order', { suites: [2, 1] }],
    [
      'a node without a key of a suite',
      { nodes: [FIRST, { ...SECOND, kemKeys: SECOND.kemKeys.slice(0, 2) }] },
    ],
    [
      'a node without a key of suite 1',
      { suites: [2], nodes: [FIRST, { ...SECOND, kemKeys: SECOND.kemKeys.slice(1) }] },
    ],
    ['an administrator twice', { administrators: [alice.publicKey, alice.publicKey] }],
    ['no administrator', { administrators: [], administratorThreshold: 0 }],
    ['more signatures than administrators', { administratorThreshold: 3 }],
  ])('CTL-1: %s is refused', (_, changed) => {
    expect(codeOf(() => checkDescriptor({ ...DESCRIPTOR, ...changed }))).toBe('BAD_DESCRIPTOR');
    expect(codeOf(() => signDescriptor({ ...DESCRIPTOR, ...changed }, root.secretKey, root.publicKey))).toBe(
      'BAD_DESCRIPTOR',
    );
  });

  test('CTL-2: another root, a changed signature or content, another network and an older version are refused', () => {
    const verify = (changes: Partial<typeof signed>, wanted: Partial<typeof expected> = {}): string =>
      codeOf(() => verifyDescriptor({ ...signed, ...changes }, { ...expected, ...wanted }));
    expect(verify({ rootPublicKey: mallory.publicKey })).toBe('ROOT_MISMATCH');
    expect(verify({ signature: flipped(signed.signature) })).toBe('BAD_SIGNATURE');
    expect(verify({ signature: new Uint8Array(3) })).toBe('BAD_SIGNATURE');
    expect(verify({ descriptor: flipped(signed.descriptor) })).toBe('BAD_SIGNATURE');
    expect(verify({}, { networkId: prng.bytes(16) })).toBe('WRONG_NETWORK');
    expect(verify({}, { minimumVersion: 5 })).toBe('DESCRIPTOR_OLD');
    expect(verify({}, { minimumVersion: 3 })).toBe('done');
  });

  test('CTL-2: a descriptor of another protocol version is refused even when it is signed', () => {
    const bytes = flipped(encodeDescriptor(DESCRIPTOR), 0);
    const other = { ...signed, descriptor: bytes };
    expect(codeOf(() => verifyDescriptor(other, expected))).toBe('BAD_SIGNATURE');
  });
});

const REVOKE: ControlBody = { kind: 'device-revoke', deviceId: prng.bytes(32), reason: 'stolen' };

function event(head: LogHead, body: ControlBody = REVOKE, changed: Partial<ControlEvent> = {}): SignedEvent {
  const bytes = encodeEvent({
    networkId: NETWORK_ID,
    number: head.number + 1,
    previousHash: head.hash,
    timeMs: 1,
    body,
    ...changed,
  });
  return { event: bytes, signatures: [signEvent(bytes, alice.secretKey, alice.publicKey)] };
}

describe('control events', () => {
  const BODIES: readonly ControlBody[] = [
    REVOKE,
    { kind: 'key-revoke', keyId: prng.bytes(16), reason: '' },
    { kind: 'policy', policy: { ...DEFAULT_POLICY, firstContactAll: true, requireDirectKem: true } },
    {
      kind: 'token-create',
      tokenId: prng.bytes(16),
      account: 'household',
      uses: 3,
      expiresMs: 9,
      tags: [{ key: 'room', value: 'kitchen' }],
      secrets: [{ nodeId: 'bern', ciphertext: prng.bytes(9), sealed: prng.bytes(9) }],
    },
  ];

  test.each(BODIES)('CTL-3, CTL-4: a $kind event says everything that was written into it', (body) => {
    expect(verifyEvent(DESCRIPTOR, event(EMPTY_LOG, body)).body).toEqual(body);
  });

  test('CTL-3: events follow one another; the same one again is repeated', () => {
    const first = event(EMPTY_LOG);
    const known = new Map<number, Uint8Array>();
    const next = nextEvent(DESCRIPTOR, EMPTY_LOG, (n) => known.get(n), first);
    if (next.kind !== 'next') throw new Error('it is the next one');
    known.set(1, next.head.hash);
    expect(next.head).toEqual({ number: 1, hash: eventHash(first.event) });
    expect(nextEvent(DESCRIPTOR, next.head, (n) => known.get(n), first)).toEqual({ kind: 'repeated' });
    expect(nextEvent(DESCRIPTOR, next.head, (n) => known.get(n), event(next.head)).kind).toBe('next');
  });

  test('CTL-3: two events with one number, a gap and a broken chain each have their own error', () => {
    const first = event(EMPTY_LOG);
    const head = { number: 1, hash: eventHash(first.event) };
    const next = (signed: SignedEvent): string =>
      codeOf(() => nextEvent(DESCRIPTOR, head, () => head.hash, signed));
    expect(next(event(EMPTY_LOG, REVOKE, { timeMs: 2 }))).toBe('LOG_FORK');
    expect(next(event(head, REVOKE, { number: 3 }))).toBe('LOG_GAP');
    expect(next(event(head, REVOKE, { previousHash: prng.bytes(32) }))).toBe('LOG_BROKEN');
  });

  test('CTL-3: too few, foreign and repeated signatures are not enough, and another network is refused', () => {
    const two = { ...DESCRIPTOR, administratorThreshold: 2 };
    const signed = event(EMPTY_LOG);
    const [own] = signed.signatures as [SignedEvent['signatures'][0]];
    const second = signEvent(signed.event, bob.secretKey, bob.publicKey);
    const foreign = signEvent(signed.event, mallory.secretKey, mallory.publicKey);
    const verify = (descriptor: Descriptor, signatures: SignedEvent['signatures']): string =>
      codeOf(() => verifyEvent(descriptor, { event: signed.event, signatures }));
    expect(verify(two, [own])).toBe('BAD_SIGNATURE');
    expect(verify(two, [own, own])).toBe('BAD_SIGNATURE');
    expect(verify(two, [own, foreign])).toBe('BAD_SIGNATURE');
    expect(verify(two, [own, { ...second, signature: flipped(second.signature) }])).toBe('BAD_SIGNATURE');
    expect(verify(two, [second, own])).toBe('done');
    expect(verify(DESCRIPTOR, [])).toBe('BAD_SIGNATURE');
    const elsewhere = event(EMPTY_LOG, REVOKE, { networkId: prng.bytes(16) });
    expect(codeOf(() => verifyEvent(DESCRIPTOR, elsewhere))).toBe('WRONG_NETWORK');
  });

  test('CTL-3: an event of another version or an unknown kind is refused', () => {
    const { event: bytes } = event(EMPTY_LOG);
    expect(codeOf(() => decodeEvent(flipped(bytes, 0)))).toBe('WRONG_VERSION');
    const unknown = bytes.slice();
    unknown[1 + 16 + 8 + 32 + 8] = 9;
    expect(codeOf(() => decodeEvent(unknown))).toBe('BAD_EVENT');
  });

  test('CTL-5: a policy without a stage, without a lifetime or with a strange flag, or with a value for groups out of range, is refused', () => {
    const policy = (changed: Partial<typeof DEFAULT_POLICY>): string =>
      codeOf(() =>
        decodeEvent(event(EMPTY_LOG, { kind: 'policy', policy: { ...DEFAULT_POLICY, ...changed } }).event),
      );
    expect(policy({})).toBe('done');
    expect(policy({ stages: [] })).toBe('BAD_EVENT');
    expect(policy({ maximum: { lifetimeSeconds: 0, uses: 0 } })).toBe('BAD_EVENT');
    expect(policy({ groupMembers: 16_385 })).toBe('BAD_EVENT');
    expect(policy({ groupBoundSeconds: 0 })).toBe('BAD_EVENT');
    expect(policy({ groupBoundSeconds: 3601 })).toBe('BAD_EVENT');
    const bytes = event(EMPTY_LOG, { kind: 'policy', policy: DEFAULT_POLICY }).event;
    const flag = bytes.findIndex(
      (_, at) =>
        at > 66 && bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 2,
    );
    const strange = bytes.slice();
    strange[flag + 1] = 2;
    expect(['BAD_ENCODING', 'BAD_EVENT']).toContain(codeOf(() => decodeEvent(strange)));
  });
});

describe('a policy of before there were groups', () => {
  const bytes = event(EMPTY_LOG, {
    kind: 'policy',
    policy: { ...DEFAULT_POLICY, requireDirectKem: true },
  }).event;

  test('CTL-5: reads with the defaults for groups', () => {
    expect(decodeEvent(bytes.slice(0, -8)).body).toEqual(decodeEvent(bytes).body);
  });

  test('CTL-5: that ends between the two fields, or goes on after them, is refused', () => {
    expect(codeOf(() => decodeEvent(bytes.slice(0, -4)))).toBe('BAD_ENCODING');
    expect(codeOf(() => decodeEvent(new Uint8Array([...bytes, 0])))).toBe('BAD_ENCODING');
  });
});

describe('administrative requests', () => {
  const METHOD = '/symmetra.admin.v1.AdminService/ListDevices';
  const request = { node: 'amsterdam', body: prng.bytes(20), nonce: prng.bytes(32), timeMs: 1_000_000_000 };
  const signed = signRequest(NETWORK_ID, METHOD, request, alice.secretKey, alice.publicKey);
  const verify = (changed: Partial<typeof signed>, method = METHOD, nowMs = request.timeMs): string =>
    codeOf(() => verifyRequest(DESCRIPTOR, 'amsterdam', method, { ...signed, ...changed }, nowMs));

  test('CTL-6: a signed request is taken within the window', () => {
    expect(verify({})).toBe('done');
    expect(verify({}, METHOD, request.timeMs + REQUEST_WINDOW_MS)).toBe('done');
    expect(verify({}, METHOD, request.timeMs - REQUEST_WINDOW_MS - 1)).toBe('REQUEST_STALE');
    expect(verify({}, METHOD, request.timeMs + REQUEST_WINDOW_MS + 1)).toBe('REQUEST_STALE');
  });

  test('CTL-6: another node, method, body, nonce, time or administrator is refused', () => {
    expect(verify({ node: 'bern' })).toBe('WRONG_NODE');
    expect(verify({}, '/symmetra.admin.v1.AdminService/Submit')).toBe('BAD_SIGNATURE');
    expect(verify({ body: prng.bytes(20) })).toBe('BAD_SIGNATURE');
    expect(verify({ nonce: prng.bytes(32) })).toBe('BAD_SIGNATURE');
    expect(verify({ nonce: prng.bytes(31) })).toBe('BAD_ENCODING');
    expect(verify({ timeMs: request.timeMs + 1 })).toBe('BAD_SIGNATURE');
    expect(verify({ signature: new Uint8Array(0) })).toBe('BAD_SIGNATURE');
    expect(verify({ administrator: sha256(mallory.publicKey) })).toBe('ADMINISTRATOR_UNKNOWN');
    expect(verify({ administrator: sha256(bob.publicKey) })).toBe('BAD_SIGNATURE');
  });

  test('CTL-6: the reply is signed by the node, for this request and no other', () => {
    const bytes = requestBytes(NETWORK_ID, METHOD, request);
    const reply = prng.bytes(9);
    const signature = signResponse(bytes, reply, node.secretKey);
    const check = (asked: Uint8Array, body: Uint8Array, key = node.publicKey): string =>
      codeOf(() => verifyResponse(asked, body, signature, key));
    expect(check(bytes, reply)).toBe('done');
    expect(check(bytes, flipped(reply))).toBe('BAD_SIGNATURE');
    expect(check(flipped(bytes), reply)).toBe('BAD_SIGNATURE');
    expect(check(bytes, reply, mallory.publicKey)).toBe('BAD_SIGNATURE');
  });
});
