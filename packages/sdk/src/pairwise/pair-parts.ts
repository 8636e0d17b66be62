import type { SymmetraError } from '@symmetra/crypto';
import type { ProtocolContext } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { DirectPaths } from '../direct/direct-paths.js';
import type { EndedKeys } from '../keys/ended-keys.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Policies } from '../network/policies.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { DeviceState } from '../state/device-state.js';
import type { Timers } from '../timers.js';
import type { Acknowledger } from './acknowledger.js';
import type { ContinuityBook } from './continuity-book.js';
import type { Messenger } from './messenger.js';
import type { Reports } from './reports.js';

/** What both sides of a negotiation need. */
export interface PairParts {
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly state: DeviceState;
  readonly keys: KeyStore;
  readonly ended: EndedKeys;
  readonly continuity: ContinuityBook;
  readonly descriptors: Descriptors;
  readonly policies: Policies;
  readonly nodeClock: NodeClock;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly connection: () => Connection;
  readonly paths: DirectPaths;
  readonly messenger: Messenger;
  readonly acknowledger: Acknowledger;
  readonly reports: Reports;
  /** A key has become active. */
  readonly onKey: (record: KeyRecord) => void;
  /** A negotiation that nobody waits for came to nothing. */
  readonly onGivenUp: (keyId: string, error: SymmetraError) => void;
  /** Something failed in the background. */
  readonly onFailure: (error: unknown) => void;
  /** Whether peers can reach this device directly. */
  readonly isListening: () => boolean;
}
