import type { Secret } from '@symmetra/crypto';
import type { DescriptorNode, LinkPsk, ProtocolContext } from '@symmetra/protocol';
import type { BusClock } from '../in-process.js';
import type { Wire } from '../wire.js';

/** The part of the injected clock that the linked bus uses. */
export interface LinkClock extends BusClock {
  /** Milliseconds that never go back. */
  monotonic(): number;
}

/** The keys of this node: what a `NodeIdentity` holds. */
export interface LinkIdentity {
  readonly id: string;
  /** Static KEM keys by suite. */
  readonly kemKeys: ReadonlyMap<
    number,
    { readonly publicKey: Uint8Array; readonly secretKey: Secret<'NodeKemKey'> }
  >;
  /** H(pk_Ni). */
  readonly keyHash: Uint8Array;
}

/** A key of a QKD link, and the name that it goes by at both ends. */
export interface QkdKey {
  /** key_ID of ETSI GS QKD 014. */
  readonly keyId: string;
  /** The receiver wipes it. */
  readonly key: Uint8Array;
}

/** Gives keys that the peer's source gives as well (ETSI GS QKD 014). */
export interface QkdSource {
  /** Whether there is no link with this peer without a QKD key. */
  readonly required: boolean;
  /** A fresh key. @throws QKD_UNAVAILABLE, QKD_BAD_ANSWER */
  newKey(): Promise<QkdKey>;
  /** The key that the peer named; the receiver wipes it. @throws QKD_UNAVAILABLE, QKD_BAD_ANSWER */
  keyOf(keyId: string): Promise<Uint8Array>;
}

/** Told of what happens on the links; none of it holds key bytes. */
export interface LinkObserver {
  /** A handshake message or datagram was refused, a handshake was not completed, or no QKD key was to be had. */
  readonly onRefused?: (refusal: {
    readonly code: string;
    readonly message: string;
    /** The node that it claims to come from, where it says so. */
    readonly node?: string;
  }) => void;
  /** A link is open: the first with that process, or a renewed one. */
  readonly onLink?: (link: {
    readonly node: string;
    readonly instance: string;
    readonly renewed: boolean;
  }) => void;
  /** A handler failed with anything but a SymmetraError; the requester learns only INTERNAL. */
  readonly onFailure?: (subject: string, error: unknown) => void;
}

/** What a linked bus is made of. */
export interface LinkedBusOptions extends LinkObserver {
  /** Its address names this node and this process. The bus closes it. */
  readonly wire: Wire;
  readonly clock: LinkClock;
  readonly random: (length: number) => Uint8Array;
  readonly context: ProtocolContext;
  readonly identity: LinkIdentity;
  /** The public keys of a node, from the newest descriptor; undefined for a node that it does not name. */
  readonly peers: (nodeId: string) => Pick<DescriptorNode, 'kemKeys'> | undefined;
  /** The secret that was placed at both nodes by hand; the bus does not wipe it. */
  readonly psk?: (nodeId: string) => LinkPsk | undefined;
  readonly qkd?: (nodeId: string) => QkdSource | undefined;
  /** The process is none of its node's yet: what it asks of its own node, another process of that answers. */
  readonly isGuest?: boolean;
  /** The suite of all links; 1 when left out. */
  readonly suiteId?: number;
  /** How long a link serves before it is renewed; an hour when left out. */
  readonly renewMs?: number;
}
