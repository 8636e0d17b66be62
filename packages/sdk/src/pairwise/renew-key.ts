import type { Key, PendingKey } from '../keys/key-info.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { NegotiateOptions } from './negotiate-options.js';
import type { Negotiations } from './negotiations.js';

/** A key like the one that it takes the place of. */
export async function renewKey(
  negotiations: Negotiations,
  { material }: KeyRecord,
  allowedSuites: readonly number[],
): Promise<Key | PendingKey> {
  const { limits, purpose, suiteId, directKem, applicationKey } = material;
  const options: NegotiateOptions = {
    purpose,
    keyLength: applicationKey.bytes.length,
    lifetime: limits.lifetimeSeconds * 1000,
    uses: limits.uses,
    directKem,
    ...(allowedSuites.includes(suiteId) && { suite: suiteId }),
  };
  return negotiations.negotiate(material.responder, options, material.keyId);
}
