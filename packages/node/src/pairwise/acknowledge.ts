import { SymmetraError } from '@symmetra/crypto';
import { SHORT_ID_LENGTH } from '@symmetra/protocol';
import { decode } from '@symmetra/rpc';
import type { Session } from '../presence/session-table.js';
import { hexOf } from '../rows/row-keys.js';
import type { SealedOutcome } from '../session/sealed-handler.js';
import type { PendingShares } from '../shares/pending-shares.js';

const MAX_KEY_IDS = 256;
const EMPTY_REPLY = new Uint8Array(0);

/** PAIR-6: the responder has what it needs, or refuses it: its shares are erased. */
export class Acknowledge {
  readonly #shares: PendingShares;

  constructor(shares: PendingShares) {
    this.#shares = shares;
  }

  /** @throws BAD_MESSAGE */
  async answer(session: Session, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { keyIds } = decode('symmetra.pairwise.v1.AcknowledgeRequest', plaintext);
    if (keyIds.length > MAX_KEY_IDS || keyIds.some((id) => id.length !== SHORT_ID_LENGTH)) {
      throw new SymmetraError('BAD_MESSAGE', 'an acknowledgement names at most 256 key ids of 16 bytes');
    }
    await this.#shares.acknowledged(session.deviceHex, [...new Set(keyIds.map(hexOf))]);
    return { reply: EMPTY_REPLY };
  }
}
