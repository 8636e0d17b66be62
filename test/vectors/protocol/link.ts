import { Secret } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import {
  LinkCipher,
  answerLink,
  checkLinkOpen,
  confirmLink,
  inspectLinkConfirm,
  inspectLinkOpen,
  openLink,
  receiveLinkAnswer,
  receiveLinkConfirm,
  receiveLinkDone,
} from '@symmetra/protocol';
import type { FormerLink, LinkPeer, LinkSelf } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { vectorNode } from './network.js';
import { NETWORK_ID, agreed, bench, fixed } from './vector.js';
import type { Bench, Vector } from './vector.js';

const INSTANCES = { amsterdam: '0a0b0c0d', bern: '1a1b1c1d' } as const;
type Name = keyof typeof INSTANCES;

const INITIATOR: Name = 'amsterdam';
const RESPONDER: Name = 'bern';
const QKD_KEY_ID = 'bc490419-7d60-487f-adc1-4ddcc177c139';

/** What a run mixes in beside the KEM secrets. */
interface Added {
  readonly former?: { readonly linkId: Uint8Array; readonly key: Uint8Array };
  readonly psk?: Uint8Array;
  readonly qkd?: Uint8Array;
}

/** LINK-1 to LINK-5: a first link with any process of the node, and its renewal with former key, PSK and QKD key. */
export function linkVector(table: SuiteTable, suiteId: number): Vector {
  const first = run(bench(table, suiteId), 'the first link', {});
  const renewal = run(bench(table, suiteId), 'the renewed link', {
    former: first.former,
    psk: fixed('PSK of the nodes', 32),
    qkd: fixed('QKD key of the nodes', 32),
  });
  return { 'first link, any process': first.vector, 'renewal with all that can be mixed in': renewal.vector };
}

