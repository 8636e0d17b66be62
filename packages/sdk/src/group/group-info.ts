/** An epoch of a group, by number and id. */
export interface EpochName {
  /** From 1; numbers increase and may skip. */
  readonly epoch: number;
  /** Hexadecimal; the hash of the epoch's header. */
  readonly epochId: string;
}

/** What may be shown of a group; none of it is secret. */
export interface GroupInfo extends EpochName {
  /** 32 hexadecimal digits. */
  readonly groupId: string;
  /** How many devices are in the newest epoch. */
  readonly members: number;
  /** 32 hexadecimal digits; the same at every member when the epoch's key is the same. */
  readonly fingerprint: string;
  /** Whether this device may add, remove and rotate. */
  readonly manager: boolean;
  readonly purpose: string;
  readonly suite: number;
  /** When the newest epoch ends for this device: ISO 8601, by the nodes' clocks. */
  readonly notAfter: string;
  /** GRP-9: the epochs under which messages are taken, newest first; this device sends under the first. */
  readonly accepted: readonly EpochName[];
  /** GRP-10: somebody is out of the group, and nothing is sent until the next epoch. */
  readonly suspended: boolean;
}

/** What a new group is asked to be. */
export interface GroupOptions {
  /** Device ids of the other members, each once. */
  readonly members: readonly string[];
  /** Device ids of members that may add, remove and rotate, in the order in which they deal; this device is one. */
  readonly managers?: readonly string[];
  /** What the group is for: 1 to 64 bytes; every member sees it. Default `application`. */
  readonly purpose?: string;
  /** Bytes of the application key, 16 to 64; default 32. */
  readonly keyLength?: number;
  /** Milliseconds from one epoch to the next; default one hour. An epoch lives twice as long. */
  readonly rotateEvery?: number;
  /** How many messages one member may send in an epoch; default without limit. */
  readonly uses?: number;
  readonly suite?: number;
}

/** The application key of an epoch. */
export interface GroupKey extends EpochName {
  readonly groupId: string;
  /** 32 hexadecimal digits. */
  readonly fingerprint: string;
  /** A copy of the key's bytes. */
  readonly bytes: Uint8Array;
}

/** A message that a member sealed for the group (GRP-12). */
export interface GroupMessage extends EpochName {
  readonly groupId: string;
  /** Device id of the sender, as far as the members can be trusted. */
  readonly sender: string;
  readonly plaintext: Uint8Array;
}

/** What became of a message that was sent. */
export interface GroupSending extends EpochName {
  readonly groupId: string;
  /** Links to which the home node gave it; other nodes pass it on to theirs. */
  readonly handedOver: number;
}

/** GRP-10: enough nodes say that the group needs another epoch. */
export interface GroupDueInfo {
  readonly groupId: string;
  readonly epochId: string;
  readonly reason: 'left' | 'revoked' | 'used-up';
  /** Device ids of the members that are out. */
  readonly out: readonly string[];
}

/** A group is over for this device, and its keys are erased. */
export interface GroupEnding {
  readonly groupId: string;
  readonly reason: 'left' | 'removed' | 'revoked';
}
