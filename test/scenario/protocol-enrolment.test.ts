import { Secret, concat, sha256, toBase64Url, toHex } from '@symmetra/crypto';
import {
  beginChain,
  beginNodeChain,
  decodeToken,
  deviceIdOf,
  encodeToken,
  inspectConfirmation,
  inspectOffer,
  nodeTokenSecret,
  openTokenSecret,
  receiveAcknowledgement,
  receiveAnswer,
  receiveConfirmation,
  receiveOffer,
  sealTokenSecret,
  startEnrolment,
  tokenIdOf,
} from '@symmetra/protocol';
import type { TokenRecord } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import {
  AMSTERDAM,
  BERN,
  CONTEXT,
  HOUR_MS,
  NETWORK_ID,
  SUITES,
  TOKEN_ID,
  codeOf,
  enrolmentRules,
  enrolmentStart,
  epochBytes,
  flipped,
  freshRecord,
  kemRandom,
  tokenSecret,
} from './protocol-world.js';

const prng = new Prng('enrolment scenarios');

const token = {
  networkId: NETWORK_ID,
  secret: tokenSecret(),
  rootKeyHash: prng.bytes(32),
  hints: ['127.0.0.1:7401', 'node-2.example:7402'],
  expiresMs: HOUR_MS,
};

describe('ENR-1: the token', () => {
  test('ENR-1: is one line of text that gives back every field', () => {
    const text = encodeToken(token);
    expect(text).toMatch(/^smt1_[\w-]+$/);
    const read = decodeToken(text);
    expect({ ...read, secret: toHex(read.secret.bytes) }).toEqual({
      ...token,
      secret: toHex(token.secret.bytes),
    });
  });

  test.each([
    ['nothing', ''],
    ['another text', 'hello'],
    ['a cut', encodeToken(token).slice(0, -7)],
    ['a changed letter', encodeToken(token).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['no prefix', encodeToken(token).slice(5)],
    ['a foreign letter', `${encodeToken(token).slice(0, -1)}!`],
    ['a prefix alone', 'smt1_'],
  ])('ENR-1: %s is refused', (_, text) => {
    expect(codeOf(() => decodeToken(text))).toBe('TOKEN_MALFORMED');
  });

  test('ENR-1: a token of another version is refused, however well it was made', () => {
    const fields = Uint8Array.of(2, 0, 0, 0);
    const bytes = concat(fields, sha256(fields).subarray(0, 4));
    expect(codeOf(() => decodeToken(`smt1_${toBase64Url(bytes)}`))).toBe('TOKEN_MALFORMED');
  });

  test('ENR-1: each node has another share, and its id says nothing about it', () => {
    const shares = [AMSTERDAM, BERN].map((node) =>
      toHex(nodeTokenSecret(NETWORK_ID, tokenSecret(), node.nodeId, node.keyHash).bytes),
    );
    expect(new Set([...shares, toHex(tokenSecret().bytes)]).size).toBe(3);
    expect(tokenIdOf(NETWORK_ID, tokenSecret())).toHaveLength(16);
    expect(shares.some((share) => share.includes(toHex(TOKEN_ID)))).toBe(false);
  });

  test('CTL-4: a sealed share opens at its node alone, and for its token alone', () => {
    const key = AMSTERDAM.kemKeys.get(1);
    const share = nodeTokenSecret(NETWORK_ID, tokenSecret(), AMSTERDAM.nodeId, AMSTERDAM.keyHash);
    const sealed = sealTokenSecret(
      NETWORK_ID,
      TOKEN_ID,
      AMSTERDAM.nodeId,
      key?.publicKey as Uint8Array,
      share,
      prng.bytes(32),
    );
    const open = (node: typeof AMSTERDAM, tokenId: Uint8Array): Secret<'NodeTokenSecret'> =>
      openTokenSecret(
        NETWORK_ID,
        tokenId,
        node.nodeId,
        node.kemKeys.get(1)?.secretKey.bytes as Uint8Array,
        sealed,
      );
    expect(open(AMSTERDAM, TOKEN_ID).bytes).toEqual(share.bytes);
    expect(codeOf(() => open(BERN, TOKEN_ID))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => open(AMSTERDAM, prng.bytes(16)))).toBe('AUTHENTICATION_FAILED');
  });
});

