import { Secret, suites, toHex } from '@symmetra/crypto';
import {
  checkIntroduction,
  checkIntroductionPart,
  checkIntroductionReceipt,
  completeIntroduction,
  decodeIntroductionHeader,
  decodeIntroductionPart,
  deviceIdOf,
  encodeDeviceFacts,
  encodeIntroductionPart,
  introductionRequests,
  introductionSecrets,
  nodeKeyHash,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  startEnrolment,
  startIntroduction,
} from '@symmetra/protocol';
import type { Descriptor, IntroducedDevice, IntroductionPart, IntroductionStart } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import {
  AMSTERDAM,
  CONTEXT,
  NETWORK_ID,
  SUITES,
  TOKEN_ID,
  codeOf,
  enrolmentRules,
  enrolmentStart,
  flipped,
  kemRandom,
} from './protocol-world.js';

const prng = new Prng('introduction scenarios');
const NONCE = prng.bytes(32);
const DEVICE = deviceIdOf(TOKEN_ID, NONCE);
const OLD = ['bern', 'cairo', 'delhi'];
const FACTS = { account: 'household', name: 'thermometer', tags: [{ key: 'site', value: 'cellar' }] };

const described = (id: string): Descriptor['nodes'][number] => ({
  id,
  addresses: [],
  kemKeys:
    id === AMSTERDAM.nodeId
      ? Array.from(AMSTERDAM.kemKeys, ([suiteId, { publicKey }]) => ({ suiteId, publicKey }))
      : [{ suiteId: 1, publicKey: new Prng(id).bytes(32) }],
  signingKey: new Uint8Array(0),
  operator: '',
});

/** Amsterdam came with version 4; a device that enrolled before is to be introduced to it. */
const DESCRIPTOR: Descriptor = {
  networkId: NETWORK_ID,
  version: 4,
  nodes: [AMSTERDAM.nodeId, ...OLD].map(described),
  suites: suites.ids(),
  threshold: 2,
  administrators: [],
  administratorThreshold: 1,
};
const NEW_NODE = { nodeId: AMSTERDAM.nodeId, nodeKeyHash: AMSTERDAM.keyHash, descriptor: DESCRIPTOR };

function begin(changes: Partial<IntroductionStart> = {}) {
  const start: IntroductionStart = {
    tokenId: TOKEN_ID,
    enrolmentNonce: NONCE,
    nodeId: AMSTERDAM.nodeId,
    nodeKeyHash: AMSTERDAM.keyHash,
    descriptorVersion: 4,
    threshold: 2,
    nodes: OLD,
    ...changes,
  };
  const random = { secret: prng.bytes(32), coefficients: prng.bytes(32 * (start.threshold - 1)) };
  return { ...startIntroduction(CONTEXT, start, random), random };
}

/** What an old node passes on of an introduction. */
function partOf(state: ReturnType<typeof begin>['state'], node: string, facts = FACTS): IntroductionPart {
  const request = introductionRequests(state).find(({ nodeId }) => nodeId === node);
  if (request === undefined) throw new Error(`${node} is not asked`);
  const share = Secret.of('Share', request.share.slice());
  return decodeIntroductionPart(
    encodeIntroductionPart({ header: request.header, share, facts: encodeDeviceFacts(facts) }),
  );
}

function gathered(parts: readonly (readonly [string, IntroductionPart])[]): IntroducedDevice | undefined {
  const newest = parts.at(-1);
  if (newest === undefined) return undefined;
  const [from, part] = newest;
  return completeIntroduction(CONTEXT, { from, part }, new Map(parts.slice(0, -1)));
}

