import { AuthenticationError, SymmetraError } from '@symmetra/crypto';
import {
  decodeState,
  encodeState,
  inspectConfirmation,
  openTokenSecret,
  screenConfirmation,
} from '@symmetra/protocol';
import type { ControlBody, IntroducedDevice, NodeTokenSecret, TokenRecord } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Change, Row, Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { claimRow, hexOf, introducedRow, tokenRow } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import { TokenSecrets } from './token-secrets.js';

/** Secrets of tokens are sealed to the nodes' keys of this suite (CTL-4). */
const SEAL_SUITE = 1;
const MAX_ATTEMPTS = 8;
const MAX_SECRETS = 1024;

/** A token as this node keeps it. */
export interface TokenRow {
  readonly record: TokenRecord;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** ENR-12: of a device that was introduced: its name as other nodes know it, and H(header). */
  readonly introduced?: { readonly name: string; readonly headerHash: Uint8Array };
}

/** An introduction that is not over, as it stood when it was read. */
export interface StoredIntroduction {
  /** H(header); undefined when there is none, or one that is over. */
  readonly headerHash?: Uint8Array;
  /** Of its row, 0 when there is none. */
  readonly version: number;
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
  readonly #clock: Clock;
  readonly #secrets = new TokenSecrets(MAX_SECRETS);

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Shows the secret of an offer's token to a check. A token's row holds a claim of every device that enrolled with it;
   * it is read once, so that offers of those who know no more than the token's id stay cheap however many there are.
   * @throws TOKEN_UNKNOWN, what the check throws, and what the store throws
   */
  async screenOffer(
    tokenId: Uint8Array,
    deviceId: Uint8Array,
    check: (secret: NodeTokenSecret) => void,
  ): Promise<void> {
    const introduced = await this.#introduced(deviceId);
    const known = this.#secrets.of(tokenId);
    if (introduced === undefined && known !== undefined) {
      check(known);
      return;
    }
    const token = introduced ?? decodeTokenRow((await this.#ordinary(tokenId)).value);
    try {
      if (introduced === undefined) this.#secrets.keep(tokenId, token.record.token);
      check(token.record.token);
    } finally {
      wipeState(token);
    }
  }

  /**
   * Compares a confirmation with the row of its claim alone, for the same reason.
   * @throws TOKEN_UNKNOWN, RESERVATION_UNKNOWN, AUTHENTICATION_FAILED, BAD_ENCODING, and what the store throws
   */
  async screenConfirmation(confirmation: Uint8Array): Promise<void> {
    const { tokenId, deviceId } = inspectConfirmation(confirmation);
    if (await this.#isIntroduced(deviceId)) return;
    const expected = await this.#store.get(claimRow(tokenId, deviceId));
    if (expected === undefined) {
      if (this.#secrets.of(tokenId) === undefined) (await this.#ordinary(tokenId)).value.fill(0);
      throw new SymmetraError('RESERVATION_UNKNOWN', 'no reservation of this device is known; offer again');
    }
    screenConfirmation(expected.value, confirmation);
  }

  /**
   * Runs a step on the token with which a device enrols, its own when it was introduced, until its result is stored, as
   * {@link DeviceRegistry.update} does on a device.
   * @throws TOKEN_UNKNOWN, STATE_CONFLICT, what the step throws, and what the store throws
   */
  async update<Output>(
    tokenId: Uint8Array,
    deviceId: Uint8Array,
    step: (token: TokenRow) => TokenStep<Output>,
  ): Promise<Output> {
    const isIntroduced = await this.#isIntroduced(deviceId);
    return this.#update(isIntroduced ? introducedRow(deviceId) : tokenRow(tokenId), step);
  }

  /** Drops the reservations of a token whose time is over (ENR-4). */
  async expire(tokenId: Uint8Array, nowMs: number): Promise<void> {
    await this.#update(tokenRow(tokenId), ({ record }) => ({
      record: withoutExpired(record, nowMs),
      output: undefined,
    }));
  }

  /** ENR-12: what stands here of a device that was introduced. */
  async introduction(deviceId: Uint8Array): Promise<StoredIntroduction> {
    const stored = await this.#store.get(introducedRow(deviceId));
    if (stored === undefined) return { version: 0 };
    const token = decodeTokenRow(stored.value);
    wipeState(token);
    const { version } = stored;
    const { introduced } = token;
    const isOver = isIntroductionOver(token, this.#clock.now());
    return introduced === undefined || isOver ? { version } : { version, headerHash: introduced.headerHash };
  }

  /**
   * ENR-12: the change that gives an introduced device a token of its own, in place of what stood there. Erases t_new.
   * @param expect the version of what stood there, 0 for nothing
   */
  introducing(device: IntroducedDevice, expiresMs: number, expect: number): Change {
    const { header, headerHash, facts, token } = device;
    const { tokenId, deviceId } = header;
    const record: TokenRecord = { tokenId, account: facts.account, uses: 1, expiresMs, token, claims: [] };
    const row: TokenRow = { record, tags: facts.tags, introduced: { name: facts.name, headerHash } };
    const value = encodeState(row);
    wipeState(record);
    return { key: introducedRow(deviceId), value, expect };
  }

  /** ENR-12: the token of an introduction that is not over. */
  async #introduced(deviceId: Uint8Array): Promise<TokenRow | undefined> {
    const stored = await this.#store.get(introducedRow(deviceId));
    if (stored === undefined) return undefined;
    const token = decodeTokenRow(stored.value);
    if (!isIntroductionOver(token, this.#clock.now())) return token;
    wipeState(token);
    return undefined;
  }

  async #isIntroduced(deviceId: Uint8Array): Promise<boolean> {
    return (await this.introduction(deviceId)).headerHash !== undefined;
  }

  /** @throws TOKEN_UNKNOWN */
  async #ordinary(tokenId: Uint8Array): Promise<Row> {
    const stored = await this.#store.get(tokenRow(tokenId));
    if (stored === undefined) throw unknownToken();
    return stored;
  }

  async #update<Output>(key: string, step: (token: TokenRow) => TokenStep<Output>): Promise<Output> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#store.get(key);
      if (stored === undefined) throw unknownToken();
      const token = decodeTokenRow(stored.value);
      try {
        const { record, output, also = [] } = step(token);
        if (record === token.record) return output;
        const value = encodeState({ ...token, record });
        // An introduced device has the one claim in its row, and needs none beside it.
        const claims = token.introduced === undefined ? claimChanges(token.record, record) : [];
        const made = await this.#store
          .commit([{ key, value, expect: stored.version }, ...claims, ...also])
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

/** The rows of the claims that came and went between two states of a token. */
function claimChanges({ tokenId, claims: before }: TokenRecord, { claims: after }: TokenRecord): Change[] {
  const came = after
    .filter((claim) => !before.includes(claim))
    .map(({ deviceId, deviceTag }) => ({ key: claimRow(tokenId, deviceId), value: deviceTag }));
  const stays = new Set(after.map(({ deviceId }) => hexOf(deviceId)));
  const went = before
    .filter(({ deviceId }) => !stays.has(hexOf(deviceId)))
    .map(({ deviceId }) => ({ key: claimRow(tokenId, deviceId), value: null }));
  return [...came, ...went];
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

/** ENR-12: whether an introduction came to nothing: its time is over, and no use of it is spent or reserved. */
export function isIntroductionOver({ record }: TokenRow, nowMs: number): boolean {
  return record.expiresMs <= nowMs && withoutExpired(record, nowMs).claims.length === 0;
}

function unknownToken(): SymmetraError {
  return new SymmetraError('TOKEN_UNKNOWN', 'the token is not known at this node');
}
