import { Secret, suites } from '@symmetra/crypto';
import {
  decodeToken,
  encodeToken,
  nodeTokenSecret,
  openTokenSecret,
  sealTokenSecret,
  tokenIdOf,
} from '@symmetra/protocol';
import * as by from './by-hand.js';
import { NODE_IDS, signer, vectorNode } from './network.js';
import { NETWORK_ID, agreed, fixed } from './vector.js';
import type { Vector } from './vector.js';

const SUITE_1 = by.HAND_SUITES[0] as by.HandSuite;
export const EXPIRES_MS = 2_000_000_000_000;

/** T. */
export const tokenSecret = (): Secret<'TokenSecret'> => Secret.of('TokenSecret', fixed('token secret T', 32));

function tokenContext(responder: Uint8Array, transcriptHash: Uint8Array): by.HandContext {
  return { networkId: NETWORK_ID, initiator: by.NONE, responder, epoch: by.u64(0), transcriptHash };
}

/** ENR-1 and CTL-4: the token, its id, the share of one node and how it is sealed to that node. Always suite 1. */
export function tokenVector(): Vector {
  const secret = tokenSecret();
  const rootKeyHash = by.sha256(signer('root').publicKey);
  const hints = ['node-1.example:7401', '[2001:db8::2]:7402'] as const;
  const token = { networkId: NETWORK_ID, secret, rootKeyHash, hints, expiresMs: EXPIRES_MS };
  const fields = by.raw(
    by.u8(1),
    NETWORK_ID,
    secret.bytes,
    rootKeyHash,
    by.list(hints, by.text),
    by.u64(EXPIRES_MS),
  );
  const text = `smt1_${Buffer.from(by.raw(fields, by.sha256(fields).slice(0, 4))).toString('base64url')}`;
  if (encodeToken(token) !== text || by.hex(decodeToken(text).secret.bytes) !== by.hex(secret.bytes)) {
    throw new Error('the text of the token is another one');
  }
  const idPrk = by.extract(SUITE_1, 'enrol token-id', [secret.bytes]);
  const id = by.expand(SUITE_1, idPrk, 'enrol token-id', tokenContext(by.NONE, by.NONE), 16);
  return {
    'ENR-1 token': {
      networkId: by.hex(NETWORK_ID),
      secret: by.hex(secret.bytes),
      rootKeyHash: by.hex(rootKeyHash),
      'hint 1': hints[0] as string,
      'hint 2': hints[1] as string,
      expiresMs: EXPIRES_MS,
      text,
      'token id PRK': by.hex(idPrk),
      'token id': agreed('token id', tokenIdOf(NETWORK_ID, secret), id),
    },
    'CTL-4 sealed shares': Object.fromEntries(NODE_IDS.map((nodeId) => [nodeId, sealedShare(nodeId, id)])),
  };
}

function sealedShare(nodeId: string, tokenId: Uint8Array): Vector {
  const node = vectorNode(nodeId);
  const share = shareByHand(nodeId);
  const coins = fixed(`coins of the sealed share for ${nodeId}`, 32);
  const key = node.secretKeys.get(1);
  if (key === undefined) throw new Error('every node has a key of suite 1');
  const own = nodeTokenSecret(NETWORK_ID, tokenSecret(), nodeId, node.keyHash);
  const sealed = sealTokenSecret(NETWORK_ID, tokenId, nodeId, key.publicKey, own, coins);
  const opened = openTokenSecret(NETWORK_ID, tokenId, nodeId, key.secretKey.bytes, sealed);
  const { sharedSecret } = suites.get(1).kem.encapsulate(key.publicKey, coins);
  const context = tokenContext(by.utf8(nodeId), by.hash(SUITE_1, tokenId, sealed.ciphertext));
  const sealKey = by.expand(SUITE_1, sharedSecret, 'enrol token-seal', context);
  const byHand = by.sealOnce(
    SUITE_1,
    sealKey,
    'enrol token-seal',
    context,
    new Uint8Array(32),
    tokenId,
    share.secret,
  );
  return {
    nodeKeyHash: by.hex(node.keyHash),
    't_i PRK': by.hex(share.prk),
    t_i: agreed('t_i', opened.bytes, share.secret),
    coins: by.hex(coins),
    ciphertext: by.hex(sealed.ciphertext),
    sharedSecret: by.hex(sharedSecret),
    key: by.hex(sealKey),
    messageKey: by.hex(byHand.messageKey),
    sealed: agreed('sealed t_i', sealed.sealed, byHand.sealed),
  };
}

/** t_i of a node. */
export function shareByHand(nodeId: string): { readonly prk: Uint8Array; readonly secret: Uint8Array } {
  const context = tokenContext(by.utf8(nodeId), vectorNode(nodeId).keyHash);
  const prk = by.extract(SUITE_1, 'enrol token', [tokenSecret().bytes]);
  return { prk, secret: by.expand(SUITE_1, prk, 'enrol token', context) };
}
