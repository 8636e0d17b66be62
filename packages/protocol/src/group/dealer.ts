import { Secret, split } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { SHARE_LENGTH } from '../pairwise/header.js';
import type { Share } from '../pairwise/transcript.js';
import {
  dealHash,
  decodeGroupHeader,
  encodeGroupHeader,
  groupEpochId,
  groupShareCommitment,
} from './header.js';
import type { GroupHeader } from './header.js';
import { groupSecrets } from './secrets.js';

/** GRP-3, GRP-4: how far an epoch's number may be above what is known, on the word of one. */
export const MAX_EPOCH_SKIP = 65_536;

/** What a dealer decides on; the commitments come with the shares. */
export type GroupRequest = Omit<GroupHeader, 'commitments'>;

/** Fresh random bytes for one epoch. */
export interface DealRandom {
  /** S, 32 bytes. */
  readonly secret: Uint8Array;
  /** 32 bytes for each of k - 1 coefficients; see {@link groupCoinLength}. */
  readonly coins: Uint8Array;
}

/** An epoch as it was dealt. Store it, then send it, and send it again as it is. */
export interface Deal {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  readonly epochId: Uint8Array;
  readonly dealHash: Uint8Array;
  /** In the order of the header's nodes. */
  readonly shares: readonly Share[];
}

/** Bytes of the coins that a threshold needs. */
export function groupCoinLength(threshold: number): number {
  return (threshold - 1) * SHARE_LENGTH;
}

/**
 * GRP-3: splits a new epoch's secret among the nodes. S, G and the coins are erased here.
 * @throws BAD_HEADER, BAD_THRESHOLD, BAD_COINS, SUITE_UNKNOWN
 */
export function dealEpoch(context: ProtocolContext, request: GroupRequest, random: DealRandom): Deal {
  try {
    const suite = context.suites.get(request.suiteId);
    const shares = split(random.secret, request.threshold, request.nodes.length, random.coins);
    const commitments = [random.secret, ...shares].map((part, i) =>
      groupShareCommitment(suite, request, i, part),
    );
    const header = encodeGroupHeader(context, { ...request, commitments });
    const secrets = groupSecrets(context, header, decodeGroupHeader(context, header), random.secret);
    secrets.applicationKey.wipe();
    secrets.messageKey.wipe();
    return {
      header,
      tag: secrets.tag,
      epochId: groupEpochId(suite, header),
      dealHash: dealHash(suite, header, secrets.tag),
      shares: shares.map((share) => Secret.of('Share', share)),
    };
  } finally {
    random.secret.fill(0);
    random.coins.fill(0);
  }
}

/**
 * GRP-3: the newest epoch that a dealer believes there is. A node that lies can not use the numbers up.
 * @param own the newest that it knows of itself.
 * @param named by the refusals of as many nodes.
 */
export function believedEpoch(own: number, named: readonly number[], threshold: number): number {
  const agreed = named.toSorted((a, b) => b - a)[threshold - 1] ?? 0;
  return Math.max(own, agreed, ...named.filter((epoch) => epoch <= own + MAX_EPOCH_SKIP));
}
