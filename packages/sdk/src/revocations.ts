import { SymmetraError, equalConstantTime, sha256, toBase32, toHex } from '@symmetra/crypto';
import { verifyEvent } from '@symmetra/protocol';
import type { ControlBody, SignedEvent } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Channels } from './channel/channels.js';
import { allDone, codeOf } from './failure.js';
import type { Groups } from './group/groups.js';
import type { EndedKeys } from './keys/ended-keys.js';
import { peerOf } from './keys/key-record.js';
import type { KeyStore } from './keys/key-store.js';
import { Lane } from './lane.js';
import type { Descriptors } from './network/descriptors.js';
import type { NodeClock } from './network/node-clock.js';
import type { Policies } from './network/policies.js';
import type { ContinuityBook } from './pairwise/continuity-book.js';
import type { Negotiations } from './pairwise/negotiations.js';
import type { DeviceState } from './state/device-state.js';

const MAX_REMEMBERED = 256;

/** A device or a key was shut out by the administrators; this device verified it. */
export interface Revocation {
  /** Device id of the peer that was revoked, or of this device; absent when one key was. */
  readonly device?: string;
  /** The keys that were erased. */
  readonly keyIds: readonly string[];
  /** Why, as the administrators wrote it. */
  readonly reason: string;
}

/** What following the administrators' decisions needs. */
export interface RevocationParts {
  readonly deviceId: Uint8Array;
  readonly state: DeviceState;
  readonly descriptors: Descriptors;
  readonly policies: Policies;
  readonly nodeClock: NodeClock;
  readonly keys: KeyStore;
  readonly ended: EndedKeys;
  readonly continuity: ContinuityBook;
  readonly negotiations: Negotiations;
  readonly channels: Channels;
  readonly groups: Pick<Groups, 'revoked'>;
  readonly logger: Logger;
  readonly onRevoked: (revocation: Revocation) => void;
}

/** CTL-4: acts on control events that nodes hand on, after the device has verified each one itself. */
export class Revocations {
  readonly #parts: RevocationParts;
  readonly #seen = new Set<string>();
  readonly #lane = new Lane();

  constructor(parts: RevocationParts) {
    this.#parts = parts;
  }

  /**
   * A notice of a node. One that does not verify is dropped; a repeated one changes nothing. A policy is in force before
   * the next event is looked at.
   */
  async receive(nodeId: string, signed: SignedEvent): Promise<void> {
    const id = toHex(sha256(signed.event));
    if (this.#seen.has(id)) return;
    const { descriptors, policies, logger } = this.#parts;
    try {
      const event = verifyEvent(descriptors.current, signed);
      this.#remember(id);
      if (event.body.kind === 'policy') await policies.adopt(event.number, event.body.policy);
      else await this.#lane.run(async () => this.#apply(event.body));
    } catch (error) {
      this.#seen.delete(id);
      logger.warn({ node: nodeId, code: codeOf(error) }, 'A control notice was dropped.');
    }
  }

  async #apply(body: ControlBody): Promise<void> {
    switch (body.kind) {
      case 'device-revoke':
        await this.#revokeDevice(body.deviceId, body.reason);
        break;
      case 'key-revoke':
        await this.#revokeKey(body.keyId, body.reason);
        break;
      case 'policy':
      case 'token-create':
        break;
    }
  }

  /** Everything with a revoked peer is erased; for this device itself, everything with everybody. */
  async #revokeDevice(deviceId: Uint8Array, reason: string): Promise<void> {
    const { keys, negotiations, channels, groups, continuity, onRevoked } = this.#parts;
    const isSelf = equalConstantTime(deviceId, this.#parts.deviceId);
    const error = isSelf
      ? new SymmetraError('DEVICE_REVOKED', 'this device is revoked')
      : new SymmetraError('PEER_REVOKED', 'the peer is revoked', { peer: toBase32(deviceId) });
    const concerns = (peer: Uint8Array): boolean => isSelf || equalConstantTime(peer, deviceId);
    const held = (): readonly string[] =>
      keys
        .all()
        .filter((record) => concerns(peerOf(record)))
        .map((record) => toHex(record.material.keyId));
    channels.closeUnder(held(), error);
    const given = await negotiations.abandon((_keyId, peer) => concerns(peer), error);
    // Only now: a negotiation may have become a key meanwhile.
    const keyIds = held();
    channels.closeUnder(keyIds, error);
    const erasing = allDone([
      keys.erase(keyIds, error.code),
      isSelf ? groups.revoked() : continuity.forget(deviceId),
    ]);
    await erasing.finally(() =>
      onRevoked({ device: toBase32(deviceId), keyIds: [...keyIds, ...given], reason }),
    );
  }

  async #revokeKey(keyId: Uint8Array, reason: string): Promise<void> {
    const { keys, ended, negotiations, channels, state, nodeClock, deviceId, onRevoked } = this.#parts;
    const id = toHex(keyId);
    const error = new SymmetraError('KEY_REVOKED', 'the key is revoked', { keyId: id });
    channels.closeUnder([id], error);
    const given = await negotiations.abandon((candidate) => candidate === id, error);
    // Only now: the negotiation may have become a key meanwhile.
    const isKnown = keys.get(id) !== undefined;
    channels.closeUnder([id], error);
    await keys.erase([id], error.code);
    if (!isKnown && given.length === 0) {
      // Shares of it may still be on their way.
      if (ended.get(id) !== undefined) return;
      const ending = ended.end(keyId, deviceId, error.code, nodeClock.now());
      await state.commit([ending]);
      ended.adopt([ending]);
    }
    onRevoked({ keyIds: [id], reason });
  }

  #remember(id: string): void {
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.add(id);
  }
}