function run(
  { context, suite, hand }: Bench,
  name: string,
  added: Added,
): { readonly vector: Vector; readonly former: NonNullable<Added['former']> } {
  const { kem } = suite;
  const psk = added.psk && Secret.of('LinkPsk', added.psk.slice());
  const self = (id: Name): LinkSelf => {
    const node = vectorNode(id);
    const pair = node.secretKeys.get(hand.id);
    if (pair === undefined) throw new Error('the node has a key of every suite');
    return { nodeId: id, instance: INSTANCES[id], suiteId: hand.id, ...pair, keyHash: node.keyHash };
  };
  const peer = (id: Name): LinkPeer => ({ ...self(id), psk });
  const former: FormerLink | undefined = added.former && {
    linkId: added.former.linkId,
    key: Secret.of('FormerLinkKey', added.former.key.slice()),
  };
  const drawn = (what: string, length: number): Uint8Array =>
    fixed(`${what} of ${name}, suite ${hand.id}`, length);
  const nonceI = drawn('n_I', 32);
  const nonceR = drawn('n_R', 32);
  const seedI = drawn('seed of the initiator', kem.seedLength);
  const seedR = drawn('seed of the responder', kem.seedLength);
  const coins = {
    toResponder: drawn('coins to the responder', kem.coinsLength),
    toEphemeral: drawn('coins to the ephemeral key', kem.coinsLength),
    toInitiator: drawn('coins to the initiator', kem.coinsLength),
    last: drawn('coins of the confirmation', kem.coinsLength),
  };
  const asked = former === undefined ? {} : { instance: INSTANCES[RESPONDER], former };

  const open = openLink(context, self(INITIATOR), peer(RESPONDER), asked, {
    nonce: nonceI,
    seed: seedI.slice(),
    coins: coins.toResponder.slice(),
  });
  const request = inspectLinkOpen(context, self(RESPONDER), open.output);
  checkLinkOpen(context, self(RESPONDER), peer(INITIATOR), request, former);
  const answer = answerLink(context, self(RESPONDER), peer(INITIATOR), request, former, {
    nonce: nonceR,
    seed: seedR.slice(),
    coinsToEphemeral: coins.toEphemeral.slice(),
    coinsToStatic: coins.toInitiator.slice(),
  });
  const answered = receiveLinkAnswer(context, open.state, answer.output).state;
  const qkd = added.qkd && { keyId: QKD_KEY_ID, key: added.qkd.slice() };
  const confirm = confirmLink(context, answered, qkd, coins.last.slice());
  inspectLinkConfirm(context, answer.state, confirm.output);
  const done = receiveLinkConfirm(context, answer.state, confirm.output, added.qkd?.slice());
  const keys = receiveLinkDone(confirm.state, done.output);

  // Once more, by hand.
  const [keyI, keyR] = [kem.keygen(seedI).publicKey, kem.keygen(seedR).publicKey];
  const toR = kem.encapsulate(peer(RESPONDER).publicKey, coins.toResponder);
  const toE = kem.encapsulate(keyI, coins.toEphemeral);
  const toI = kem.encapsulate(peer(INITIATOR).publicKey, coins.toInitiator);
  const last = kem.encapsulate(keyR, coins.last);
  const instance = (id: Name): Uint8Array => new Uint8Array(Buffer.from(INSTANCES[id], 'hex'));
  const end = (id: Name): Uint8Array => by.raw(by.text(id), instance(id));
  const place = (transcriptHash: Uint8Array): by.HandContext => ({
    networkId: NETWORK_ID,
    initiator: end(INITIATOR),
    responder: end(RESPONDER),
    epoch: by.NONE,
    transcriptHash,
  });
  const openBody = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    end(INITIATOR),
    by.text(RESPONDER),
    by.bytes(added.former === undefined ? by.NONE : instance(RESPONDER)),
    vectorNode(INITIATOR).keyHash,
    vectorNode(RESPONDER).keyHash,
    nonceI,
    by.u8(added.psk === undefined ? 0 : 1),
    by.bytes(added.former?.linkId ?? by.NONE),
    by.bytes(keyI),
    by.bytes(toR.ciphertext),
  );
  const filter =
    added.former === undefined
      ? by.NONE
      : by.taggedUnder(hand, added.former.key, 'link filter', place(by.NONE), openBody).tag;
  const answerBody = by.raw(
    nonceI,
    nonceR,
    instance(RESPONDER),
    by.u8(added.former === undefined ? 0 : 1),
    by.bytes(keyR),
    by.bytes(toE.ciphertext),
    by.bytes(toI.ciphertext),
  );
  const th1 = by.hash(hand, by.bytes(openBody), by.bytes(answerBody));
  const ikms = [
    toR.sharedSecret,
    toI.sharedSecret,
    toE.sharedSecret,
    added.former?.key ?? by.NONE,
    added.psk ?? by.NONE,
  ];
  const k1 = by.expand(hand, by.extract(hand, 'link first', ikms), 'link first', place(th1));
  const answerTag = by.taggedUnder(hand, k1, 'link answer', place(th1), th1);
  const confirmBody = by.raw(
    nonceI,
    nonceR,
    by.bytes(last.ciphertext),
    by.text(added.qkd === undefined ? '' : QKD_KEY_ID),
  );
  const th2 = by.hash(hand, by.bytes(th1), by.bytes(confirmBody));
  const context2 = place(th2);
  const prk = by.extract(hand, 'link key', [k1, last.sharedSecret, added.qkd ?? by.NONE]);
  const k = by.expand(hand, prk, 'link key', context2);
  const gate = by.taggedUnder(hand, k1, 'link confirm', context2, th2);
  const tagI = by.taggedUnder(hand, k, 'link initiator', context2, th2);
  const tagR = by.taggedUnder(hand, k, 'link responder', context2, th2);
  const linkId = by.expand(hand, k, 'link id', context2, 8);
  const directionI = by.expand(hand, k, 'link initiator-to-responder', context2, 32);
  const directionR = by.expand(hand, k, 'link responder-to-initiator', context2, 32);
  const formerKey = by.expand(hand, k, 'link former', context2);
  agreed('key of I', keys.initiatorKey.bytes, directionI);
  agreed('key of R', done.state.responderKey.bytes, directionR);

  const vector = {
    'LINK-1 open': {
      initiator: `${INITIATOR} ${INSTANCES[INITIATOR]}`,
      responder: `${RESPONDER} ${INSTANCES[RESPONDER]}`,
      n_I: by.hex(nonceI),
      'seed of epk_I': by.hex(seedI),
      'coins of ct_R': by.hex(coins.toResponder),
      psk: by.hex(added.psk ?? by.NONE),
      'former link id': by.hex(added.former?.linkId ?? by.NONE),
      'former key': by.hex(added.former?.key ?? by.NONE),
      message: agreed('open', open.output, by.raw(by.u8(1), by.bytes(openBody), by.bytes(filter))),
    },
    'LINK-2 answer': {
      n_R: by.hex(nonceR),
      'seed of epk_R': by.hex(seedR),
      'coins of ct_E': by.hex(coins.toEphemeral),
      'coins of ct_I': by.hex(coins.toInitiator),
      th_1: by.hex(th1),
      k_1: by.hex(k1),
      message: agreed(
        'answer',
        answer.output,
        by.raw(by.u8(2), by.bytes(answerBody), by.bytes(answerTag.tag)),
      ),
    },
    'LINK-3 confirm': {
      'coins of ct_F': by.hex(coins.last),
      'QKD key': by.hex(added.qkd ?? by.NONE),
      th_2: by.hex(th2),
      k: by.hex(k),
      message: agreed(
        'confirm',
        confirm.output,
        by.raw(by.u8(3), by.bytes(confirmBody), by.bytes(gate.tag), by.bytes(tagI.tag)),
      ),
    },
    'LINK-4 done': {
      message: agreed('done', done.output, by.raw(by.u8(4), nonceI, nonceR, by.bytes(tagR.tag))),
      'link id': agreed('link id', keys.linkId, linkId),
      'key of I': by.hex(directionI),
      'key of R': by.hex(directionR),
      'former key': agreed('former key', keys.former.bytes, formerKey),
    },
    'LINK-5 datagrams': datagrams(
      hand,
      { initiator: new LinkCipher(keys, 'initiator'), responder: new LinkCipher(done.state, 'responder') },
      { initiator: directionI, responder: directionR },
      linkId,
    ),
  };
  return { vector, former: { linkId, key: formerKey } };
}

