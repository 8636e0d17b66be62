import { EMPTY, combine, equalConstantTime, wipe } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import type { Share } from '../pairwise/transcript.js';
import { groupShareCommitment } from './header.js';
import { groupSecrets } from './secrets.js';
import type { GroupSecrets } from './secrets.js';
import type { DealtHeader } from './welcome.js';

/** GRP-9: most deals of which one node's share waits for others. */
const MAX_WAITING = 3;

/** A share that fits its commitment. */
interface GatheredShare {
  readonly nodeId: string;
  readonly share: Share;
}

/** GRP-9: the shares of one deal that came so far; fewer than q. */
export interface Gathering extends DealtHeader {
  readonly shares: readonly GatheredShare[];
}

/** The gatherings with one more share, oldest first, and what has to be erased. */
export interface Gathered {
  readonly gatherings: readonly Gathering[];
  readonly consumed: readonly Share[];
}

/** GRP-9: takes note of a share. Of one node at most {@link MAX_WAITING} wait: the oldest leaves first. */
export function gather(
  gatherings: readonly Gathering[],
  dealt: DealtHeader,
  nodeId: string,
  share: Share,
): Gathered {
  const own = gatherings.find((one) => equalConstantTime(one.dealHash, dealt.dealHash));
  if (own?.shares.some((one) => one.nodeId === nodeId)) return { gatherings, consumed: [share] };
  const shares = [...(own?.shares ?? []), { nodeId, share }];
  const all = [...gatherings.filter((one) => one !== own), { ...dealt, shares }];
  const waiting = all.filter((one) => one.shares.some((gathered) => gathered.nodeId === nodeId));
  const oldest = waiting.length > MAX_WAITING ? waiting[0] : undefined;
  return oldest === undefined ? { gatherings: all, consumed: [] } : withoutShare(all, oldest, nodeId);
}

function withoutShare(all: readonly Gathering[], from: Gathering, nodeId: string): Gathered {
  const shares = from.shares.filter((one) => one.nodeId !== nodeId);
  const dropped = from.shares.filter((one) => one.nodeId === nodeId);
  const gatherings = all
    .map((one) => (one === from ? { ...one, shares } : one))
    .filter((one) => one.shares.length > 0);
  return { gatherings, consumed: dropped.map(({ share }) => share) };
}

/** The shares of gatherings that are given up. */
export function gatheredShares(gatherings: readonly Gathering[]): readonly Share[] {
  return gatherings.flatMap(({ shares }) => shares.map(({ share }) => share));
}

/** GRP-9: what q shares give; undefined when cm_0 or the tag does not fit it. S and G are erased here. */
export function rebuild(context: ProtocolContext, gathering: Gathering): GroupSecrets | undefined {
  const { header, headerBytes, tag, shares } = gathering;
  const points = shares.map(({ nodeId, share }) => ({
    x: header.nodes.indexOf(nodeId) + 1,
    bytes: share.bytes,
  }));
  const split = combine(points);
  const committed = groupShareCommitment(context.suites.get(header.suiteId), header, 0, split);
  const secrets = groupSecrets(context, headerBytes, header, split);
  wipe(split);
  const [commitment = EMPTY] = header.commitments;
  if (equalConstantTime(committed, commitment) && equalConstantTime(secrets.tag, tag)) return secrets;
  secrets.applicationKey.wipe();
  secrets.messageKey.wipe();
  return undefined;
}
