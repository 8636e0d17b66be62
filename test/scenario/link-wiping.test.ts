import { SymmetraError } from '@symmetra/crypto';
import {
  abandonLink,
  confirmLink,
  openLink,
  receiveLinkAnswer,
  receiveLinkConfirm,
} from '@symmetra/protocol';
import type { FormerKey, ProtocolContext } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import { LinkParties } from './link-parties.js';

const parties = new LinkParties('link wiping');
const alice = parties.party('alice');
const bob = parties.party('bob');
const ZERO = new Uint8Array(32);

/** The same suites, but the KEM fails at the given decapsulation, counted from 1. @returns what it gave before that */
function failingAt(failing: number): { context: ProtocolContext; given: Uint8Array[] } {
  const suite = parties.context.suites.get(parties.suiteId);
  const given: Uint8Array[] = [];
  const decapsulate = (ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array => {
    if (given.length + 1 === failing) throw new SymmetraError('BAD_KEM_CIPHERTEXT', 'too long');
    const secret = suite.kem.decapsulate(ciphertext, secretKey);
    given.push(secret);
    return secret;
  };
  const faulty = {
    ...suite,
    kem: Object.assign(Object.create(suite.kem), { decapsulate }) as typeof suite.kem,
  };
  const suites = { ...parties.context.suites, get: () => faulty };
  return { context: { ...parties.context, suites }, given };
}

const asked = { instance: bob.self.instance };

describe('what a handshake consumed is erased, also where it fails', () => {
  it('LINK-3: the first KEM secret, when the second ciphertext is none', () => {
    const open = parties.open(alice, bob.peer, asked);
    const answer = parties.answer(bob, alice.peer, open.message);
    const { context, given } = failingAt(2);
    expect(() => receiveLinkAnswer(context, open.state, answer.message)).toThrow(
      expect.objectContaining({ code: 'BAD_KEM_CIPHERTEXT' }) as Error,
    );
    expect(given).toHaveLength(1);
    expect(given[0]?.every((byte) => byte === 0)).toBe(true);
  });

  it('LINK-4: the QKD key, when the ciphertext is none', () => {
    const open = parties.open(alice, bob.peer, asked);
    const answer = parties.answer(bob, alice.peer, open.message);
    const answered = receiveLinkAnswer(parties.context, open.state, answer.message);
    const confirm = confirmLink(parties.context, answered.state, undefined, parties.coins());
    const { context } = failingAt(1);
    const place = { ...answer.state.place, suite: context.suites.get(parties.suiteId) };
    const key = new Uint8Array(32).fill(7);
    expect(() => receiveLinkConfirm(context, { ...answer.state, place }, confirm.output, key)).toThrow(
      expect.objectContaining({ code: 'BAD_KEM_CIPHERTEXT' }) as Error,
    );
    expect(key).toEqual(ZERO);
  });

  it('LINK-1: no ephemeral key is drawn towards a key that is none', () => {
    const { kem } = parties.context.suites.get(parties.suiteId);
    const drawn = {
      nonce: parties.prng.bytes(32),
      seed: parties.prng.bytes(kem.seedLength),
      coins: parties.prng.bytes(kem.coinsLength),
    };
    let keys = 0;
    const { context } = failingAt(0);
    const suite = context.suites.get(parties.suiteId);
    const counting = Object.assign(Object.create(suite.kem), {
      keygen: (seed: Uint8Array) => {
        keys += 1;
        return suite.kem.keygen(seed);
      },
    }) as typeof suite.kem;
    const suites = { ...context.suites, get: () => ({ ...suite, kem: counting }) };
    const peer = { ...bob.peer, publicKey: new Uint8Array(3) };
    expect(() => openLink({ ...context, suites }, alice.self, peer, asked, drawn)).toThrow(
      expect.objectContaining({ code: 'BAD_KEM_KEY' }) as Error,
    );
    expect(keys).toBe(0);
  });

  it('LINK-7: a former link may end while its successor is opened; the copy of its key goes with the opening', () => {
    const { initiator, responder } = parties.handshake(alice, bob);
    const former = { linkId: initiator.linkId, key: initiator.former };
    const open = parties.open(alice, bob.peer, { ...asked, former });
    initiator.former.wipe();
    const kept = { linkId: responder.linkId, key: responder.former };
    const answer = parties.answer(bob, alice.peer, open.message, kept);
    const { consumed } = receiveLinkAnswer(parties.context, open.state, answer.message);
    for (const secret of consumed) secret.wipe();
    const copy = open.state.former?.key as FormerKey;
    expect(() => copy.bytes).toThrow(expect.objectContaining({ code: 'SECRET_WIPED' }) as Error);
  });

  it('LINK-8: everything that an opening holds, when it is given up', () => {
    const { initiator } = parties.handshake(alice, bob);
    const { state } = parties.open(alice, bob.peer, {
      ...asked,
      former: { linkId: initiator.linkId, key: initiator.former },
    });
    abandonLink(state);
    for (const secret of [state.ephemeral.secretKey, state.staticSecret, state.former?.key]) {
      expect(() => secret?.bytes).toThrow(expect.objectContaining({ code: 'SECRET_WIPED' }) as Error);
    }
    expect(initiator.former.bytes).not.toEqual(ZERO);
  });
});
