import { toHex } from '@symmetra/crypto';
import {
  checkStanding,
  decodeHeader,
  decodePairMessage,
  encodeHeader,
  externalPsk,
  keyMaterial,
  quorum,
  receiveConfirm,
  receivePairAcknowledge,
  requestSecrets,
  strictest,
  within,
} from '@symmetra/protocol';
import type { BrokerRules, CheckedDelivery, Header } from '@symmetra/protocol';
import { describe, expect, test } from 'vitest';
import { Couple, NODES, rulesOf, secretsOf } from './protocol-couple.js';
import { CONTEXT, SUITES, codeOf, flipped } from './protocol-world.js';

describe('limits', () => {
  const limits = (lifetimeSeconds: number, uses: number) => ({ lifetimeSeconds, uses });

  test('PAIR-7: the strictest of several', () => {
    expect(strictest([limits(9, 0), limits(5, 0)])).toEqual(limits(5, 0));
    expect(strictest([limits(9, 4), limits(12, 0), limits(11, 7)])).toEqual(limits(9, 4));
  });

  test('PAIR-5: what is granted stays within what was asked', () => {
    expect(within(limits(9, 0), limits(9, 0))).toBe(true);
    expect(within(limits(9, 3), limits(9, 0))).toBe(true);
    expect(within(limits(10, 3), limits(9, 0))).toBe(false);
    expect(within(limits(9, 0), limits(9, 5))).toBe(false);
    expect(within(limits(9, 6), limits(9, 5))).toBe(false);
    expect(within(limits(0, 5), limits(9, 5))).toBe(false);
  });
});

