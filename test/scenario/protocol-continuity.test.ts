import { suites } from '@symmetra/crypto';
import { MAX_HELD } from '@symmetra/protocol';
import { cheapSuite } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { Couple, secretsOf } from './protocol-couple.js';
import { CONTEXT, SUITES, codeOf } from './protocol-world.js';

test('the cheap suite is not in the table that these scenarios use', () => {
  expect(CONTEXT.suites).toBe(suites);
  expect(CONTEXT.suites.has(cheapSuite.id)).toBe(false);
});

describe.each(SUITES)('continuity under suite $id', (suite) => {
  const couple = (): Couple => new Couple(suite);

  test('PAIR-1, PAIR-7: the second key goes on from the first, the third from the second', () => {
    const pair = couple();
    expect(pair.complete(true).initiator.continued).toBe(false);
    for (let i = 0; i < 3; i++) {
      const { initiator, responder } = pair.complete();
      expect(initiator.continued).toBe(true);
      expect(secretsOf(initiator)).toEqual(secretsOf(responder));
    }
    expect(pair.continuity.newest).toBe(pair.continuity.acknowledged);
    expect(pair.held.every(({ confirmed }) => confirmed)).toBe(true);
  });

  test('PAIR-5: a first contact whose response was lost does not shut the initiator out', () => {
    const pair = couple();
    pair.answer();
    expect(pair.held.map(({ confirmed }) => confirmed)).toEqual([false]);
    expect(pair.complete().initiator.continued).toBe(false);
    expect(pair.complete().initiator.continued).toBe(true);
  });

  test('PAIR-5: however many negotiations are given up, the two find their common secret', () => {
    const pair = couple();
    pair.complete();
    for (let i = 0; i < MAX_HELD + 20; i++) pair.answer();
    expect(pair.held).toHaveLength(MAX_HELD);
    expect(pair.complete().initiator.continued).toBe(true);
  });

  test('PAIR-5: the same when every confirmation is lost, and the acknowledged secret is old', () => {
    const pair = couple();
    pair.complete();
    const { acknowledged } = pair.continuity;
    for (let i = 0; i < MAX_HELD + 20; i++) {
      const { begun, output } = pair.answer();
      pair.confirm(begun, output);
    }
    expect(pair.continuity.acknowledged).toBe(acknowledged);
    expect(pair.complete().initiator.continued).toBe(true);
  });

  test('PAIR-9: late acknowledgements never put an older secret in place of a later one', () => {
    const pair = couple();
    const runs = [pair.answer(), pair.answer(), pair.answer()];
    const [first, ...others] = runs.map(({ begun, output }, i) =>
      i === 0 ? pair.confirm(begun, output) : begun,
    );
    if (first === undefined || !('state' in first)) throw new Error('the first is confirmed');
    expect(others).toHaveLength(2);
    const late = pair.hold((runs[0] as (typeof runs)[0]).state, first.output);
    pair.complete();
    const before = pair.continuity;
    pair.finish(first.state, late.output);
    expect(pair.continuity).toBe(before);
  });

  test('PAIR-9: with nothing acknowledged yet, the first acknowledgement counts though a later key is confirmed', () => {
    const pair = couple();
    const one = pair.answer();
    const confirmed = pair.confirm(one.begun, one.output);
    const held = pair.hold(one.state, confirmed.output);
    const two = pair.answer();
    pair.confirm(two.begun, two.output);
    pair.finish(confirmed.state, held.output);
    expect(pair.continuity.acknowledged?.id).toEqual(confirmed.state.continuity.id);
    expect(pair.continuity.newest?.id).not.toEqual(confirmed.state.continuity.id);
    expect(pair.complete().initiator.continued).toBe(true);
  });

  test('PAIR-8: of several first contacts at once one completes; the others are begun anew', () => {
    const pair = couple();
    const [first, second] = [pair.answer(), pair.answer()];
    const confirmed = pair.confirm(first.begun, first.output);
    expect(codeOf(() => pair.confirm(second.begun, second.output))).toBe('CONTINUITY_REQUIRED');
    pair.hold(first.state, confirmed.output);
    expect(pair.complete().initiator.continued).toBe(true);
  });

  test('PAIR-9: nobody completes a first contact at the responder after another key was confirmed', () => {
    const pair = couple();
    const [own, other] = [pair.answer(), pair.answer()];
    const malloryContinuity = pair.continuity;
    const confirmed = pair.confirm(own.begun, own.output);
    pair.hold(own.state, confirmed.output);
    pair.continuity = malloryContinuity;
    const forged = pair.confirm(other.begun, other.output);
    expect(codeOf(() => pair.hold(other.state, forged.output))).toBe('CONTINUITY_REQUIRED');
  });

  test('PAIR-9: a confirmation that arrives behind an offer of its own secret is taken', () => {
    const pair = couple();
    const first = pair.answer();
    const confirmed = pair.confirm(first.begun, first.output);
    expect(pair.complete().initiator.continued).toBe(true);
    expect(pair.hold(first.state, confirmed.output).state.kind).toBe('held');
  });

  test('PAIR-7: a responder that holds continuity refuses an initiator without it, authentically', () => {
    const pair = couple();
    pair.complete();
    pair.continuity = {};
    const { state, output } = pair.begin({});
    const refused = pair.respond(pair.deliver(output));
    expect(refused.state).toMatchObject({ kind: 'refused', code: 'CONTINUITY_REQUIRED' });
    expect(pair.refusal(state, refused.output)).toBe('CONTINUITY_REQUIRED');
    expect(pair.held).toHaveLength(1);
  });

  test('PAIR-8: an initiator that holds continuity refuses a responder without it, until the user forgets the peer', () => {
    const pair = couple();
    pair.complete();
    pair.held = [];
    const { begun, output } = pair.answer();
    expect(codeOf(() => pair.confirm(begun, output))).toBe('CONTINUITY_REQUIRED');
    pair.continuity = {};
    pair.held = [];
    expect(pair.complete().initiator.continued).toBe(false);
  });

  test('PAIR-7: an offer for another key id, or with a changed tag, is none', () => {
    const pair = couple();
    pair.complete();
    const { newest } = pair.continuity;
    if (newest === undefined) throw new Error('there is a newest secret');
    const secret = newest.secret.clone();
    secret.bytes[0] = (secret.bytes[0] as number) ^ 1;
    const { state, output } = pair.begin({ changed: { continuity: { newest: { ...newest, secret } } } });
    const refused = pair.respond(pair.deliver(output));
    expect(pair.refusal(state, refused.output)).toBe('CONTINUITY_REQUIRED');
  });

  test('PAIR-8: a response that chooses a secret which was not offered does not verify', () => {
    const pair = couple();
    pair.complete();
    const begun = pair.begin({});
    const answered = pair.respond(pair.deliver(begun.output));
    const stranger = { ...begun.state, offered: [] };
    pair.continuity = {};
    expect(codeOf(() => pair.confirm(stranger, answered.output))).toBe('AUTHENTICATION_FAILED');
  });
});
