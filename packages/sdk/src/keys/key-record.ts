import { toBase32, toHex } from '@symmetra/crypto';
import type { KeyMaterial } from '@symmetra/protocol';
import type { KeyInfo, KeyState } from './key-info.js';

/** The counters of a key's TLS connections (CHN-1), for the end that this device is. */
export interface TlsCounters {
  /** Number of the next connection that this device makes. */
  readonly clientNext: number;
  /** One more than the highest number that this device accepted. */
  readonly serverNext: number;
  /** Numbers below `serverNext` that were accepted, as far as the window reaches back. */
  readonly serverUsed: readonly number[];
}

/** What the responder keeps to answer a repeated confirmation. */
export interface HeldConfirmation {
  readonly headerHash: Uint8Array;
  readonly initiatorTag: Uint8Array;
  readonly acknowledge: Uint8Array;
}

/** Row `key/<key id>`. */
export interface KeyRecord {
  readonly material: KeyMaterial;
  readonly role: 'initiator' | 'responder';
  /** Milliseconds, node time. */
  readonly createdMs: number;
  readonly notAfterMs: number;
  /** Absent when the key may be used without limit. */
  readonly usesLeft?: number;
  /** Whether this device has used it: only then is it renewed. */
  readonly isUsed: boolean;
  /** Whether the confirmation went directly between the devices. */
  readonly direct: boolean;
  /** Where the peer was reachable, host:port. */
  readonly addresses: readonly string[];
  readonly tls: TlsCounters;
  /** The key that took this one's place. */
  readonly renewedBy?: Uint8Array;
  /** At the responder. */
  readonly held?: HeldConfirmation;
}

/** The other device of a key. */
export function peerOf(record: Pick<KeyRecord, 'material' | 'role'>): Uint8Array {
  return record.role === 'initiator' ? record.material.responder : record.material.initiator;
}

/** Whether a key may not be used any more. @param nowMs node time */
export function isOver(record: KeyRecord, nowMs: number): boolean {
  return nowMs >= record.notAfterMs || record.usesLeft === 0;
}

/** A new key's record. */
export function newRecord(
  fields: Pick<KeyRecord, 'material' | 'role' | 'createdMs' | 'direct' | 'addresses'> & {
    readonly held?: HeldConfirmation;
  },
): KeyRecord {
  const { limits } = fields.material;
  return {
    ...fields,
    notAfterMs: fields.createdMs + limits.lifetimeSeconds * 1000,
    ...(limits.uses > 0 && { usesLeft: limits.uses }),
    isUsed: false,
    tls: { clientNext: 0, serverNext: 0, serverUsed: [] },
  };
}

/** What may be shown of a key. */
export function describe(record: KeyRecord, state: KeyState): KeyInfo {
  const { material } = record;
  return {
    keyId: toHex(material.keyId),
    peer: toBase32(peerOf(record)),
    role: record.role,
    purpose: material.purpose,
    suite: material.suiteId,
    length: material.applicationKey.bytes.length,
    notAfter: new Date(record.notAfterMs).toISOString(),
    usesLeft: record.usesLeft ?? null,
    nodes: material.nodes,
    directKem: material.directKem,
    continuity: material.continued,
    policyRevision: material.policyRevision,
    fingerprint: toHex(material.fingerprint),
    state,
    direct: record.direct,
  };
}