describe.each(SUITES)('pairwise keys under suite $id', (suite) => {
  const couple = (): Couple => new Couple(suite);

  test('PAIR-1 to PAIR-9: both ends have the same key, and the secrets on the way are handed back', () => {
    for (const direct of [true, false]) {
      const pair = couple();
      const begun = pair.begin({ direct });
      const answered = pair.respond(pair.deliver(begun.output));
      if (answered.state.kind !== 'responded') throw new Error('the responder answers');
      const confirmed = pair.confirm(begun.state, answered.output);
      const held = pair.hold(answered.state, confirmed.output);
      const finished = pair.finish(confirmed.state, held.output);
      expect(secretsOf(finished.state.key)).toEqual(secretsOf(held.state.key));
      expect(finished.state.key).toMatchObject({ directKem: direct, continued: false, purpose: 'doorbell' });
      expect(finished.state.key.nodes).toEqual(['amsterdam', 'bern', 'cairo']);
      expect(confirmed.consumed).toEqual(expect.arrayContaining([...requestSecrets(begun.state)]));
      expect(answered.consumed).toHaveLength(3);
    }
  });

  test('PAIR-1: a request that no header can carry is refused before anything is sent', () => {
    const bad = (changed: object): string => codeOf(() => couple().begin({ changed }));
    expect(bad({ purpose: '' })).toBe('BAD_HEADER');
    expect(bad({ keyLength: 15 })).toBe('BAD_HEADER');
    expect(bad({ keyLength: 65 })).toBe('BAD_HEADER');
    expect(bad({ limits: { lifetimeSeconds: 0, uses: 1 } })).toBe('BAD_HEADER');
    expect(bad({ nodes: ['amsterdam', 'bern', 'bern'] })).toBe('BAD_HEADER');
    expect(bad({ responder: new Couple(suite).alice })).toBe('BAD_HEADER');
    expect(bad({ threshold: 1 })).toBe('BAD_THRESHOLD');
    expect(bad({ threshold: 4 })).toBe('BAD_THRESHOLD');
    expect(bad({ nodes: ['Amsterdam', 'bern', 'cairo'] })).toBe('BAD_ENCODING');
  });

  test('PAIR-1: a header that no initiator makes is refused by whoever reads it', () => {
    const pair = couple();
    pair.complete();
    const { state } = pair.begin({});
    const good = decodeHeader(CONTEXT, state.header);
    const [offer] = good.offers;
    if (offer === undefined) throw new Error('there is an offer');
    const read = (changed: Partial<Header>): string =>
      codeOf(() => decodeHeader(CONTEXT, encodeHeader(CONTEXT, { ...good, ...changed })));
    expect(read({})).toBe('done');
    expect(read({ threshold: 1 })).toBe('BAD_HEADER');
    expect(read({ threshold: 4 })).toBe('BAD_HEADER');
    expect(read({ commitments: good.commitments.slice(1) })).toBe('BAD_HEADER');
    expect(read({ commitments: good.commitments.map((one) => one.slice(1)) })).toBe('BAD_HEADER');
    expect(read({ ephemeralKeyHash: new Uint8Array(5) })).toBe('BAD_HEADER');
    expect(read({ offers: [{ id: offer.id, tag: offer.tag.slice(1) }] })).toBe('BAD_HEADER');
    expect(read({ offers: [offer, offer, offer] })).toBe('BAD_ENCODING');
    expect(read({ suiteId: 99 })).toBe('SUITE_UNKNOWN');
  });

  test('PAIR-8: a response that names a node outside the set gives no key', () => {
    const { initiator } = couple().complete();
    const header = decodeHeader(CONTEXT, couple().begin({}).state.header);
    const response = decodePairMessage(couple().answer().output);
    if (response.kind !== 'response') throw new Error('it is the response');
    const secrets = {
      ...initiator,
      continuity: initiator.tlsKey,
      continuityId: new Uint8Array(16),
      responderTag: response.tag,
      initiatorTag: response.tag,
      ackTag: response.tag,
    } as unknown as Parameters<typeof keyMaterial>[2];
    expect(codeOf(() => keyMaterial(header, { ...response, used: [1, 4] }, secrets))).toBe('BAD_RESPONSE');
  });

  test('PAIR-2: each node gets its own share, and the same header and ephemeral key', () => {
    const { output } = couple().begin({});
    expect(output.map(({ nodeId }) => nodeId)).toEqual(NODES);
    expect(new Set(output.map(({ share }) => toHex(share))).size).toBe(3);
    expect(new Set(output.map(({ header, ephemeralKey }) => toHex(header) + toHex(ephemeralKey))).size).toBe(
      1,
    );
  });

  test.each<[string, Partial<BrokerRules>]>([
    ['NOT_IN_NODE_SET', { nodeId: 'delhi' }],
    ['DESCRIPTOR_OLD', { descriptorVersion: 99 }],
    ['BELOW_FLOOR', { minimumThreshold: 3 }],
    ['BELOW_FLOOR', { minimumNodes: 4 }],
    ['BELOW_FLOOR', { nodes: ['amsterdam', 'bern'] }],
    ['SUITE_FORBIDDEN', { allowedSuites: [] }],
    ['PURPOSE_FORBIDDEN', { purposes: ['vault'] }],
  ])('PAIR-3: a node refuses with %s', (code, changed) => {
    const pair = couple();
    const [request] = pair.begin({}).output;
    expect(codeOf(() => pair.approve(request, { ...rulesOf(suite, 'amsterdam'), ...changed }))).toBe(code);
  });

  test('PAIR-3: a node refuses a foreign sender, a share or key that does not fit, and a missing direct KEM', () => {
    const pair = couple();
    const [request] = pair.begin({}).output;
    const [bare] = pair.begin({ direct: false }).output;
    if (request === undefined || bare === undefined) throw new Error('there are requests');
    const { share, ephemeralKey } = request;
    const approve = (changed: object): string => codeOf(() => pair.approve({ ...request, ...changed }));
    expect(codeOf(() => pair.approve(request, undefined, pair.bob))).toBe('INITIATOR_MISMATCH');
    expect(approve({ share: flipped(share) })).toBe('SHARE_MISMATCH');
    expect(approve({ share: share.slice(1) })).toBe('SHARE_MISMATCH');
    expect(approve({ ephemeralKey: flipped(ephemeralKey) })).toBe('EPHEMERAL_KEY_MISMATCH');
    expect(approve({ ephemeralKey: new Uint8Array(0) })).toBe('EPHEMERAL_KEY_MISMATCH');
    expect(codeOf(() => pair.approve({ ...bare, ephemeralKey }))).toBe('EPHEMERAL_KEY_MISMATCH');
    const strict = { ...rulesOf(suite, 'amsterdam'), requireDirectKem: true };
    expect(codeOf(() => pair.approve(bare, strict))).toBe('DIRECT_KEM_REQUIRED');
    expect(pair.approve(request, { ...strict, purposes: ['doorbell'] }).granted).toEqual({
      lifetimeSeconds: 600,
      uses: 5,
    });
  });

  test('PAIR-3, PAIR-4: who may hold a key is checked at the request and again at delivery', () => {
    const rules = rulesOf(suite, 'amsterdam');
    const good = { revoked: false, stage: 'production' };
    const standing = (
      ...both: Parameters<typeof checkStanding> extends [unknown, ...infer Rest] ? Rest : never
    ) => codeOf(() => checkStanding(rules, ...both));
    expect(standing(good, good)).toBe('done');
    expect(standing({ ...good, revoked: true }, good)).toBe('DEVICE_REVOKED');
    expect(standing(good, undefined)).toBe('PEER_UNKNOWN');
    expect(standing(good, { ...good, revoked: true })).toBe('PEER_REVOKED');
    expect(standing(good, { ...good, stage: 'bootstrap' })).toBe('STAGE_TOO_EARLY');
    expect(standing({ ...good, stage: 'bootstrap' }, good)).toBe('STAGE_TOO_EARLY');
  });

  test('PAIR-5: a delivery is checked by itself', () => {
    const pair = couple();
    const [request] = pair.begin({}).output;
    const [bare] = pair.begin({ direct: false }).output;
    if (request === undefined || bare === undefined) throw new Error('there are requests');
    const granted = { lifetimeSeconds: 600, uses: 5 };
    const check = (changed: object, floors = {}, nodeId = 'amsterdam'): string =>
      codeOf(() => pair.check(nodeId, { ...request, granted, ...changed }, floors));
    expect(check({})).toBe('done');
    expect(codeOf(() => pair.check('amsterdam', { ...bare, granted }, {}))).toBe('done');
    expect(check({}, {}, 'delhi')).toBe('NOT_IN_NODE_SET');
    expect(check({}, { deviceId: pair.alice })).toBe('RESPONDER_MISMATCH');
    expect(check({}, { minimumThreshold: 3 })).toBe('BELOW_FLOOR');
    expect(check({}, { minimumNodes: 4 })).toBe('BELOW_FLOOR');
    expect(check({}, { nodes: ['amsterdam', 'bern'] })).toBe('BELOW_FLOOR');
    expect(check({}, { allowedSuites: [] })).toBe('SUITE_FORBIDDEN');
    expect(check({ share: flipped(request.share) })).toBe('SHARE_MISMATCH');
    expect(check({ share: new Uint8Array(0) })).toBe('SHARE_MISMATCH');
    expect(check({ ephemeralKey: flipped(request.ephemeralKey) })).toBe('EPHEMERAL_KEY_MISMATCH');
    expect(check({ granted: { lifetimeSeconds: 1_000_000, uses: 0 } })).toBe('BAD_LIMITS');
    expect(check({ header: request.header.slice(1) })).not.toBe('done');
  });

  test('PAIR-5: k deliveries that agree are a quorum; a node that delivers twice counts once', () => {
    const pair = couple();
    const [first, second, third] = pair.deliver(pair.begin({}).output) as [
      CheckedDelivery,
      CheckedDelivery,
      CheckedDelivery,
    ];
    const [other] = pair.deliver(pair.begin({}).output) as [CheckedDelivery];
    expect(quorum([])).toBeUndefined();
    expect(quorum([first])).toBeUndefined();
    expect(quorum([first, first])).toBeUndefined();
    expect(quorum([first, other])).toBeUndefined();
    expect(quorum([other, third, first])).toEqual([first, third]);
    expect(quorum([third, second, first])).toEqual([first, second, third]);
    expect(codeOf(() => pair.respond([]))).toBe('BELOW_FLOOR');
    expect(codeOf(() => pair.respond([first, first]))).toBe('BELOW_FLOOR');
    expect(codeOf(() => pair.respond([first, other]))).toBe('BELOW_FLOOR');
  });

  test('PAIR-6: any two of three shares give the same key', () => {
    for (const places of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const pair = couple();
      const begun = pair.begin({});
      const all = pair.deliver(begun.output);
      const answered = pair.respond(places.map((place) => all[place] as CheckedDelivery));
      const confirmed = pair.confirm(begun.state, answered.output);
      expect(confirmed.state.key.nodes).toEqual(places.map((place) => NODES[place]));
    }
  });

  test('PAIR-7: a first contact that must be dealt to all nodes is refused with less, and the refusal is authentic', () => {
    const pair = couple();
    const begun = pair.begin({});
    const answered = pair.respond(pair.deliver(begun.output), { firstContactAll: true });
    expect(answered.state).toMatchObject({ kind: 'refused', code: 'FIRST_CONTACT_NEEDS_ALL' });
    expect(answered.held).toEqual([]);
    expect(pair.refusal(begun.state, answered.output)).toBe('FIRST_CONTACT_NEEDS_ALL');
    expect(codeOf(() => pair.refusal(begun.state, flipped(answered.output)))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => pair.refusal(pair.begin({}).state, answered.output))).toBe('AUTHENTICATION_FAILED');

    const all = pair.begin({ changed: { threshold: 3 } });
    expect(pair.respond(pair.deliver(all.output), { firstContactAll: true }).state.kind).toBe('responded');
  });

  test('PAIR-7: a header below what the responder verified is refused, and the refusal is authentic', () => {
    const pair = couple();
    const begun = pair.begin({});
    const old = pair.respond(pair.deliver(begun.output), { minimumDescriptorVersion: 5 });
    expect(old.state).toMatchObject({ kind: 'refused', code: 'DESCRIPTOR_OLD' });
    expect(old.held).toEqual([]);
    expect(pair.refusal(begun.state, old.output)).toBe('DESCRIPTOR_OLD');

    const without = pair.begin({ direct: false });
    const open = pair.respond(pair.deliver(without.output), { requireDirectKem: true });
    expect(open.state).toMatchObject({ kind: 'refused', code: 'DIRECT_KEM_REQUIRED' });
    expect(pair.refusal(without.state, open.output)).toBe('DIRECT_KEM_REQUIRED');

    const met = pair.begin({});
    const strict = { minimumDescriptorVersion: 4, requireDirectKem: true };
    expect(pair.respond(pair.deliver(met.output), strict).state.kind).toBe('responded');
  });

  test('PAIR-8: a response that was changed, is another message or for another key changes nothing', () => {
    const pair = couple();
    const begun = pair.begin({});
    const { output, state } = pair.respond(pair.deliver(begun.output));
    const confirm = (bytes: Uint8Array): string => codeOf(() => pair.confirm(begun.state, bytes));
    expect(confirm(flipped(output))).toBe('AUTHENTICATION_FAILED');
    expect(confirm(flipped(output, 40))).toBe('AUTHENTICATION_FAILED');
    expect(confirm(flipped(output, 5))).toBe('BAD_ENCODING');
    expect(confirm(output.slice(0, -1))).toBe('BAD_ENCODING');
    if (state.kind !== 'responded') throw new Error('the responder answers');
    expect(confirm(state.acknowledge)).toBe('BAD_ENCODING');
    expect(confirm(output)).toBe('done');
  });

  test('PAIR-9: a confirmation or acknowledgement that does not verify is dropped; a repeated one is answered', () => {
    const pair = couple();
    const begun = pair.begin({});
    const answered = pair.respond(pair.deliver(begun.output));
    if (answered.state.kind !== 'responded') throw new Error('the responder answers');
    const { state } = answered;
    const confirmed = pair.confirm(begun.state, answered.output);
    expect(codeOf(() => receiveConfirm(state, answered.held, flipped(confirmed.output)))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(codeOf(() => receiveConfirm(state, answered.held, answered.output))).toBe('AUTHENTICATION_FAILED');
    const held = pair.hold(state, confirmed.output);
    const again = receiveConfirm(held.state, held.held, confirmed.output);
    expect(again.output).toEqual(held.output);
    expect(again.state).toBe(held.state);
    expect(again.consumed).toEqual([]);
    const acknowledge = (bytes: Uint8Array): string =>
      codeOf(() => receivePairAcknowledge(confirmed.state, confirmed.continuity, bytes));
    expect(acknowledge(flipped(held.output))).toBe('AUTHENTICATION_FAILED');
    expect(acknowledge(confirmed.output)).toBe('AUTHENTICATION_FAILED');
    expect(acknowledge(held.output)).toBe('done');
  });

  test('PAIR-8: a response outside what was asked is refused even when it is authentic', () => {
    const pair = couple();
    const begun = pair.begin({});
    const deliveries = pair.deliver(begun.output);
    const granted = { lifetimeSeconds: 9_999_999, uses: 0 };
    const generous = deliveries.map((delivery): CheckedDelivery => Object.assign({}, delivery, { granted }));
    expect(codeOf(() => pair.confirm(begun.state, pair.respond(generous).output))).toBe('BAD_RESPONSE');
  });

  test('CHN-1: each connection has a key and an identity of its own, the same at both ends', () => {
    const { initiator, responder } = couple().complete();
    const psk = (key: typeof initiator, client: 'initiator' | 'responder', counter: number): string => {
      const { identity, key: secret } = externalPsk(CONTEXT, key, client, counter);
      return `${identity} ${toHex(secret.bytes)}`;
    };
    const all = (key: typeof initiator): string[] =>
      (['initiator', 'responder'] as const).flatMap((client) => [0, 1, 2].map((n) => psk(key, client, n)));
    expect(all(initiator)).toEqual(all(responder));
    expect(new Set(all(initiator)).size).toBe(6);
    expect(all(initiator).every((text) => /^[0-9a-f]{32} [0-9a-f]{64}$/.test(text))).toBe(true);
  });
});
