import { SymmetraError } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, MAX_MEMBERS } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';

/** Device ids of one part. */
export const MAX_PART = 1000;
/** Rosters that wait for their deals at once; a dealer has one. */
const MAX_STAGED = 32;
/** How long a roster waits for its next part, or its deal. */
const WAIT_MS = 5 * 60_000;

interface Staged {
  readonly groupHex: string;
  readonly epoch: number;
  readonly members: Uint8Array[];
  /** Monotonic milliseconds. */
  readonly expiresAt: number;
}

/** What the parts of a staged roster say that they belong to. */
export interface StagedPart {
  readonly groupHex: string;
  readonly epoch: number;
  readonly offset: number;
  readonly members: readonly Uint8Array[];
}

/**
 * GRP-3: rosters that dealers bring before their deals. In memory, in bounded number; a dealer whose roster is gone
 * brings it again.
 */
export class StagedRosters {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #staged = new Map<string, Staged>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /**
   * Takes the next part; offset 0 begins anew. @returns how many device ids are staged by now.
   * @throws STAGE_OUT_OF_ORDER, GROUP_TOO_LARGE, GROUP_BUSY when others' rosters take all the room
   */
  add(dealerHex: string, { groupHex, epoch, offset, members }: StagedPart): number {
    const staged = offset === 0 ? [] : this.#of(dealerHex, groupHex, epoch, offset);
    if (staged.length + members.length > MAX_MEMBERS) {
      throw new SymmetraError('GROUP_TOO_LARGE', 'a group has at most so many members', {
        limit: MAX_MEMBERS,
      });
    }
    this.sweep();
    if (!this.#staged.has(dealerHex) && this.#staged.size >= MAX_STAGED) {
      throw new SymmetraError('GROUP_BUSY', 'too many rosters are staged at this node; try again', {
        limit: MAX_STAGED,
      });
    }
    const expiresAt = this.#clock.monotonic() + WAIT_MS;
    staged.push(...members);
    this.#staged.set(dealerHex, { groupHex, epoch, members: staged, expiresAt });
    return staged.length;
  }

  /** The whole staged roster of a deal. It stays until it is dropped. @throws STAGE_OUT_OF_ORDER */
  of(dealerHex: string, groupHex: string, epoch: number, count: number): readonly Uint8Array[] {
    return [...this.#of(dealerHex, groupHex, epoch, count)];
  }

  /** Forgets what a dealer staged. */
  drop(dealerHex: string): void {
    this.#staged.delete(dealerHex);
  }

  /** Forgets rosters whose time is over. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [dealerHex, { expiresAt }] of this.#staged) {
      if (expiresAt <= now) this.#staged.delete(dealerHex);
    }
  }

  #of(dealerHex: string, groupHex: string, epoch: number, count: number): Uint8Array[] {
    const staged = this.#staged.get(dealerHex);
    if (staged?.groupHex === groupHex && staged.epoch === epoch && staged.members.length === count) {
      return staged.members;
    }
    throw new SymmetraError('STAGE_OUT_OF_ORDER', 'the parts of a roster come in order; begin anew', {
      staged: staged?.members.length ?? 0,
    });
  }
}

/** Device ids that stand one after another. @throws BAD_MESSAGE */
export function deviceIdsIn(bytes: Uint8Array, limit: number): readonly Uint8Array[] {
  const count = bytes.length / DEVICE_ID_LENGTH;
  if (!Number.isInteger(count) || count > limit) {
    throw new SymmetraError('BAD_MESSAGE', 'device ids have 32 bytes each, in bounded number', { limit });
  }
  return Array.from({ length: count }, (_, i) =>
    Uint8Array.from(bytes.subarray(i * DEVICE_ID_LENGTH, (i + 1) * DEVICE_ID_LENGTH)),
  );
}
