/** A process of a node, or any one of its processes. */
export interface WireAddress {
  readonly node: string;
  readonly instance?: string;
}

/**
 * Datagrams between processes. Whoever carries them may lose, repeat, reorder, read and forge them: what travels is
 * sealed above, and nothing that a datagram says is believed before it is opened.
 */
export interface Wire {
  /** This process. */
  readonly address: Required<WireAddress>;
  /** Longest datagram, in bytes. */
  readonly maxDatagramBytes: number;
  /** Sends a datagram; what can not be sent is lost. The caller does not change `datagram` afterwards. */
  send(to: WireAddress, datagram: Uint8Array): void;
  /** Has the one listener told of each datagram that arrives, and of each address at which nobody listens. */
  listen(onDatagram: (datagram: Uint8Array) => void, onAbsent: (to: WireAddress) => void): void;
  /** Sends what waits, then leaves. */
  close(): Promise<void>;
}
