import { Secret, SymmetraError } from '@symmetra/crypto';
import {
  LinkCipher,
  abandonAnswer,
  abandonLink,
  confirmLink,
  inspectLinkConfirm,
  inspectLinkOpen,
  receiveLinkAnswer,
  receiveLinkConfirm,
  receiveLinkDone,
} from '@symmetra/protocol';
import type { LinkKeys, LinkPsk } from '@symmetra/protocol';
import { describe, expect, it, test } from 'vitest';
import { LinkParties } from './link-parties.js';
import type { Mixed } from './link-parties.js';

const BODY = 3;

const parties = new LinkParties('link handshake');
const alice = parties.party('alice');
const bob = parties.party('bob');
const mallory = parties.party('mallory');

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}

/** The message with one byte changed. */
function changed(message: Uint8Array, at: number): Uint8Array {
  const copy = message.slice();
  const place = at < 0 ? copy.length + at : at;
  copy[place] = (copy[place] as number) ^ 1;
  return copy;
}

function secretsOf(keys: LinkKeys): unknown {
  return [keys.linkId, keys.initiatorKey.bytes, keys.responderKey.bytes, keys.former.bytes];
}

const psk = (byte: number): LinkPsk => Secret.of('LinkPsk', new Uint8Array(32).fill(byte));
const qkd = (byte: number): NonNullable<Mixed['qkd']> => ({
  keyId: 'k-1',
  key: new Uint8Array(32).fill(byte),
});

