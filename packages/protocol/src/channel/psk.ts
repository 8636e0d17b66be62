import { Secret, expand, toHex, utf8 } from '@symmetra/crypto';
import type { KdfContext } from '@symmetra/crypto';
import { u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { KeyMaterial } from '../pairwise/key.js';

const PSK_LENGTH = 32;
const IDENTITY_LENGTH = 16;

/** Which end of the pairwise key is the TLS client. Each has counters of its own. */
export type TlsClient = 'initiator' | 'responder';

/** CHN-1: an external PSK for one connection. */
export interface ExternalPsk {
  /** 32 hexadecimal digits; says nothing about the devices. */
  readonly identity: string;
  /** 32 bytes. */
  readonly key: Secret<'TlsPsk'>;
}

/** What a key gives to its channels. */
export type ChannelKey = Pick<KeyMaterial, 'suiteId' | 'initiator' | 'responder' | 'keyId' | 'tlsKey'>;

/**
 * CHN-1: the PSK and identity of connection number `counter`: KDF(tls, client role, counter). Each counter is used
 * once; the TLS client persists the next one before it connects, the server before it accepts data.
 */
export function externalPsk(
  context: ProtocolContext,
  key: ChannelKey,
  client: TlsClient,
  counter: number,
): ExternalPsk {
  const suite = context.suites.get(key.suiteId);
  const kdf: KdfContext = {
    networkId: context.networkId,
    initiator: key.initiator,
    responder: key.responder,
    epoch: key.keyId,
    transcriptHash: suite.hash(utf8(client), u64(counter)),
  };
  return {
    identity: toHex(expand(suite, key.tlsKey.bytes, 'pairTlsIdentity', kdf, IDENTITY_LENGTH)),
    key: Secret.of('TlsPsk', expand(suite, key.tlsKey.bytes, 'pairTlsPsk', kdf, PSK_LENGTH)),
  };
}
