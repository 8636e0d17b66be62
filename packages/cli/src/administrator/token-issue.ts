import { randomBytes } from 'node:crypto';
import { Secret, sha256 } from '@symmetra/crypto';
import {
  encodeToken,
  nodeKemKey,
  nodeKeyHash,
  nodeTokenSecret,
  sealTokenSecret,
  tokenIdOf,
} from '@symmetra/protocol';
import type { ControlBody, Descriptor } from '@symmetra/protocol';

/** Token secrets are sealed to the suite 1 key of each node (CTL-4). */
const SEAL_SUITE = 1;
const MAX_HINTS = 8;

/** What a new token shall allow. */
export interface TokenOrder {
  readonly account: string;
  readonly uses: number;
  readonly expiresMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** A token that is ready, and the event that makes the nodes accept it. */
export interface IssuedToken {
  /** The text for the device; whoever has it can enrol. */
  readonly text: string;
  readonly tokenId: Uint8Array;
  readonly expiresMs: number;
  readonly body: ControlBody;
}

/**
 * ENR-1, CTL-4: draws T, derives t_i for each node, seals it to that node, and forgets T. Only the returned text
 * still holds it.
 */
export function issueToken(
  descriptor: Descriptor,
  rootPublicKey: Uint8Array,
  order: TokenOrder,
): IssuedToken {
  const { networkId, nodes } = descriptor;
  const secret = Secret.of('TokenSecret', new Uint8Array(randomBytes(32)));
  const tokenId = tokenIdOf(networkId, secret);
  const secrets = nodes.map((node) => {
    const share = nodeTokenSecret(networkId, secret, node.id, nodeKeyHash(node));
    const coins = new Uint8Array(randomBytes(32));
    const sealed = sealTokenSecret(networkId, tokenId, node.id, nodeKemKey(node, SEAL_SUITE), share, coins);
    share.wipe();
    coins.fill(0);
    return { nodeId: node.id, ...sealed };
  });
  const text = encodeToken({
    networkId,
    secret,
    rootKeyHash: sha256(rootPublicKey),
    hints: nodes.flatMap((node) => node.addresses.slice(0, 1)).slice(0, MAX_HINTS),
    expiresMs: order.expiresMs,
  });
  secret.wipe();
  const tags = Object.entries(order.tags).map(([key, value]) => ({ key, value }));
  const { account, uses, expiresMs } = order;
  const body = { kind: 'token-create', tokenId, account, uses, expiresMs, tags, secrets } as const;
  return { text, tokenId, expiresMs, body };
}
