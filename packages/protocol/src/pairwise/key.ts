import { SymmetraError } from '@symmetra/crypto';
import type { Header, Limits } from './header.js';
import type { PairResponse } from './messages.js';
import type { ApplicationKey, PairSecrets, TlsKey } from './transcript.js';

/** What both ends of a finished negotiation hold. */
export interface KeyMaterial {
  /** 16 bytes. */
  readonly keyId: Uint8Array;
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  readonly purpose: string;
  readonly suiteId: number;
  readonly limits: Limits;
  /** The nodes whose shares were used. */
  readonly nodes: readonly string[];
  /** Whether a KEM between the two devices went into the key. */
  readonly directKem: boolean;
  /** Whether a secret of an earlier negotiation went into the key. */
  readonly continued: boolean;
  readonly policyRevision: number;
  /** 16 bytes, public. */
  readonly fingerprint: Uint8Array;
  readonly applicationKey: ApplicationKey;
  readonly tlsKey: TlsKey;
}

/** The key of a negotiation whose response both ends know. */
export function keyMaterial(
  header: Header,
  response: Omit<PairResponse, 'tag'>,
  secrets: PairSecrets,
): KeyMaterial {
  return {
    keyId: header.keyId,
    initiator: header.initiator,
    responder: header.responder,
    purpose: header.purpose,
    suiteId: header.suiteId,
    limits: response.limits,
    nodes: response.used.map((place) => nodeAt(header, place)),
    directKem: header.ephemeralKeyHash !== undefined,
    continued: response.continuityId !== undefined,
    policyRevision: header.policyRevision,
    fingerprint: secrets.fingerprint,
    applicationKey: secrets.applicationKey,
    tlsKey: secrets.tlsKey,
  };
}

function nodeAt(header: Header, place: number): string {
  const node = header.nodes[place - 1];
  if (node === undefined) {
    throw new SymmetraError('BAD_RESPONSE', 'the peer named a node that is not in the set');
  }
  return node;
}
