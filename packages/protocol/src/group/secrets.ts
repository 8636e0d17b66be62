import { EMPTY, Secret, expand, extractExpand } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import { u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { ApplicationKey } from '../pairwise/transcript.js';
import { groupEpochId } from './header.js';
import type { GroupHeader } from './header.js';

/** The key from which the keys of all senders of an epoch are derived, `hashLength` bytes (GRP-12). */
export type GroupMessageKey = Secret<'GroupMessageKey'>;

const FINGERPRINT_LENGTH = 16;

/** What S gives to whoever rebuilds it. */
export interface GroupSecrets {
  /** The key that the caller gets, `header.keyLength` bytes. */
  readonly applicationKey: ApplicationKey;
  readonly messageKey: GroupMessageKey;
  /** 16 bytes, public: the same at all members when the key is the same. */
  readonly fingerprint: Uint8Array;
  /** MAC over the header, `hashLength` bytes. */
  readonly tag: Uint8Array;
}

/** Q_G(th): the context of every derivation of an epoch. */
export function groupContext(
  context: ProtocolContext,
  header: Pick<GroupHeader, 'groupId' | 'epoch'>,
  transcriptHash: Uint8Array,
): KdfContext {
  return {
    networkId: context.networkId,
    initiator: header.groupId,
    responder: EMPTY,
    epoch: u64(header.epoch),
    transcriptHash,
  };
}

/**
 * GRP-3: everything that S gives. G is erased here, S by the caller.
 * @param bytes the header's canonical bytes.
 * @param split S, 32 bytes.
 */
export function groupSecrets(
  context: ProtocolContext,
  bytes: Uint8Array,
  header: GroupHeader,
  split: Uint8Array,
): GroupSecrets {
  const suite = context.suites.get(header.suiteId);
  const kdf = groupContext(context, header, groupEpochId(suite, bytes));
  const key = extractExpand(suite, [split], 'groupKey', kdf);
  const secrets: GroupSecrets = {
    applicationKey: Secret.of(
      'ApplicationKey',
      expand(suite, key, 'groupApplication', kdf, header.keyLength),
    ),
    messageKey: Secret.of('GroupMessageKey', expand(suite, key, 'groupMessage', kdf)),
    fingerprint: expand(suite, key, 'groupFingerprint', kdf, FINGERPRINT_LENGTH),
    tag: headerTag(suite, key, kdf, bytes),
  };
  key.fill(0);
  return secrets;
}

function headerTag(suite: Suite, key: Uint8Array, kdf: KdfContext, bytes: Uint8Array): Uint8Array {
  const check = expand(suite, key, 'groupCheck', kdf);
  const tag = suite.mac(check, bytes);
  check.fill(0);
  return tag;
}
