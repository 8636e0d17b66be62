import type { suites } from '@symmetra/crypto';
import { issueChallenge, judgeProof, nodeCodePart, promotionCode, proveState } from '@symmetra/protocol';
import type { ChainConfirming, CodePart, DeviceChain } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { chainContext } from './ratchet.js';
import type { Ends } from './ratchet.js';
import { NETWORK_ID, agreed, bench, fixed } from './vector.js';
import type { Vector } from './vector.js';

/** ATK-8, ATK-9: a challenge, and the proofs of a device with one epoch and of one with two. */
export function proofVector(table: typeof suites, settled: Ends, confirming: ChainConfirming): Vector {
  const { hand, context } = bench(table, settled.device.keys.suiteId);
  const challenge = issueChallenge(settled.node, fixed('challenge', 32));
  const proofs = { 'one epoch': settled.device, 'two epochs': confirming };
  return {
    'ATK-8 challenge': { nonce: by.hex(challenge.nonce) },
    ...Object.fromEntries(
      Object.entries(proofs).map(([name, chain]) => {
        const message = proveState(context, chain, challenge.nonce);
        if (judgeProof(context, settled.node, challenge, message) !== 'current') {
          throw new Error('the device holds the newest state');
        }
        return [`ATK-9 proof, ${name}`, proofByHand(hand, chain, challenge.nonce, message)];
      }),
    ),
  };
}

function proofByHand(hand: by.HandSuite, chain: DeviceChain, nonce: Uint8Array, message: Uint8Array): Vector {
  const newest = chain.kind === 'confirming' ? chain.next.keys : chain.keys;
  const claim = by.raw(
    by.u8(1),
    NETWORK_ID,
    chain.parties.deviceId,
    by.text(chain.parties.nodeId),
    by.u64(newest.epoch),
    by.u64(newest.counter),
    nonce,
  );
  const under = (
    keys: typeof newest,
    suite: by.HandSuite,
    shown: Uint8Array,
  ): ReturnType<typeof by.taggedUnder> =>
    by.taggedUnder(
      suite,
      keys.evidenceKey.bytes,
      'ratchet challenge',
      chainContext(chain, by.u64(keys.epoch), by.NONE),
      shown,
    );
  const tag = under(newest, hand, claim);
  const shown = by.raw(by.bytes(claim), by.bytes(tag.tag));
  const formerSuite = by.HAND_SUITES.find(({ id }) => id === chain.keys.suiteId) ?? hand;
  const former = newest === chain.keys ? undefined : under(chain.keys, formerSuite, shown);
  return {
    claim: by.hex(claim),
    'tag key': by.hex(tag.key),
    tag: by.hex(tag.tag),
    ...(former && { 'former tag key': by.hex(former.key), 'former tag': by.hex(former.tag) }),
    message: agreed('proof', message, by.raw(shown, by.bytes(former?.tag ?? by.NONE))),
  };
}

/** ATK-10: the promotion code over one node's step, and over three. */
export function codeVector(ends: Ends): Vector {
  const own = ends.device.kind === 'settled' ? ends.device.code : undefined;
  const other = nodeCodePart(ends.node);
  if (!own || !other) throw new Error('both ends have their part of the code');
  const part = (nodeId: string): CodePart => ({
    nodeId,
    transcriptHash: fixed(`transcript at ${nodeId}`, own.transcriptHash.length),
    deviceNonce: fixed(`device code nonce at ${nodeId}`, 32),
    nodeNonce: fixed(`node code nonce at ${nodeId}`, 32),
  });
  const three = [part('cairo'), own, part('bern')];
  return {
    'ATK-10 promotion code, one node': codeByHand([own], promotionCode([other])),
    'ATK-10 promotion code, three nodes': codeByHand(three, promotionCode(three)),
  };
}

function codeByHand(parts: readonly CodePart[], code: string): Vector {
  const ordered = parts.toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const fields = by.list(ordered, ({ nodeId, transcriptHash, deviceNonce, nodeNonce }) =>
    by.raw(by.text(nodeId), by.bytes(transcriptHash), deviceNonce, nodeNonce),
  );
  const digest = by.sha256(by.text('symmetra/1 ratchet code'), fields);
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bits = Array.from(digest.slice(0, 5), (byte) => byte.toString(2).padStart(8, '0')).join('');
  const byHand = (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
  if (byHand !== code) throw new Error(`the promotion code is ${byHand}, not ${code}`);
  return { input: by.hex(fields), digest: by.hex(digest), code };
}
