/**
 * How far a key is: `pending` while its negotiation is under way, `confirmed` when this device knows that its peer
 * holds it, `active` when both have confirmed, `expired` when it may not be used any more.
 */
export type KeyState = 'pending' | 'confirmed' | 'active' | 'expired';

/** What may be shown of a pairwise key; none of it is secret. */
export interface KeyInfo {
  /** 32 hexadecimal digits. */
  readonly keyId: string;
  /** Device id of the other end. */
  readonly peer: string;
  readonly role: 'initiator' | 'responder';
  readonly purpose: string;
  readonly suite: number;
  /** Bytes of the key. */
  readonly length: number;
  /** ISO 8601, by the nodes' clocks. */
  readonly notAfter: string;
  /** Null when the key may be used without limit. */
  readonly usesLeft: number | null;
  /** The nodes whose shares went into the key. */
  readonly nodes: readonly string[];
  /** Whether a KEM between the two devices went into the key. */
  readonly directKem: boolean;
  /** Whether a secret of an earlier key of the two devices went into the key. */
  readonly continuity: boolean;
  readonly policyRevision: number;
  /** 32 hexadecimal digits; the same at both ends when the key is the same. */
  readonly fingerprint: string;
  readonly state: KeyState;
  /** Whether the confirmation went directly between the devices. */
  readonly direct: boolean;
}

/** A key that can be used. */
export interface Key extends KeyInfo {
  readonly state: 'confirmed' | 'active' | 'expired';
  /**
   * A copy of the key's bytes; each call counts as a use.
   * @throws KEY_EXPIRED, KEY_USED_UP, KEY_UNKNOWN when it was erased since
   */
  bytes(): Uint8Array;
}

/** A key whose negotiation goes on in the background. */
export interface PendingKey {
  readonly state: 'pending';
  readonly keyId: string;
  readonly peer: string;
  /** The nodes that have approved so far. */
  readonly approved: readonly string[];
}

/** A key and its identity for one TLS connection. */
export interface ExportedPsk {
  readonly identity: string;
  /** 32 bytes. */
  readonly psk: Uint8Array;
}
