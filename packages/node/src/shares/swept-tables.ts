import type { Clock } from '@symmetra/runtime';
import type { Row, Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { decodeTokenRow, isIntroductionOver, withoutExpired } from '../enrolment/token-rows.js';
import type { TokenRows } from '../enrolment/token-rows.js';
import { decodeGroupRow } from '../group/group-row.js';
import type { ShareExpiry } from '../group/share-expiry.js';
import { expiryOf } from '../rows/expiry.js';
import {
  ARRIVAL_ROWS,
  GROUP_ROWS,
  INTRODUCED_ROWS,
  INTRODUCTION_ROWS,
  KEY_ROWS,
  NONCE_ROWS,
  PAIR_ROWS,
  PRESENCE_ROWS,
  SHARE_ROWS,
  TOKEN_ROWS,
  hexOf,
  lastPart,
} from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import type { PendingShares } from './pending-shares.js';
import { decodeShareRow } from './share-row.js';
import type { SweptTable } from './sweeper.js';

/** Their values begin with the time when they are over. */
const EXPIRING_ROWS = [INTRODUCTION_ROWS, NONCE_ROWS, PRESENCE_ROWS, ARRIVAL_ROWS];
/** Likewise; one for each key, and two for each pair. */
const LONG_LIVED_ROWS = [KEY_ROWS, PAIR_ROWS];

export interface SweptTablesParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly state: ControlState;
  readonly shares: PendingShares;
  readonly tokens: TokenRows;
  readonly shareExpiry: ShareExpiry;
}

/** The tables of a node that are swept. */
export function sweptTables(parts: SweptTablesParts): readonly SweptTable[] {
  return [
    ...EXPIRING_ROWS.map((prefix) => expiringTable(parts, prefix, false)),
    ...LONG_LIVED_ROWS.map((prefix) => expiringTable(parts, prefix, true)),
    shareTable(parts),
    tokenTable(parts),
    introducedTable(parts),
    groupTable(parts),
  ];
}

/** Rows that go when their time is over, unless they are written anew meanwhile. */
function expiringTable({ clock, store }: SweptTablesParts, prefix: string, isLongLived: boolean): SweptTable {
  return {
    prefix,
    isLongLived,
    visit(key: string, { value, version }: Row) {
      return expiryOf(value) > clock.now()
        ? undefined
        : store.commit([{ key, value: null, expect: version }]);
    },
  };
}

/** Shares that expired, and those that a revocation left behind when the process died. */
function shareTable({ clock, state, shares }: SweptTablesParts): SweptTable {
  return {
    prefix: SHARE_ROWS,
    isLongLived: false,
    visit(key: string, { value }: Row) {
      const [, responderHex = ''] = key.split('/');
      const keyHex = lastPart(key);
      const { expiresMs, initiator, share } = decodeShareRow(value);
      share.fill(0);
      value.fill(0);
      const stays =
        expiresMs > clock.now() &&
        !state.isKeyRevoked(keyHex) &&
        !state.isDeviceRevoked(responderHex) &&
        !state.isDeviceRevoked(hexOf(initiator));
      return stays ? undefined : shares.drop(responderHex, [keyHex]);
    },
  };
}

/** Reservations that were never confirmed (ENR-4). */
function tokenTable({ clock, tokens }: SweptTablesParts): SweptTable {
  return {
    prefix: TOKEN_ROWS,
    isLongLived: false,
    visit(_key: string, { value }: Row) {
      const token = decodeTokenRow(value);
      const expired = withoutExpired(token.record, clock.now()) !== token.record;
      wipeState(token);
      if (!expired) return undefined;
      return tokens.expire(token.record.tokenId, clock.now());
    },
  };
}

/** ENR-12: introductions that came to nothing. */
function introducedTable({ clock, store }: SweptTablesParts): SweptTable {
  return {
    prefix: INTRODUCED_ROWS,
    isLongLived: false,
    visit(key: string, { value, version }: Row) {
      const token = decodeTokenRow(value);
      wipeState(token);
      const isOver = isIntroductionOver(token, clock.now());
      return isOver ? store.commit([{ key, value: null, expect: version }]) : undefined;
    },
  };
}

/** Shares of epochs whose lifetime is over (GRP-8). */
function groupTable({ shareExpiry }: SweptTablesParts): SweptTable {
  return {
    prefix: GROUP_ROWS,
    isLongLived: false,
    visit(key: string, { value }: Row) {
      const group = decodeGroupRow(value);
      const isOver = shareExpiry.isOver(group);
      wipeState(group);
      return isOver ? shareExpiry.erase(lastPart(key)) : undefined;
    },
  };
}