describe('ENR-9: asking', () => {
  test('ENR-9: S and its coefficients are erased, and what the state holds can be', () => {
    const { state, random } = begin();
    expect([...random.secret, ...random.coefficients].every((byte) => byte === 0)).toBe(true);
    const secrets = introductionSecrets(state);
    expect(secrets).toHaveLength(4);
    for (const secret of secrets) secret.wipe();
    expect(codeOf(() => state.token.bytes)).toBe('SECRET_WIPED');
  });

  test('ENR-9: the header names the device by the id that it has at every node', () => {
    const { state } = begin();
    const header = decodeIntroductionHeader(CONTEXT, state.header);
    expect(toHex(header.deviceId)).toBe(toHex(DEVICE));
    expect(header).toMatchObject({ nodeId: 'amsterdam', threshold: 2, nodes: OLD, descriptorVersion: 4 });
  });

  test.each<[string, Partial<IntroductionStart>]>([
    ['a node twice', { nodes: ['bern', 'bern', 'cairo'] }],
    ['the new node among those that introduce', { nodes: ['bern', 'amsterdam'] }],
  ])('ENR-9: a header with %s is refused by whoever reads it', (_, changes) => {
    const { state } = begin(changes);
    expect(codeOf(() => decodeIntroductionHeader(CONTEXT, state.header))).toBe('BAD_HEADER');
  });

  test('ENR-9: a header whose device is not that of its token and nonce is refused', () => {
    const { state } = begin();
    const preamble = 17;
    expect(codeOf(() => decodeIntroductionHeader(CONTEXT, flipped(state.header, preamble)))).toBe(
      'BAD_HEADER',
    );
  });

  test('ENR-9: thresholds that split nothing are refused before anything is drawn', () => {
    expect(codeOf(() => begin({ threshold: 4 }))).toBe('BAD_THRESHOLD');
    expect(codeOf(() => begin({ threshold: 1 }))).toBe('BAD_THRESHOLD');
  });
});

describe('ENR-10: passing on', () => {
  const bern = { nodeId: 'bern', descriptor: DESCRIPTOR };
  const ask = (changes: Partial<IntroductionStart>, at = bern, sender = DEVICE): string => {
    const [request] = introductionRequests(begin(changes).state);
    return codeOf(() =>
      checkIntroduction(CONTEXT, at, sender, request as { header: Uint8Array; share: Uint8Array }),
    );
  };

  test('ENR-10: a request that fits is passed on, with the hash that the receipt has', () => {
    const { state } = begin();
    const [request] = introductionRequests(state);
    const read = checkIntroduction(
      CONTEXT,
      bern,
      DEVICE,
      request as { header: Uint8Array; share: Uint8Array },
    );
    expect(() => checkIntroductionReceipt(state, read.headerHash)).not.toThrow();
    expect(codeOf(() => checkIntroductionReceipt(state, flipped(read.headerHash)))).toBe('HEADER_MISMATCH');
  });

  test('ENR-10: another device, an older descriptor, nodes and keys that nobody named', () => {
    expect(ask({}, bern, flipped(DEVICE))).toBe('INITIATOR_MISMATCH');
    expect(ask({ descriptorVersion: 3 })).toBe('DESCRIPTOR_OLD');
    expect(ask({ nodes: ['bern', 'mallory'] })).toBe('BELOW_FLOOR');
    expect(ask({}, { ...bern, descriptor: { ...DESCRIPTOR, threshold: 3 } })).toBe('BELOW_FLOOR');
    expect(ask({ nodeId: 'essen' })).toBe('NODE_UNKNOWN');
    expect(ask({ nodeKeyHash: flipped(AMSTERDAM.keyHash) })).toBe('NODE_UNKNOWN');
    expect(ask({}, { ...bern, nodeId: 'essen' })).toBe('NOT_IN_NODE_SET');
    expect(ask({}, { ...bern, nodeId: 'cairo' })).toBe('SHARE_MISMATCH');
  });
});

describe('ENR-11: taking a part', () => {
  const take = (changes: Partial<IntroductionStart>, from = 'bern', node = NEW_NODE): string => {
    const { state } = begin(changes);
    const part = partOf(state, 'bern');
    return codeOf(() => checkIntroductionPart(CONTEXT, node, from, part));
  };

  test('ENR-11: a part that fits is taken; one for another node, of other keys or of another sender is not', () => {
    expect(take({})).toBe('done');
    expect(take({}, 'bern', { ...NEW_NODE, nodeId: 'essen' })).toBe('WRONG_NODE');
    expect(take({ nodeKeyHash: nodeKeyHash(described('bern')) })).toBe('NODE_UNKNOWN');
    expect(take({ descriptorVersion: 3 })).toBe('DESCRIPTOR_OLD');
    expect(take({ nodes: ['bern', 'mallory'] })).toBe('BELOW_FLOOR');
    expect(take({}, 'mallory')).toBe('NOT_IN_NODE_SET');
    expect(take({}, 'cairo')).toBe('SHARE_MISMATCH');
  });

  test('ENR-11: facts that do not read are refused', () => {
    const part = partOf(begin().state, 'bern');
    const broken = { ...part, facts: part.facts.slice(0, -1) };
    expect(codeOf(() => checkIntroductionPart(CONTEXT, NEW_NODE, 'bern', broken))).toBe('BAD_ENCODING');
  });
});

