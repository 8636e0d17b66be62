import type { Bus, LogStream } from '@symmetra/bus';
import type { SuiteTable } from '@symmetra/crypto';
import type { NodeRandomness } from '@symmetra/entropy';
import type { SignedDescriptor } from '@symmetra/protocol';
import type { Door, ServerOptions } from '@symmetra/rpc';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { Control } from './control/assemble.js';
import type { FreshnessSettings } from './control/heartbeats.js';
import type { NodeIdentity } from './identity/node-identity.js';

/** Everything that one node needs of the world. */
export interface NodePorts {
  readonly identity: NodeIdentity;
  readonly descriptor: SignedDescriptor;
  /** Its values are sealed. The caller closes it behind the node. */
  readonly store: Store;
  /** Whether other processes of this node, its replicas, use the store too; false when left out. */
  readonly isShared?: boolean;
  /** The caller has joined; the node leaves. */
  readonly bus: Bus;
  /** The ordered log of control events (CTL-8). The node closes it. */
  readonly log: LogStream;
  /** CTL-7: 5 s and 1 s when left out. */
  readonly freshness?: FreshnessSettings;
  /** CTL-9: 1024 events when left out; the same at all nodes of a network. */
  readonly snapshotEvery?: number;
  readonly clock: Clock;
  readonly randomness: NodeRandomness;
  readonly logger: Logger;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly reflection: boolean;
  /** Makes the door through which devices and administrators come; a gRPC server when left out. */
  readonly door?: (options: ServerOptions) => Door;
  /** Default: those of the protocol. */
  readonly suites?: SuiteTable;
  /**
   * The node has verified and stored a newer descriptor: the owner stops it and starts it again with that one. Without
   * this a node takes up no descriptor while it runs.
   */
  readonly onDescriptor?: (signed: SignedDescriptor) => void;
}

/** A node that is up. */
export interface RunningNode {
  readonly id: string;
  readonly port: number;
  /** Of the descriptor that it runs with. */
  readonly descriptorVersion: number;
  /** Number of the newest control event in force. */
  readonly logNumber: () => number;
  /** Applies a control event here and at the other nodes (CTL-3). */
  readonly submit: Control['submit'];
  /** Fetches the control events that were missed. */
  readonly follow: () => Promise<void>;
  /** How the node stands to the control log, and the other nodes to it. */
  readonly control: Control['report'];
  /** How many devices use this process now. */
  readonly load: () => { readonly sessions: number; readonly links: number };
  /** Removes what has expired, now. */
  readonly sweep: () => Promise<void>;
  readonly stop: () => Promise<void>;
}