/** A request of the initiator, and its reply. */
function datagrams(
  hand: by.HandSuite,
  ends: Readonly<Record<'initiator' | 'responder', LinkCipher>>,
  keys: Readonly<Record<'initiator' | 'responder', Uint8Array>>,
  linkId: Uint8Array,
): Vector {
  const payload = by.utf8('the request');
  const outcome = by.raw(by.u8(0), by.utf8('the reply'));
  const request = by.raw(by.u8(1), by.u64(1), by.text('subject'), by.u32(payload.length), payload);
  const reply = by.raw(by.u8(2), by.u64(1), by.u32(outcome.length), outcome);
  const header = by.raw(by.u8(5), linkId, by.u64(0));
  const sealed = (key: Uint8Array, frames: Uint8Array): Uint8Array =>
    by.raw(header, by.seal(hand, key, new Uint8Array(12), header, frames));
  const asked = agreed('request', ends.initiator.seal(request), sealed(keys.initiator, request));
  const told = agreed('reply', ends.responder.seal(reply), sealed(keys.responder, reply));
  agreed('the request as it is opened', ends.responder.open(sealed(keys.initiator, request)), request);
  agreed('the reply as it is opened', ends.initiator.open(sealed(keys.responder, reply)), reply);
  return {
    'frames of I': by.hex(request),
    'datagram of I': asked,
    'frames of R': by.hex(reply),
    'datagram of R': told,
  };
}
