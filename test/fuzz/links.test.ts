import { SymmetraError } from '@symmetra/crypto';
import {
  LinkCipher,
  confirmLink,
  confirmedNonces,
  inspectLinkConfirm,
  inspectLinkOpen,
  linkOf,
  openLink,
  receiveLinkAnswer,
  receiveLinkConfirm,
  receiveLinkDone,
} from '@symmetra/protocol';
import { LinkWorld } from '@symmetra/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameBatch, readFrames } from '../../packages/bus/src/linked/frames.js';
import { LinkParties } from '../scenario/link-parties.js';
import { effort } from './effort.js';
import { mutated } from './protocol-corpus.js';

const RUNS = 300;
const OUTCOMES = [
  'read',
  'BAD_ENCODING',
  'WRONG_VERSION',
  'WRONG_NETWORK',
  'WRONG_NODE',
  'SUITE_FORBIDDEN',
  'LINK_UNKNOWN',
  'LINK_REFLECTED',
  'LINK_EXHAUSTED',
  'MESSAGE_REPLAYED',
  'BAD_KEM_KEY',
  'BAD_KEM_CIPHERTEXT',
  'AUTHENTICATION_FAILED',
];

const parties = new LinkParties('fuzz');
const alice = parties.party('alice');
const bob = parties.party('bob');
const { context } = parties;
const open = parties.open(alice, bob.peer);
const answer = parties.answer(bob, alice.peer, open.message);
const answered = receiveLinkAnswer(context, open.state, answer.message).state;
const confirm = confirmLink(context, answered, undefined, parties.coins());
const done = receiveLinkConfirm(context, answer.state, confirm.output, undefined);
const whole = parties.handshake(alice, bob);
const [sender, receiver] = [
  new LinkCipher(whole.initiator, 'initiator'),
  new LinkCipher(whole.responder, 'responder'),
];

/** What reads the bytes of a stranger, with a message that it takes. */
const READERS: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
  'an open message': [open.message, (bytes) => inspectLinkOpen(context, bob.self, bytes)],
  'an answer': [answer.message, (bytes) => receiveLinkAnswer(context, open.state, bytes)],
  'the nonces of a confirmation': [confirm.output, (bytes) => confirmedNonces(bytes)],
  'a confirmation': [confirm.output, (bytes) => inspectLinkConfirm(context, answer.state, bytes)],
  'a confirmation that passed the gate': [
    confirm.output,
    (bytes) => receiveLinkConfirm(context, answer.state, bytes, undefined),
  ],
  'a completion': [done.output, (bytes) => receiveLinkDone(confirm.state, bytes)],
  'a datagram': [
    sender.seal(new Uint8Array(40)),
    (bytes) => {
      linkOf(bytes);
      return receiver.open(bytes);
    },
  ],
};

function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    read(bytes);
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'read';
}

describe.each(Object.entries(READERS))('what reads %s', (_name, [valid, read]) => {
  test('reads what the protocol writes', () => {
    expect(outcome(read, valid)).toBe('read');
  });

  test('takes any bytes, and damaged messages', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated([valid]));
    fc.assert(
      fc.property(bytes, (input) => {
        expect(OUTCOMES).toContain(outcome(read, input));
      }),
      effort(RUNS),
    );
  });
});

test('LINK-6: the frames of a datagram are read whole, or refused', () => {
  const batch = new FrameBatch(1000);
  batch.request(4, 'echo', new Uint8Array(20));
  batch.reply(5, new Uint8Array(9));
  batch.request(2 ** 40, 'größer', new Uint8Array(0));
  batch.farewell();
  let valid = new Uint8Array(0);
  batch.drain((frames) => {
    valid = new Uint8Array(frames);
  });
  const again = (bytes: Uint8Array): Uint8Array => {
    const copy = new FrameBatch(bytes.length + 1);
    readFrames(bytes, copy);
    let written = new Uint8Array(0);
    copy.drain((frames) => {
      written = new Uint8Array(frames);
    });
    return written;
  };
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated([valid])), (bytes) => {
      const read = outcome(again, bytes);
      expect(['read', 'BAD_ENCODING']).toContain(read);
      if (read === 'read') expect(again(bytes)).toEqual(bytes);
    }),
    effort(RUNS),
  );
  expect(again(valid)).toEqual(valid);
});

describe('LINK-6: a node that seals what it likes', () => {
  const request = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 4]),
    Buffer.from('echo'),
    Buffer.from([0, 0, 0, 2, 1, 2]),
  ]);
  const reply = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]);

  test('brings the bus to refuse its frames, and to nothing else', async () => {
    const world = new LinkWorld('frames');
    const failures: unknown[] = [];
    const bus = world.join('bob', { onFailure: (_subject, error) => failures.push(error) });
    bus.serve('echo', async (_from, payload) => payload);
    const identity = world.identity('mallory');
    const pair = identity.kemKeys.get(world.suiteId);
    const peer = world.identity('bob');
    const key = peer.kemKeys.get(world.suiteId);
    if (pair === undefined || key === undefined) throw new Error('both have keys');
    const self = {
      nodeId: 'mallory',
      instance: '66666666',
      suiteId: world.suiteId,
      ...pair,
      keyHash: identity.keyHash,
    };
    const wire = world.wires.join({ node: 'mallory', instance: self.instance });
    const inbox: Uint8Array[] = [];
    wire.listen(
      (datagram) => inbox.push(datagram),
      () => undefined,
    );
    const exchange = async (datagram: Uint8Array): Promise<Uint8Array> => {
      wire.send({ node: 'bob', instance: bus.instance }, datagram);
      await world.settle(6);
      return inbox.shift() as Uint8Array;
    };
    const { kem } = world.context.suites.get(world.suiteId);
    const random = {
      nonce: world.random(32),
      seed: world.random(kem.seedLength),
      coins: world.random(kem.coinsLength),
    };
    const named = { nodeId: 'bob', publicKey: key.publicKey, keyHash: peer.keyHash };
    const opening = openLink(world.context, self, named, {}, random);
    const told = receiveLinkAnswer(world.context, opening.state, await exchange(opening.output)).state;
    const last = confirmLink(world.context, told, undefined, world.random(kem.coinsLength));
    const cipher = new LinkCipher(receiveLinkDone(last.state, await exchange(last.output)), 'initiator');

    const echoed = await exchange(cipher.seal(request));
    expect(cipher.open(echoed)).toEqual(new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3, 0, 1, 2]));
    const frames = fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated([request, reply]));
    await fc.assert(
      fc.asyncProperty(frames, async (bytes) => {
        // A farewell would end the link.
        fc.pre(!bytes.includes(3));
        wire.send({ node: 'bob', instance: bus.instance }, cipher.seal(bytes));
        await world.settle(3);
      }),
      effort(RUNS),
    );
    expect(failures).toEqual([]);
    expect(new Set(world.refusals)).toEqual(new Set(['bob BAD_ENCODING']));
    await bus.close();
  });
});
