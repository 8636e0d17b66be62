import { equalConstantTime, toHex } from '@symmetra/crypto';
import type { Secret } from '@symmetra/crypto';
import type { ApplicationKey } from '../pairwise/transcript.js';
import type { GroupHeader } from './header.js';
import type { GroupMessageKey } from './secrets.js';

/** GRP-9: most epochs that a member holds at once. */
export const MAX_EPOCHS = 3;

/** GRP-9: an epoch whose key the member has. */
export interface HeldEpoch {
  readonly epochId: Uint8Array;
  readonly header: GroupHeader;
  readonly applicationKey: ApplicationKey;
  readonly messageKey: GroupMessageKey;
  /** 16 bytes, public: the same at all members. */
  readonly fingerprint: Uint8Array;
  /** When this member got it, milliseconds of its own clock. */
  readonly receivedMs: number;
}

/** GRP-9: newest first: a higher number, then the smaller epoch id. */
export function newerFirst(one: HeldEpoch, other: HeldEpoch): number {
  const byNumber = other.header.epoch - one.header.epoch;
  return byNumber !== 0 ? byNumber : toHex(one.epochId) < toHex(other.epochId) ? -1 : 1;
}

/**
 * GRP-9: the epochs under which a message is taken now, newest first: those whose lifetime is not over, without those
 * that end because somebody was removed.
 * @param epochs newest first.
 * @param boundMs policy's: how soon who is out is cut off.
 */
export function acceptedEpochs(
  epochs: readonly HeldEpoch[],
  nowMs: number,
  boundMs: number,
): readonly HeldEpoch[] {
  return epochs.filter((epoch) => nowMs < endOf(epoch, epochs, boundMs));
}

/**
 * When an epoch ends: with its lifetime, or when an epoch came with a barrier above it and the bound has passed since, or
 * that one ends.
 */
function endOf(epoch: HeldEpoch, epochs: readonly HeldEpoch[], boundMs: number): number {
  const barred = epochs
    .filter(({ header }) => header.epoch > epoch.header.epoch && header.barrier > epoch.header.epoch)
    .map((newer) => Math.min(newer.receivedMs + boundMs, lifetimeEndOf(newer)));
  return Math.min(lifetimeEndOf(epoch), ...barred);
}

function lifetimeEndOf(epoch: HeldEpoch): number {
  return epoch.receivedMs + epoch.header.limits.lifetimeSeconds * 1000;
}

/** The held epoch of that id. */
export function epochOf(epochs: readonly HeldEpoch[], epochId: Uint8Array): HeldEpoch | undefined {
  return epochs.find((epoch) => equalConstantTime(epoch.epochId, epochId));
}

/** What has to be erased when an epoch is given up. */
export function epochSecrets(epochs: readonly HeldEpoch[]): readonly Secret<string>[] {
  return epochs.flatMap(({ applicationKey, messageKey }) => [applicationKey, messageKey]);
}
