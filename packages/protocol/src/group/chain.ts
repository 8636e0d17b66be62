import { equalConstantTime } from '@symmetra/crypto';
import type { HeldEpoch } from './epochs.js';
import type { GroupHeader } from './header.js';

/** Epochs that a member remembers to have been there; the last ones. */
const MAX_KNOWN = 32;

/** GRP-9: an epoch that a member held, or that one which it held follows. */
export interface KnownEpoch {
  readonly epochId: Uint8Array;
  /** Its number; of one that was never held, the highest that it can have. */
  readonly epoch: number;
}

/** GRP-9: an epoch is held: it was there, and so was the one that it follows. */
export function withKnown(
  chain: readonly KnownEpoch[],
  { epochId, header }: Pick<HeldEpoch, 'epochId' | 'header'>,
): readonly KnownEpoch[] {
  const { epoch, previous } = header;
  const others = chain.filter((one) => !equalConstantTime(one.epochId, epochId));
  const isKnown = previous.length === 0 || others.some((one) => equalConstantTime(one.epochId, previous));
  const followed = isKnown ? [] : [{ epochId: previous, epoch: epoch - 1 }];
  return [...others, ...followed, { epochId, epoch }].slice(-MAX_KNOWN);
}

/**
 * GRP-9: whether an epoch passes over one that is known, by number: it follows an epoch before that one, or none. It may
 * undo what that one did.
 */
export function passesOver(chain: readonly KnownEpoch[], { epoch, previous }: GroupHeader): boolean {
  const followed =
    previous.length === 0 ? 0 : chain.find((one) => equalConstantTime(one.epochId, previous))?.epoch;
  return followed !== undefined && chain.some((one) => one.epoch > followed && one.epoch < epoch);
}
