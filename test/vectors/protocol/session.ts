import type { suites } from '@symmetra/crypto';
import { openSession, receiveOpen, receiveSessionAnswer } from '@symmetra/protocol';
import type { SealedMessage, SessionEnd } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { chainContext } from './ratchet.js';
import type { Ends } from './ratchet.js';
import { NETWORK_ID, agreed, bench, fixed } from './vector.js';
import type { Vector } from './vector.js';

const METHOD = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const EVENT = '/symmetra.link.v1.LinkService/Event';
const GRANT = { lifetimeSeconds: 3600, maxMessages: 1_000_000, clockMs: 1_900_000_000_000 };

/** SES-1 to SES-5: session 0 of the ends' epoch, a call, its reply, and an event. */
export function sessionVector(table: typeof suites, ends: Ends): Vector {
  const { context, hand } = bench(table, ends.device.keys.suiteId);
  const { keys, parties } = ends.device;
  const nonce = fixed('n_D of the session', 32);
  const random = { sessionId: fixed('session id', 16), nonce: fixed('n_N of the session', 32) };
  const entropy = fixed('q of the session', 32);
  const opening = openSession(context, ends.device, nonce);
  const answered = receiveOpen(context, ends.node, opening.output.open, { ...GRANT, entropy }, random);
  if (answered.output.kind !== 'opened') throw new Error('the session opens');
  const { session, answer } = answered.output;

  const place = (hash: Uint8Array): by.HandContext =>
    chainContext(ends.device, by.raw(by.u64(keys.epoch), by.u64(keys.counter)), hash);
  const master = by.expand(hand, keys.chainKey.bytes, 'session key', place(by.NONE));
  const next = by.expand(hand, keys.chainKey.bytes, 'session next', place(by.NONE));
  const body = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(hand.id),
    parties.deviceId,
    by.text(parties.nodeId),
    by.u64(keys.epoch),
    by.u64(keys.counter),
    nonce,
  );
  const evidence = by.taggedUnder(
    hand,
    keys.evidenceKey.bytes,
    'session evidence',
    chainContext(ends.device, by.u64(keys.epoch), by.NONE),
    body,
  );
  const openTag = by.taggedUnder(
    hand,
    master,
    'session open',
    place(by.NONE),
    by.raw(by.bytes(body), by.bytes(evidence.tag)),
  );
  const open = by.raw(by.bytes(body), by.bytes(evidence.tag), by.bytes(openTag.tag));
  const grant = by.raw(
    entropy,
    by.u32(GRANT.lifetimeSeconds),
    by.u64(GRANT.maxMessages),
    by.u64(GRANT.clockMs),
  );
  const sealed = by.sealOnce(
    hand,
    master,
    'session answer-seal',
    place(by.hash(hand, open)),
    random.nonce,
    random.sessionId,
    grant,
  );
  const transcriptHash = by.hash(
    hand,
    by.bytes(open),
    random.sessionId,
    random.nonce,
    by.bytes(sealed.sealed),
  );
  const answerTag = by.taggedUnder(hand, master, 'session answer', place(transcriptHash), transcriptHash);
  const toNode = by.expand(hand, master, 'session device-to-node', place(transcriptHash), 32);
  const toDevice = by.expand(hand, master, 'session node-to-device', place(transcriptHash), 32);
  const opened = receiveSessionAnswer(context, opening.output, answer);
  agreed('ck of the device', opening.state.keys.chainKey.bytes, next);
  agreed('ck of the node', answered.state.keys.chainKey.bytes, next);
  return {
    'SES-1 open': {
      nonce: by.hex(nonce),
      'mk 0': by.hex(master),
      'chain key 1': by.hex(next),
      body: by.hex(body),
      'evidence tag key': by.hex(evidence.key),
      'evidence tag': by.hex(evidence.tag),
      'tag key': by.hex(openTag.key),
      tag: by.hex(openTag.tag),
      message: agreed('open', opening.output.open, open),
    },
    'SES-3 answer': {
      sessionId: by.hex(random.sessionId),
      nonce: by.hex(random.nonce),
      q: by.hex(entropy),
      ...GRANT,
      grant: by.hex(grant),
      messageKey: by.hex(sealed.messageKey),
      transcriptHash: by.hex(transcriptHash),
      'tag key': by.hex(answerTag.key),
      tag: by.hex(answerTag.tag),
      message: agreed(
        'answer',
        answer,
        by.raw(random.sessionId, random.nonce, by.bytes(sealed.sealed), by.bytes(answerTag.tag)),
      ),
    },
    'SES-4 direction keys': { 'device to node': by.hex(toNode), 'node to device': by.hex(toDevice) },
    'SES-5 sealed messages': traffic(hand, opened.session, session, toNode, toDevice),
  };
}

/** A call, its reply and an event; each is opened by the other end. */
function traffic(
  hand: by.HandSuite,
  device: SessionEnd,
  node: SessionEnd,
  toNode: Uint8Array,
  toDevice: Uint8Array,
): Vector {
  const texts = { call: by.utf8('the call'), reply: by.utf8('the reply'), event: by.utf8('the event') };
  const call = device.seal(METHOD, texts.call);
  agreed('the call as it is opened', node.open(METHOD, call), texts.call);
  const reply = node.seal(METHOD, texts.reply, call.seq);
  agreed('the reply as it is opened', device.open(METHOD, reply, call.seq), texts.reply);
  const event = node.seal(EVENT, texts.event);
  agreed('the event as it is opened', device.open(EVENT, event), texts.event);
  const { sessionId } = device;
  return {
    call: byHand(hand, sessionId, toNode, 0, METHOD, call, undefined, texts.call),
    reply: byHand(hand, sessionId, toDevice, 1, METHOD, reply, call.seq, texts.reply),
    event: byHand(hand, sessionId, toDevice, 1, EVENT, event, undefined, texts.event),
  };
}

function byHand(
  hand: by.HandSuite,
  sessionId: Uint8Array,
  key: Uint8Array,
  direction: 0 | 1,
  method: string,
  message: SealedMessage,
  inReplyTo: number | undefined,
  plaintext: Uint8Array,
): Vector {
  const aad = by.raw(
    by.u8(1),
    by.u8(hand.id),
    NETWORK_ID,
    sessionId,
    by.u8(direction),
    by.text(method),
    by.u64(message.seq),
    inReplyTo === undefined ? by.u8(0) : by.raw(by.u8(1), by.u64(inReplyTo)),
  );
  const nonce = by.raw(new Uint8Array(4), by.u64(message.seq));
  return {
    method,
    seq: message.seq,
    ...(inReplyTo !== undefined && { 'in reply to': inReplyTo }),
    aad: by.hex(aad),
    nonce: by.hex(nonce),
    plaintext: by.hex(plaintext),
    ciphertext: agreed('sealed message', message.ciphertext, by.seal(hand, key, nonce, aad, plaintext)),
  };
}