describe('ENR-12: introduced', () => {
  test('ENR-12: k parts that say the same give t_new, whichever k they are, and k - 1 do not', () => {
    const { state } = begin();
    const part = (node: string): readonly [string, IntroductionPart] => [node, partOf(state, node)];
    expect(gathered([part('bern')])).toBeUndefined();
    for (const nodes of [['bern', 'cairo'], ['delhi', 'bern'], OLD]) {
      const done = gathered(nodes.map(part));
      expect(toHex(done?.token.bytes ?? new Uint8Array(0))).toBe(toHex(state.token.bytes));
      expect(done?.facts).toEqual(FACTS);
      expect(toHex(done?.header.deviceId ?? new Uint8Array(0))).toBe(toHex(DEVICE));
    }
  });

  test('ENR-12: other facts do not count, and neither does another introduction of the same device', () => {
    const { state } = begin();
    const other = begin().state;
    const lie = partOf(state, 'cairo', { ...FACTS, account: 'mallory' });
    expect(
      gathered([
        ['bern', partOf(state, 'bern')],
        ['cairo', lie],
      ]),
    ).toBeUndefined();
    expect(
      gathered([
        ['cairo', lie],
        ['bern', partOf(state, 'bern')],
      ]),
    ).toBeUndefined();
    expect(
      gathered([
        ['bern', partOf(state, 'bern')],
        ['cairo', partOf(other, 'cairo')],
      ]),
    ).toBeUndefined();
    const done = gathered([
      ['cairo', lie],
      ['bern', partOf(state, 'bern')],
      ['delhi', partOf(state, 'delhi')],
    ]);
    expect(done?.facts.account).toBe('household');
  });

  test('ENR-12: one node that repeats itself counts once', () => {
    const { state } = begin();
    expect(
      gathered([
        ['bern', partOf(state, 'bern')],
        ['bern', partOf(state, 'bern')],
      ]),
    ).toBeUndefined();
  });

  test.each(SUITES)('ENR-12: with t_new the device enrols under its own id, suite $id', (suite) => {
    const { state } = begin();
    const done = gathered([
      ['bern', partOf(state, 'bern')],
      ['cairo', partOf(state, 'cairo')],
    ]);
    if (done === undefined) throw new Error('two parts are enough');
    const start = { ...enrolmentStart(AMSTERDAM, suite, 'alice'), enrolmentNonce: NONCE, token: state.token };
    const offered = startEnrolment(CONTEXT, start, kemRandom(suite, 'alice'));
    const record = {
      tokenId: TOKEN_ID,
      account: done.facts.account,
      uses: 1,
      expiresMs: 1000,
      token: done.token,
      claims: [],
    };
    const random = { nonce: prng.bytes(32), coins: kemRandom(suite, 'node').coins };
    const answered = receiveOffer(CONTEXT, enrolmentRules(AMSTERDAM), record, offered.output, 0, random);
    const confirming = receiveAnswer(CONTEXT, offered.state, answered.output);
    const spent = receiveConfirmation(answered.state, confirming.output);
    const enrolled = receiveAcknowledgement(confirming.state, spent.output.acknowledgement).state;
    expect(toHex(spent.output.enrolled?.deviceId ?? new Uint8Array(0))).toBe(toHex(DEVICE));
    expect(toHex(enrolled.bootstrapKey.bytes)).toBe(
      toHex(spent.output.enrolled?.bootstrapKey.bytes ?? new Uint8Array(0)),
    );
    expect(enrolled.account).toBe('household');
  });
});
