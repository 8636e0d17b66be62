import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { approve, checkStanding } from '@symmetra/protocol';
import type { Approval, DeviceStanding, Limits } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { Presences } from '../presence/presences.js';
import type { Session } from '../presence/session-table.js';
import { hexOf, keyRow, shareRow } from '../rows/row-keys.js';
import type { SealedOutcome } from '../session/sealed-handler.js';
import { decodeKeyRow, encodeKeyRow } from '../shares/key-row.js';
import type { PairRows } from '../shares/pair-rows.js';
import { MAX_PENDING } from '../shares/pending-shares.js';
import type { PendingShares } from '../shares/pending-shares.js';
import { encodeShareRow } from '../shares/share-row.js';
import type { ShareRow } from '../shares/share-row.js';
import type { Deliveries } from './deliveries.js';

/** How long a share waits for its responder at most. */
const SHARE_LIFETIME_MS = 7 * 24 * 3_600_000;
const SECOND_MS = 1000;

export interface NegotiateParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly presences: Presences;
  readonly shares: PendingShares;
  readonly pairs: PairRows;
  readonly deliveries: Deliveries;
}

/** An approved negotiation, with its ids as they stand in row keys. */
interface Approved {
  readonly approval: Approval;
  readonly initiatorHex: string;
  readonly responderHex: string;
  readonly keyHex: string;
}

/** PAIR-2 to PAIR-4: decides on a negotiation, keeps its share, and delivers it when the responder is there. */
export class Negotiate {
  readonly #parts: NegotiateParts;

  constructor(parts: NegotiateParts) {
    this.#parts = parts;
  }

  /**
   * The identical header gets the same receipt again.
   * @throws KEY_REVOKED, KEY_ID_USED, PEER_BUSY, and what `approve` and `checkStanding` throw
   */
  async answer(session: Session, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { state, clock } = this.#parts;
    const request = decode('symmetra.pairwise.v1.NegotiateRequest', plaintext);
    const approval = approve(state.context, state.brokerRules, session.deviceId, request);
    const { header } = approval;
    const approved: Approved = {
      approval,
      initiatorHex: session.deviceHex,
      responderHex: hexOf(header.responder),
      keyHex: hexOf(header.keyId),
    };
    await this.#checkStanding(approved);
    if (!(await this.#parts.shares.mayWait(approved.responderHex, approved.keyHex))) {
      throw new SymmetraError('PEER_BUSY', 'too many keys wait for the peer already', { limit: MAX_PENDING });
    }
    const { ephemeralKey, share } = request;
    const row: ShareRow = {
      expiresMs: clock.now() + Math.min(approval.granted.lifetimeSeconds * SECOND_MS, SHARE_LIFETIME_MS),
      initiator: session.deviceId,
      granted: approval.granted,
      share,
      header: request.header,
      ephemeralKey,
    };
    if (!(await this.#store(approved, row))) return this.#repeat(approved);
    await this.#stillAllowed(approved);
    await this.#parts.deliveries.deliver(approved.responderHex, approved.keyHex, row, header);
    return this.#receipt(approved, approval.granted);
  }

  async #checkStanding({ initiatorHex, responderHex, keyHex }: Approved): Promise<void> {
    const { state, devices } = this.#parts;
    const initiator = devices.cachedStanding(initiatorHex) ?? (await this.#standingOf(initiatorHex));
    const responder = devices.cachedStanding(responderHex) ?? (await this.#standingOf(responderHex));
    if (initiator === undefined) {
      throw new SymmetraError('DEVICE_UNKNOWN', 'the device is not enrolled at this node');
    }
    checkStanding(state.brokerRules, initiator, responder);
    if (state.isKeyRevoked(keyHex)) throw keyRevoked();
  }

  /** A device that was revoked before it enrolled here is revoked, and not unknown. */
  async #standingOf(deviceHex: string): Promise<DeviceStanding | undefined> {
    const { state, devices } = this.#parts;
    const standing = await devices.standing(deviceHex);
    return standing ?? (state.isDeviceRevoked(deviceHex) ? { revoked: true, stage: '' } : undefined);
  }

  /** The pair is linked; then, in one commit, the key id is taken and the share rests. False when the key id is taken already. */
  async #store({ approval, initiatorHex, responderHex, keyHex }: Approved, row: ShareRow): Promise<boolean> {
    const { clock, store, shares, pairs } = this.#parts;
    const { header, headerHash, granted } = approval;
    const { initiator, responder } = header;
    const expiresMs = clock.now() + SHARE_LIFETIME_MS + granted.lifetimeSeconds * SECOND_MS;
    if (!pairs.areLinked(initiatorHex, responderHex, expiresMs)) {
      await pairs.link(initiatorHex, responderHex, expiresMs);
    }
    const resting = encodeShareRow(row);
    const made = await store
      .commit([
        {
          key: keyRow(keyHex),
          value: encodeKeyRow({ expiresMs, initiator, responder, granted, headerHash }),
          expect: 0,
        },
        { key: shareRow(responderHex, keyHex), value: resting },
      ])
      .finally(() => resting.fill(0));
    if (!made) return false;
    shares.note(responderHex, keyHex, true);
    return true;
  }

  /** A revocation that came while the share was stored found nothing to drop. */
  async #stillAllowed(approved: Approved): Promise<void> {
    try {
      await this.#checkStanding(approved);
    } catch (error) {
      await this.#parts.shares.drop(approved.responderHex, [approved.keyHex]);
      throw error;
    }
  }

  async #repeat(approved: Approved): Promise<SealedOutcome> {
    const stored = await this.#parts.store.get(keyRow(approved.keyHex));
    const known = stored && decodeKeyRow(stored.value);
    if (known === undefined || !equalConstantTime(known.headerHash, approved.approval.headerHash)) {
      throw new SymmetraError('KEY_ID_USED', 'the key id was used for another negotiation');
    }
    return this.#receipt(approved, known.granted);
  }

  async #receipt({ approval, responderHex }: Approved, granted: Limits): Promise<SealedOutcome> {
    const reply = encode('symmetra.pairwise.v1.NegotiateResponse', {
      headerHash: approval.headerHash,
      granted,
      responder: await this.#parts.presences.publicOf(responderHex),
    });
    return { reply };
  }
}

function keyRevoked(): SymmetraError {
  return new SymmetraError('KEY_REVOKED', 'the key is revoked');
}
