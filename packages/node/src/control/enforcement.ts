import type { ControlEvent, SignedEvent } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TokenRows } from '../enrolment/token-rows.js';
import type { Members } from '../group/members.js';
import type { LinkTable } from '../link/link-table.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import type { SessionTable } from '../presence/session-table.js';
import { hexOf, keyRow, shareRow } from '../rows/row-keys.js';
import { decodeKeyRow } from '../shares/key-row.js';
import type { KeyRow } from '../shares/key-row.js';
import type { PairRows } from '../shares/pair-rows.js';
import type { PendingShares } from '../shares/pending-shares.js';
import type { RevokedKeys } from '../shares/revoked-keys.js';
import type { EventEffects } from './control-log.js';
import type { ControlState } from './control-state.js';
import { toNotice } from './notice.js';

/** Devices that are told of a new policy before other work gets its turn. */
const NOTICES_PER_TURN = 64;

export interface EnforcementParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: ControlState;
  readonly tokens: TokenRows;
  readonly sessions: SessionTable;
  readonly presences: Presences;
  readonly links: LinkTable;
  readonly events: EventSender;
  readonly shares: PendingShares;
  readonly pairs: PairRows;
  readonly revokedKeys: RevokedKeys;
  readonly members: Members;
  /** Told of each event that is in force. */
  readonly onEvent: () => void;
  /** Told when the node halts. */
  readonly onHalted: () => void;
}

/** Makes control events true at this node, at once (protocol section 8). */
export class Enforcement implements EventEffects {
  readonly #parts: EnforcementParts;

  constructor(parts: EnforcementParts) {
    this.#parts = parts;
  }

  async rows({ body }: ControlEvent): Promise<readonly Change[]> {
    const { tokens, state, logger } = this.#parts;
    switch (body.kind) {
      case 'token-create':
        return tokens.creation(body, state, logger);
      case 'key-revoke': {
        const key = await this.#key(body.keyId);
        return key === undefined
          ? []
          : [{ key: shareRow(hexOf(key.responder), hexOf(body.keyId)), value: null }];
      }
      case 'policy':
      case 'device-revoke':
        return [];
    }
  }

  async enforce({ body, number }: ControlEvent, signed: SignedEvent): Promise<void> {
    this.#parts.onEvent();
    switch (body.kind) {
      case 'policy':
        return this.#enforcePolicy(signed);
      case 'device-revoke':
        return this.#revokeDevice(hexOf(body.deviceId), signed);
      case 'key-revoke':
        return this.#revokeKey(body.keyId, number, signed);
      case 'token-create':
        return undefined;
    }
  }

  halted(): void {
    this.#parts.onHalted();
  }

  /**
   * Sessions under a suite that is now forbidden end at once, and with them the links on which their events came, so that
   * the devices attach anew; the others learn the policy behind the receipt.
   */
  async #enforcePolicy(signed: SignedEvent): Promise<void> {
    const { sessions, state, links } = this.#parts;
    const deaf = new Set<string>();
    sessions.retain(({ deviceHex, suiteId }) => {
      const isAllowed = state.allowsSuite(suiteId);
      if (!isAllowed) deaf.add(deviceHex);
      return isAllowed;
    });
    for (const deviceHex of deaf) {
      links.close(deviceHex, 'SESSION_LOST', 'policy forbids the suite of the session');
    }
    void this.#tellAll(signed);
  }

  /**
   * The device is refused from here on, its link ends, its groups are suspended (GRP-10), what waits for it or from it is
   * erased, its peers are told.
   */
  async #revokeDevice(deviceHex: string, signed: SignedEvent): Promise<void> {
    const { clock, sessions, links, members, shares, pairs } = this.#parts;
    sessions.removeDevice(deviceHex);
    links.close(deviceHex, 'DEVICE_REVOKED', 'the device is revoked');
    await members.revoked(deviceHex);
    const peers = await pairs.peersOf(deviceHex, clock.now());
    for (const peerHex of peers) this.#tell(peerHex, signed);
    await shares.drop(deviceHex, [...(await shares.of(deviceHex))]);
    for (const peerHex of peers) await this.#dropSharesFrom(deviceHex, peerHex);
  }

  async #dropSharesFrom(initiatorHex: string, responderHex: string): Promise<void> {
    const keys: string[] = [];
    for await (const { keyHex, share } of this.#parts.shares.read(responderHex)) {
      share.share.fill(0);
      if (hexOf(share.initiator) === initiatorHex) keys.push(keyHex);
    }
    await this.#parts.shares.drop(responderHex, keys);
  }

  /** The share went with the event's own commit. */
  async #revokeKey(keyId: Uint8Array, number: number, signed: SignedEvent): Promise<void> {
    const key = await this.#key(keyId);
    if (key === undefined) return;
    const { revokedKeys, shares } = this.#parts;
    revokedKeys.add(key, number);
    shares.note(hexOf(key.responder), hexOf(keyId), false);
    this.#tell(hexOf(key.initiator), signed);
    this.#tell(hexOf(key.responder), signed);
  }

  async #key(keyId: Uint8Array): Promise<KeyRow | undefined> {
    const stored = await this.#parts.store.get(keyRow(hexOf(keyId)));
    return stored && decodeKeyRow(stored.value);
  }

  /** Each process of the node tells those that it has a session with. */
  #tell(deviceHex: string, signed: SignedEvent): void {
    this.#parts.events.sendHere(deviceHex, { notice: toNotice(signed) });
  }

  async #tellAll(signed: SignedEvent): Promise<void> {
    try {
      for (const [i, deviceHex] of this.#parts.presences.devices().entries()) {
        this.#tell(deviceHex, signed);
        if (i % NOTICES_PER_TURN === NOTICES_PER_TURN - 1) await nextTurn();
      }
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'Not all devices could be told of a new policy.');
    }
  }
}