describe('a handshake', () => {
  test('LINK-1 to LINK-4: both ends hold the same keys, and no other handshake has them', () => {
    const one = parties.handshake(alice, bob);
    const two = parties.handshake(alice, bob);
    expect(secretsOf(one.initiator)).toEqual(secretsOf(one.responder));
    expect(secretsOf(two.initiator)).toEqual(secretsOf(two.responder));
    expect(secretsOf(one.initiator)).not.toEqual(secretsOf(two.initiator));
    expect(one.initiator.initiator).toEqual({ nodeId: 'alice', instance: alice.self.instance });
    expect(one.initiator.responder).toEqual({ nodeId: 'bob', instance: bob.self.instance });
  });

  test.each([1, 2, 3])('LINK-1 to LINK-4: goes with suite %i', (suiteId) => {
    const world = new LinkParties('suites', suiteId);
    const keys = world.handshake(world.party('alice'), world.party('bob'));
    expect(secretsOf(keys.initiator)).toEqual(secretsOf(keys.responder));
  });

  test('LINK-2: two processes of one node have a link, though both hold the same static key', () => {
    const replica = parties.party('alice', alice);
    const keys = parties.handshake(alice, replica);
    expect(secretsOf(keys.initiator)).toEqual(secretsOf(keys.responder));
  });

  test('LINK-7: former key, PSK and QKD key each go into the keys', () => {
    const former = (seed: string): NonNullable<Mixed['former']> => {
      const { initiator } = new LinkParties(seed).handshake(alice, bob);
      return { linkId: initiator.linkId, key: initiator.former };
    };
    const run = (added: Mixed, shared?: LinkPsk): unknown => {
      const world = new LinkParties('one seed for all');
      const [a, b] = [world.party('alice'), world.party('bob')];
      const withPsk = <P extends typeof a>(party: P): P => ({
        ...party,
        peer: { ...party.peer, psk: shared },
      });
      const mixed = { initiator: added, responder: added };
      const keys = world.handshake(withPsk(a), withPsk(b), mixed);
      expect(secretsOf(keys.initiator)).toEqual(secretsOf(keys.responder));
      return Buffer.from(keys.initiator.initiatorKey.bytes).toString('hex');
    };
    const all = [
      run({}),
      run({ former: former('f-1') }),
      run({ former: former('f-2') }),
      run({}, psk(1)),
      run({}, psk(2)),
      run({ qkd: qkd(1) }),
      run({ qkd: qkd(2) }),
      run({ former: former('f-1'), qkd: qkd(1) }, psk(1)),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('LINK-7: an end that lost the former link says so, and the link comes about without it', () => {
    const { initiator } = parties.handshake(alice, bob);
    const former = { linkId: initiator.linkId, key: initiator.former };
    const keys = parties.handshake(alice, bob, { initiator: { former } });
    expect(secretsOf(keys.initiator)).toEqual(secretsOf(keys.responder));
  });
});

describe('LINK-2: an open message is refused', () => {
  const open = parties.open(alice, bob.peer, { instance: bob.self.instance });

  test.each([
    ['BAD_ENCODING', () => parties.answer(bob, alice.peer, open.message.subarray(0, -1))],
    ['BAD_ENCODING', () => parties.answer(bob, alice.peer, Uint8Array.of(...open.message, 0))],
    ['BAD_ENCODING', () => parties.answer(bob, alice.peer, changed(open.message, 0))],
    ['WRONG_VERSION', () => parties.answer(bob, alice.peer, changed(open.message, BODY))],
    ['WRONG_NETWORK', () => parties.answer(bob, alice.peer, changed(open.message, BODY + 1))],
    ['WRONG_NODE', () => parties.answer(mallory, alice.peer, open.message)],
    ['WRONG_NODE', () => parties.answer(parties.party('bob', bob), alice.peer, open.message)],
    ['SUITE_FORBIDDEN', () => parties.answer(bob, alice.peer, changed(open.message, BODY + 17))],
    ['LINK_KEYS_DIFFER', () => parties.answer(bob, mallory.peer, open.message)],
    [
      'LINK_KEYS_DIFFER',
      () => parties.answer(bob, { ...alice.peer, keyHash: new Uint8Array(32) }, open.message),
    ],
    ['LINK_PSK_DIFFERS', () => parties.answer(bob, { ...alice.peer, psk: psk(1) }, open.message)],
  ])('%s', (code, act) => {
    expect(codeOf(act)).toBe(code);
  });

  it('LINK_KEYS_DIFFER: when the initiator knows other keys of this node', () => {
    const stale = parties.open(alice, { ...mallory.peer, nodeId: 'bob' });
    expect(codeOf(() => parties.answer(bob, alice.peer, stale.message))).toBe('LINK_KEYS_DIFFER');
  });

  it('LINK_REFLECTED: the own open message, as if from a process of the own node', () => {
    const own = parties.open(alice, alice.peer);
    expect(codeOf(() => inspectLinkOpen(parties.context, alice.self, own.message))).toBe('LINK_REFLECTED');
  });

  it('LINK_PSK_DIFFERS: a PSK that was stripped', () => {
    const withPsk = parties.open(alice, { ...bob.peer, psk: psk(1) });
    expect(codeOf(() => parties.answer(bob, alice.peer, withPsk.message))).toBe('LINK_PSK_DIFFERS');
  });

  it('AUTHENTICATION_FAILED: under another former key, before any KEM is used', () => {
    const { initiator } = parties.handshake(alice, bob);
    const former = { linkId: initiator.linkId, key: initiator.former };
    const asked = { instance: bob.self.instance, former };
    const renewal = parties.open(alice, bob.peer, asked);
    const other = { ...former, key: parties.handshake(alice, bob).initiator.former };
    expect(codeOf(() => parties.answer(bob, alice.peer, renewal.message, other))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(codeOf(() => parties.answer(bob, alice.peer, renewal.message, former))).toBeUndefined();
  });

  it('BAD_KEM_KEY: a static key of either end as the ephemeral one', () => {
    for (const key of [alice.self.publicKey, bob.self.publicKey]) {
      const message = open.message.slice();
      const at = Buffer.from(message).indexOf(open.state.ephemeral.publicKey);
      message.set(key, at);
      expect(codeOf(() => parties.answer(bob, alice.peer, message))).toBe('BAD_KEM_KEY');
    }
  });
});

describe('LINK-3: an answer is refused, and the handshake goes on waiting', () => {
  const asked = { instance: bob.self.instance };
  const open = parties.open(alice, bob.peer, asked);
  const answer = parties.answer(bob, alice.peer, open.message);
  const receive = (message: Uint8Array): unknown =>
    receiveLinkAnswer(parties.context, open.state, message).state;

  test.each([
    ['BAD_ENCODING', answer.message.subarray(0, -1)],
    ['LINK_UNKNOWN', changed(answer.message, BODY)],
    ['AUTHENTICATION_FAILED', changed(answer.message, BODY + 40)],
    ['WRONG_NODE', changed(answer.message, BODY + 64)],
    ['BAD_ENCODING', changed(answer.message, BODY + 68)],
    ['AUTHENTICATION_FAILED', changed(answer.message, -1)],
  ])('%s', (code, message) => {
    expect(codeOf(() => receive(message))).toBe(code);
  });

  it('BAD_KEM_KEY: a static key, or the own ephemeral one, as the ephemeral key of the responder', () => {
    for (const key of [alice.self.publicKey, bob.self.publicKey, open.state.ephemeral.publicKey]) {
      const message = answer.message.slice();
      message.set(key, BODY + 64 + 4 + 1 + 2);
      expect(codeOf(() => receive(message))).toBe('BAD_KEM_KEY');
    }
  });

  it('LINK_REFLECTED: an answer that names this very process', () => {
    const own = parties.open(alice, alice.peer);
    const message = answer.message.slice();
    message.set(own.state.nonce, BODY);
    message.set(Buffer.from(alice.self.instance, 'hex'), BODY + 64);
    expect(codeOf(() => receiveLinkAnswer(parties.context, own.state, message))).toBe('LINK_REFLECTED');
  });

  it('AUTHENTICATION_FAILED: Mallory, who holds other static keys, answers in the name of Bob', () => {
    const posing = {
      self: { ...mallory.self, nodeId: 'bob', instance: bob.self.instance, keyHash: bob.self.keyHash },
      peer: bob.peer,
    };
    const forged = parties.answer(posing, alice.peer, open.message);
    expect(codeOf(() => receive(forged.message))).toBe('AUTHENTICATION_FAILED');
  });

  it('AUTHENTICATION_FAILED: another PSK', () => {
    const initiating = parties.open(alice, { ...bob.peer, psk: psk(1) });
    const answering = parties.answer(bob, { ...alice.peer, psk: psk(2) }, initiating.message);
    expect(codeOf(() => receiveLinkAnswer(parties.context, initiating.state, answering.message))).toBe(
      'AUTHENTICATION_FAILED',
    );
  });

  it('and takes the true one after all of them', () => {
    expect(receive(answer.message)).toMatchObject({ place: { responder: { nodeId: 'bob' } } });
  });
});

describe('LINK-4: a confirmation and a completion are refused', () => {
  const { context } = parties;
  const open = parties.open(alice, bob.peer);
  const answer = parties.answer(bob, alice.peer, open.message);
  const answered = receiveLinkAnswer(context, open.state, answer.message).state;
  const confirm = confirmLink(context, answered, qkd(1), parties.coins());
  const inspect = (message: Uint8Array): unknown => inspectLinkConfirm(context, answer.state, message);

  test.each([
    ['BAD_ENCODING', confirm.output.subarray(0, -1)],
    ['LINK_UNKNOWN', changed(confirm.output, BODY)],
    ['LINK_UNKNOWN', changed(confirm.output, BODY + 40)],
    ['AUTHENTICATION_FAILED', changed(confirm.output, BODY + 70)],
    ['AUTHENTICATION_FAILED', changed(confirm.output, -40)],
  ])('%s at the gate', (code, message) => {
    expect(codeOf(() => inspect(message))).toBe(code);
  });

  it('AUTHENTICATION_FAILED: another QKD key, and none, behind the gate', () => {
    expect(inspect(confirm.output)).toBe('k-1');
    for (const key of [new Uint8Array(32).fill(2), undefined]) {
      expect(codeOf(() => receiveLinkConfirm(context, answer.state, confirm.output, key))).toBe(
        'AUTHENTICATION_FAILED',
      );
    }
    expect(
      codeOf(() => receiveLinkConfirm(context, answer.state, changed(confirm.output, -1), undefined)),
    ).toBe('AUTHENTICATION_FAILED');
  });

  it('LINK_UNKNOWN, AUTHENTICATION_FAILED: a completion of another handshake, or with another tag', () => {
    const done = receiveLinkConfirm(context, answer.state, confirm.output, qkd(1).key);
    expect(codeOf(() => receiveLinkDone(confirm.state, done.output.subarray(0, -1)))).toBe('BAD_ENCODING');
    expect(codeOf(() => receiveLinkDone(confirm.state, changed(done.output, 1)))).toBe('LINK_UNKNOWN');
    expect(codeOf(() => receiveLinkDone(confirm.state, changed(done.output, 40)))).toBe('LINK_UNKNOWN');
    expect(codeOf(() => receiveLinkDone(confirm.state, changed(done.output, -1)))).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(secretsOf(receiveLinkDone(confirm.state, done.output))).toEqual(secretsOf(done.state));
  });

  it('a handshake that is given up leaves no key', () => {
    const begun = parties.open(alice, bob.peer);
    const taken = parties.answer(bob, alice.peer, begun.message);
    const known = receiveLinkAnswer(context, begun.state, taken.message).state;
    const last = confirmLink(context, known, undefined, parties.coins()).state;
    abandonLink(begun.state);
    abandonLink(known);
    abandonLink(last);
    abandonAnswer(taken.state);
    const wiped = [
      begun.state.ephemeral.secretKey,
      begun.state.staticSecret,
      known.first.key,
      last.keys.initiatorKey,
      last.keys.former,
      taken.state.first.key,
      taken.state.ephemeralKey,
    ];
    for (const secret of wiped) expect(codeOf(() => secret.bytes)).toBe('SECRET_WIPED');
  });
});

describe('LINK-5: datagrams', () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const ends = (): [LinkCipher, LinkCipher] => {
    const keys = parties.handshake(alice, bob);
    return [new LinkCipher(keys.initiator, 'initiator'), new LinkCipher(keys.responder, 'responder')];
  };

  it('are opened by the other end, once, in any order', () => {
    const [a, b] = ends();
    const sealed = [a.seal(text('one')), a.seal(text('two')), a.seal(new Uint8Array(0))];
    expect(b.open(sealed[1] as Uint8Array)).toEqual(text('two'));
    expect(b.open(sealed[0] as Uint8Array)).toEqual(text('one'));
    expect(b.open(sealed[2] as Uint8Array)).toHaveLength(0);
    for (const datagram of sealed) expect(codeOf(() => b.open(datagram))).toBe('MESSAGE_REPLAYED');
    expect(a.open(b.seal(text('three')))).toEqual(text('three'));
  });

  it('are bound to their link, number and direction', () => {
    const [a, b] = ends();
    const [other] = ends();
    const datagram = a.seal(text('one'));
    for (const at of [1, 9, 16, 17, -1]) {
      expect(codeOf(() => b.open(changed(datagram, at)))).toMatch(/AUTHENTICATION_FAILED|LINK_EXHAUSTED/);
    }
    expect(codeOf(() => a.open(datagram))).toBe('AUTHENTICATION_FAILED');
    expect(codeOf(() => b.open(other.seal(text('one'))))).toBe('AUTHENTICATION_FAILED');
    expect(b.open(datagram)).toEqual(text('one'));
    a.wipe();
    expect(codeOf(() => a.seal(text('two')))).toBe('SECRET_WIPED');
  });

  it('are refused when they are older than the window', () => {
    const [a, b] = ends();
    const first = a.seal(text('first'));
    for (let i = 0; i < 1024; i++) b.open(a.seal(text('later')));
    expect(codeOf(() => b.open(first))).toBe('MESSAGE_REPLAYED');
  });
});
