import { AuthenticationError, SymmetraError } from '@symmetra/crypto';
import { decodeState, encodeState, openTokenSecret } from '@symmetra/protocol';
import type { ControlBody, TokenRecord } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { hexOf, tokenRow } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';

/** Secrets of tokens are sealed to the nodes' keys of this suite (CTL-4). */
const SEAL_SUITE = 1;
const MAX_ATTEMPTS = 8;

/** A token as this node keeps it. */
export interface TokenRow {
  readonly record: TokenRecord;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

type TokenCreate = Extract<ControlBody, { kind: 'token-create' }>;

/** What one step makes of a token, and the rows that change with it. The same record again stores nothing. */
export interface TokenStep<Output> {
  readonly record: TokenRecord;
  readonly output: Output;
  /** Their values are erased once they are stored. */
  readonly also?: readonly Change[];
}

/** The enrolment tokens of this node; they change by compare-and-set. */
export class TokenRows {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Runs a step on a token until its result is stored, as {@link DeviceRegistry.update} does on a device.
   * @throws TOKEN_UNKNOWN, STATE_CONFLICT, what the step throws, and what the store throws
   */
  async update<Output>(tokenId: Uint8Array, step: (token: TokenRow) => TokenStep<Output>): Promise<Output> {
    const key = tokenRow(tokenId);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#store.get(key);
      if (stored === undefined) {
        throw new SymmetraError('TOKEN_UNKNOWN', 'the token is not known at this node');
      }
      const token = decodeTokenRow(stored.value);
      try {
        const { record, output, also = [] } = step(token);
        if (record === token.record) return output;
        const value = encodeState({ record, tags: token.tags });
        const made = await this.#store
          .commit([{ key, value, expect: stored.version }, ...also])
          .finally(() => {
            value.fill(0);
            for (const change of also) change.value?.fill(0);
            wipeState(record);
          });
        if (made) return output;
      } finally {
        wipeState(token);
      }
    }
    throw new SymmetraError('STATE_CONFLICT', "the token's state kept changing; try again");
  }

  /**
   * CTL-4: the row of a token that an event creates. A secret that does not open makes the token useless at this node
   * and nothing worse; a token that is there already stays as it is.
   */
  async creation(body: TokenCreate, state: ControlState, logger: Logger): Promise<readonly Change[]> {
    const { tokenId, account, uses, expiresMs, tags } = body;
    const { identity } = state;
    const sealed = body.secrets.find((secret) => secret.nodeId === identity.id);
    const kemKey = identity.kemKeys.get(SEAL_SUITE);
    if (sealed === undefined || kemKey === undefined) return [];
    if ((await this.#store.get(tokenRow(tokenId))) !== undefined) return [];
    try {
      const { networkId } = state.context;
      const token = openTokenSecret(networkId, tokenId, identity.id, kemKey.secretKey.bytes, sealed);
      const record: TokenRecord = { tokenId, account, uses, expiresMs, token, claims: [] };
      const value = encodeState({ record, tags });
      wipeState(record);
      return [{ key: tokenRow(tokenId), value, expect: 0 }];
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      logger.warn({ tokenId: hexOf(tokenId) }, 'The secret of a token does not open.');
      return [];
    }
  }
}

/** Erases `value`. @throws BAD_ENCODING */
export function decodeTokenRow(value: Uint8Array): TokenRow {
  const row = decodeState<TokenRow>(value);
  value.fill(0);
  return row;
}

/** A token without the reservations whose time is over (ENR-4); the same record when there are none. */
export function withoutExpired(record: TokenRecord, nowMs: number): TokenRecord {
  const claims = record.claims.filter((claim) => claim.kind === 'spent' || claim.expiresMs > nowMs);
  return claims.length === record.claims.length ? record : { ...record, claims };
}
