import { Secret, expand } from '@symmetra/crypto';
import type { KdfContext } from '@symmetra/crypto';
import { deviceNodeContext, u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';

/** rk: feeds the next ratchet step, and seals R1 and R2. */
export type RatchetKey = Secret<'RatchetKey'>;
/** ck_c: the session chain. */
export type ChainKey = Secret<'ChainKey'>;
/** ev: authenticates requests cheaply, and proves which epoch a party holds. */
export type EvidenceKey = Secret<'EvidenceKey'>;

/** The two ends of an ATK chain. */
export interface ChainParties {
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
}

/** The keys of one epoch, as both sides hold them after K[e] is erased. */
export interface EpochKeys {
  readonly suiteId: number;
  readonly epoch: number;
  readonly stage: string;
  readonly ratchetKey: RatchetKey;
  readonly chainKey: ChainKey;
  /** c: number of the next session. */
  readonly counter: number;
  readonly evidenceKey: EvidenceKey;
}

/** The derivation context of an epoch: device, node, e, and the hash that a flow binds. */
export function epochContext(
  context: ProtocolContext,
  parties: ChainParties,
  epoch: number,
  transcriptHash: Uint8Array,
): KdfContext {
  return deviceNodeContext(context, parties.deviceId, parties.nodeId, u64(epoch), transcriptHash);
}

/**
 * ATK-1: entering epoch e: rk, ck_0 and ev from K[e], under the hash of the transcript that made K[e].
 * The caller erases K[e].
 *
 * @param epochKey K[e], `hashLength` bytes.
 */
export function enterEpoch(
  context: ProtocolContext,
  parties: ChainParties,
  epoch: { suiteId: number; epoch: number; stage: string },
  epochKey: Uint8Array,
  transcriptHash: Uint8Array,
): EpochKeys {
  const suite = context.suites.get(epoch.suiteId);
  const kdf = epochContext(context, parties, epoch.epoch, transcriptHash);
  return {
    suiteId: epoch.suiteId,
    epoch: epoch.epoch,
    stage: epoch.stage,
    ratchetKey: Secret.of('RatchetKey', expand(suite, epochKey, 'ratchetKey', kdf)),
    chainKey: Secret.of('ChainKey', expand(suite, epochKey, 'ratchetChain', kdf)),
    counter: 0,
    evidenceKey: Secret.of('EvidenceKey', expand(suite, epochKey, 'ratchetEvidence', kdf)),
  };
}

/** The secrets of an epoch that is left. */
export function epochSecrets(keys: EpochKeys): readonly { wipe(): void }[] {
  return [keys.ratchetKey, keys.chainKey, keys.evidenceKey];
}