describe.each(SUITES)('enrolment under suite $id', (suite) => {
  const rules = enrolmentRules(AMSTERDAM);
  const offerOf = (name: string, at = AMSTERDAM) =>
    startEnrolment(CONTEXT, enrolmentStart(at, suite, name), kemRandom(suite, name));
  const answerTo = (record: TokenRecord, offer: Uint8Array, nowMs = 0, name = 'answer') =>
    receiveOffer(CONTEXT, rules, record, offer, nowMs, {
      nonce: new Prng(name).bytes(32),
      coins: kemRandom(suite, name).coins,
    });

  test('ENR-2 to ENR-8, ATK-1: both ends come to the same epoch 0, and the secrets on the way are handed back', () => {
    const offered = offerOf('alice');
    const reserved = answerTo(freshRecord(AMSTERDAM), offered.output);
    const confirming = receiveAnswer(CONTEXT, offered.state, reserved.output);
    const spent = receiveConfirmation(reserved.state, confirming.output);
    const enrolled = receiveAcknowledgement(confirming.state, spent.output.acknowledgement);
    const device = beginChain(CONTEXT, enrolled.state, 'bootstrap');
    if (spent.output.enrolled === undefined) throw new Error('the confirmation enrols');
    const node = beginNodeChain(CONTEXT, AMSTERDAM.nodeId, spent.output.enrolled, 'bootstrap');

    expect(enrolled.state.account).toBe('household');
    expect(device.state.parties).toEqual(node.state.parties);
    expect(epochBytes(device.state)).toEqual(epochBytes(node.state));
    expect(spent.state.claims.map(({ kind }) => kind)).toEqual(['spent']);
    const { token: share, staticSecret, ephemeralKey } = confirming.state;
    expect(enrolled.consumed).toEqual([share, staticSecret, ephemeralKey]);
    expect(device.consumed).toEqual([enrolled.state.bootstrapKey]);
    expect(node.consumed).toEqual([spent.output.enrolled.bootstrapKey]);
  });

  test('ENR-2: the offer says where it belongs', () => {
    const { output, state } = offerOf('alice');
    const { tokenId, enrolmentNonce, nodeId } = inspectOffer(CONTEXT, output);
    expect(nodeId).toBe('amsterdam');
    expect(deviceIdOf(tokenId, enrolmentNonce)).toEqual(state.parties.deviceId);
    const foreign = { ...CONTEXT, networkId: prng.bytes(16) };
    expect(codeOf(() => inspectOffer(foreign, output))).toBe('WRONG_NETWORK');
    expect(codeOf(() => inspectOffer(CONTEXT, flipped(output, 2)))).toBe('WRONG_VERSION');
  });

  test('ENR-3: without the share the offer fails at the cheap tag, and with it at the second one', () => {
    const { output } = offerOf('alice');
    const stranger: TokenRecord = {
      ...freshRecord(AMSTERDAM),
      token: Secret.of('NodeTokenSecret', prng.bytes(32)),
    };
    expect(codeOf(() => answerTo(stranger, output))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => answerTo(freshRecord(AMSTERDAM), flipped(output)))).toBe('AUTHENTICATION_FAILED');
  });

  test('ENR-3: an offer to another node, under a forbidden suite or an old descriptor is refused', () => {
    const { output } = offerOf('alice');
    const { output: toBern } = offerOf('alice', BERN);
    const receive = (changed: Partial<typeof rules>): string =>
      codeOf(() =>
        receiveOffer(CONTEXT, { ...rules, ...changed }, freshRecord(AMSTERDAM), output, 0, {
          nonce: prng.bytes(32),
          coins: prng.bytes(suite.kem.coinsLength),
        }),
      );
    expect(codeOf(() => answerTo(freshRecord(AMSTERDAM), toBern))).toBe('WRONG_NODE');
    expect(receive({ allowedSuites: [1, 2, 3].filter((id) => id !== suite.id) })).toBe('SUITE_FORBIDDEN');
    expect(receive({ kemKeys: new Map() })).toBe('SUITE_FORBIDDEN');
    expect(receive({ descriptorVersion: 5 })).toBe('DESCRIPTOR_OLD');
  });

  test("ENR-3: the node's own static key is no ephemeral key", () => {
    const random = { ...kemRandom(suite, 'mallory'), seed: AMSTERDAM.seed(suite) };
    const { output } = startEnrolment(CONTEXT, enrolmentStart(AMSTERDAM, suite, 'mallory'), random);
    expect(codeOf(() => answerTo(freshRecord(AMSTERDAM), output))).toBe('BAD_KEM_KEY');
  });

  test('ENR-3: an expired, a spent and a contested token each have their own error', () => {
    const alice = offerOf('alice');
    const mallory = offerOf('mallory').output;
    const expired = codeOf(() => answerTo(freshRecord(AMSTERDAM), alice.output, HOUR_MS));
    expect(expired).toBe('TOKEN_EXPIRED');

    const reserved = answerTo(freshRecord(AMSTERDAM), alice.output);
    expect(codeOf(() => answerTo(reserved.state, mallory))).toBe('TOKEN_CONTESTED');
    const again = startEnrolment(
      CONTEXT,
      enrolmentStart(AMSTERDAM, suite, 'alice'),
      kemRandom(suite, 'again'),
    );
    expect(codeOf(() => answerTo(reserved.state, again.output))).toBe('TOKEN_CONTESTED');

    const { output } = receiveAnswer(CONTEXT, alice.state, reserved.output);
    const spent = receiveConfirmation(reserved.state, output);
    expect(codeOf(() => answerTo(spent.state, mallory))).toBe('TOKEN_SPENT');
    expect(answerTo({ ...spent.state, uses: 2 }, mallory).state.claims).toHaveLength(2);
  });

  test('ENR-4: the identical offer gets the identical answer, and nothing changes', () => {
    const { output } = offerOf('alice');
    const first = answerTo(freshRecord(AMSTERDAM), output);
    const second = answerTo(first.state, output, 30_000, 'another answer');
    expect(second.output).toEqual(first.output);
    expect(second.state).toBe(first.state);
  });

  test('ENR-4: a reservation that ran out is given to the next one, and its key is handed back', () => {
    const alice = offerOf('alice');
    const first = answerTo(freshRecord(AMSTERDAM), alice.output);
    const late = answerTo(first.state, offerOf('mallory').output, 60_000, 'late');
    expect(late.state.claims).toHaveLength(1);
    expect(late.consumed).toHaveLength(1);
    const { output } = receiveAnswer(CONTEXT, alice.state, first.output);
    expect(codeOf(() => receiveConfirmation(late.state, output))).toBe('RESERVATION_UNKNOWN');
  });

  test('ENR-5: an answer that was changed changes nothing; another true one replaces the key', () => {
    const { state, output } = offerOf('alice');
    const first = answerTo(freshRecord(AMSTERDAM), output);
    expect(codeOf(() => receiveAnswer(CONTEXT, state, flipped(first.output)))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => receiveAnswer(CONTEXT, state, flipped(first.output, 0)))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(codeOf(() => receiveAnswer(CONTEXT, state, first.output.slice(1)))).toBe('BAD_ENCODING');

    const confirming = receiveAnswer(CONTEXT, state, first.output);
    const second = answerTo(first.state, output, 60_000, 'after the reservation ran out');
    const replaced = receiveAnswer(CONTEXT, confirming.state, second.output);
    expect(replaced.consumed).toEqual([confirming.state.bootstrapKey]);
    expect(replaced.state.bootstrapKey.bytes).not.toEqual(confirming.state.bootstrapKey.bytes);
    expect(receiveConfirmation(second.state, replaced.output).output.enrolled).toBeDefined();
    expect(codeOf(() => receiveConfirmation(second.state, confirming.output))).toBe('AUTHENTICATION_FAILED');
  });

  test('ENR-6: a confirmation is for one token and one device', () => {
    const offered = offerOf('alice');
    const reserved = answerTo(freshRecord(AMSTERDAM), offered.output);
    const { output } = receiveAnswer(CONTEXT, offered.state, reserved.output);
    expect(inspectConfirmation(output)).toEqual({
      tokenId: TOKEN_ID,
      deviceId: offered.state.parties.deviceId,
    });
    expect(codeOf(() => receiveConfirmation(reserved.state, flipped(output, 0)))).toBe('RESERVATION_UNKNOWN');
    expect(codeOf(() => receiveConfirmation(reserved.state, flipped(output, 20)))).toBe(
      'RESERVATION_UNKNOWN',
    );
    expect(codeOf(() => receiveConfirmation(reserved.state, flipped(output)))).toBe('AUTHENTICATION_FAILED');
  });

  test('ENR-7: a repeated confirmation gets the same acknowledgement and enrols nobody', () => {
    const offered = offerOf('alice');
    const reserved = answerTo(freshRecord(AMSTERDAM), offered.output);
    const { output } = receiveAnswer(CONTEXT, offered.state, reserved.output);
    const spent = receiveConfirmation(reserved.state, output);
    const again = receiveConfirmation(spent.state, output);
    expect(again.output).toEqual({ acknowledgement: spent.output.acknowledgement });
    expect(again.state).toBe(spent.state);
    expect(answerTo(spent.state, offered.output, 2 * HOUR_MS).output).toEqual(reserved.output);
  });

  test('ENR-8: an acknowledgement that does not verify leaves the device where it is', () => {
    const offered = offerOf('alice');
    const reserved = answerTo(freshRecord(AMSTERDAM), offered.output);
    const { state, output } = receiveAnswer(CONTEXT, offered.state, reserved.output);
    const { acknowledgement } = receiveConfirmation(reserved.state, output).output;
    expect(codeOf(() => receiveAcknowledgement(state, flipped(acknowledgement)))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(receiveAcknowledgement(state, acknowledgement).state.kind).toBe('enrolled');
  });
});
