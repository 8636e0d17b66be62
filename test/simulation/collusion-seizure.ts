import { toHex } from '@symmetra/crypto';
import { decodeState } from '@symmetra/protocol';
import type { TokenRecord } from '@symmetra/protocol';
import type { Store } from '@symmetra/storage';
import { decodeDeviceRow } from '../../packages/node/src/devices/device-row.js';
import { DEVICE_ROWS, IDENTITY_ROW, SHARE_ROWS, TOKEN_ROWS } from '../../packages/node/src/rows/row-keys.js';
import { decodeShareRow } from '../../packages/node/src/shares/share-row.js';
import type { Attacker } from './collusion-attacker.js';

type StoredKemKey = { readonly publicKey: Uint8Array; readonly secretKey: { readonly bytes: Uint8Array } };

/**
 * Opens the store of a real node and tells the attacker what stands in it: the node's static KEM keys, its token secrets,
 * its chains with every device, and the shares that wait.
 */
export async function seize(attacker: Attacker, nodeId: string, store: Store): Promise<void> {
  const identity = await store.get(IDENTITY_ROW);
  if (identity === undefined) throw new Error(`${nodeId} has no identity`);
  const { kemKeys } = decodeState<{ kemKeys: readonly StoredKemKey[] }>(identity.value);
  const secretKeys = new Map(kemKeys.map(({ publicKey, secretKey }) => [toHex(publicKey), secretKey.bytes]));
  attacker.breakKem((publicKey) => secretKeys.get(toHex(publicKey)));
  for (const { row } of await store.scan(TOKEN_ROWS)) {
    attacker.learnNodeToken(decodeState<{ record: TokenRecord }>(row.value).record.token);
  }
  for (const { row } of await store.scan(DEVICE_ROWS)) {
    const { parties, keys, pending } = decodeDeviceRow(row.value).chain;
    attacker.learnEpoch({ parties, keys });
    if (pending !== undefined) attacker.learnEpoch({ parties, keys: pending.keys });
  }
  for (const { row } of await store.scan(SHARE_ROWS)) {
    attacker.learnShare(nodeId, decodeShareRow(row.value));
  }
}
