import type { DeviceChain, Policy } from '@symmetra/protocol';

/** Row `device`. */
export interface DeviceRecord {
  /** 32 bytes. */
  readonly deviceId: Uint8Array;
  readonly name: string;
  readonly networkId: Uint8Array;
  /** SHA-256 of the network root's public key. */
  readonly rootKeyHash: Uint8Array;
  readonly tokenId: Uint8Array;
  readonly enrolmentNonce: Uint8Array;
  /** The suite that the device uses when nothing else is asked. */
  readonly suiteId: number;
  /** Addresses of nodes from the token. */
  readonly hints: readonly string[];
}

/** Row `chain/<node>`. */
export interface ChainRecord {
  readonly chain: DeviceChain;
  /** When the last step was finished, milliseconds, by the device's clock; 0 before the first. */
  readonly steppedMs: number;
}

/** Row `policy`. */
export interface PolicyRecord {
  /** Number of the control event. */
  readonly revision: number;
  readonly policy: Policy;
}

/** Row `clock`. */
export interface ClockRecord {
  /** Milliseconds that the nodes are ahead of the device, or behind it. */
  readonly aheadMs: number;
  readonly behindMs: number;
}

/** A refusal, to be sent again when the initiator asks again. */
export interface SentRefusal {
  /** A pair message, canonical bytes. */
  readonly message: Uint8Array;
  readonly headerHash: Uint8Array;
}

/** Row `ended/<key id>`: why no more comes of this key id. */
export interface EndedRecord {
  /** Stable code, for example KEY_EXPIRED. */
  readonly reason: string;
  readonly peer: Uint8Array;
  /** When the row may go: no node keeps a share of it any longer. Milliseconds, node time. */
  readonly untilMs: number;
  /** When this device refused the key. */
  readonly refusal?: SentRefusal;
}
