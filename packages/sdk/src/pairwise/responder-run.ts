import type { PairResponded } from '@symmetra/protocol';
import { newRecord } from '../keys/key-record.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { Outgoing } from './messenger.js';
import type { RunChanges } from './run-changes.js';

/** Row `response/<key id>`: a negotiation that this device answered and that is not confirmed. */
export interface ResponseRecord {
  readonly state: PairResponded;
  /** Milliseconds, node time. */
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Where the initiator was reachable, host:port. */
  readonly addresses: readonly string[];
}

/** A negotiation that this device answers, while it waits for the confirmation. */
export interface ResponderRun {
  readonly keyId: string;
  readonly record: ResponseRecord;
  readonly changes: RunChanges;
}

/** The key of a run. @param direct whether the confirmation came directly */
export function recordOf({ state, createdMs, addresses }: ResponseRecord, direct: boolean): KeyRecord {
  const { headerHash, initiatorTag, acknowledge, key: material } = state;
  const held = { headerHash, initiatorTag, acknowledge };
  return newRecord({ material, role: 'responder', createdMs, direct, addresses, held });
}

/** What is sent until the confirmation comes. */
export function outgoingResponse({ keyId, record: { state } }: ResponderRun): Outgoing {
  return { keyId, headerHash: state.headerHash, peer: state.key.initiator, message: state.response };
}

/** Erases the secrets of a run. */
export function wipeState({ key, continuity }: PairResponded): void {
  for (const secret of [key.applicationKey, key.tlsKey, continuity.secret]) secret.wipe();
}
