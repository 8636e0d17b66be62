import { sha256 } from '@symmetra/crypto';
import { decodeDescriptor, decodeState, encodeState, verifyDescriptor } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor } from '@symmetra/protocol';
import type { Store } from '@symmetra/storage';
import { DESCRIPTOR_ROW } from '../rows/row-keys.js';

/**
 * CTL-2: takes up a descriptor, unless the store holds a newer one or one of another root.
 * @throws ROOT_MISMATCH, BAD_SIGNATURE, DESCRIPTOR_OLD, WRONG_NETWORK, BAD_DESCRIPTOR
 */
export async function adoptDescriptor(store: Store, signed: SignedDescriptor): Promise<Descriptor> {
  const row = await store.get(DESCRIPTOR_ROW);
  const known = row && decodeState<SignedDescriptor>(row.value);
  const before = decodeDescriptor((known ?? signed).descriptor);
  const descriptor = verifyDescriptor(signed, {
    networkId: before.networkId,
    rootKeyHash: sha256((known ?? signed).rootPublicKey),
    minimumVersion: before.version,
  });
  if (known === undefined || descriptor.version > before.version) {
    await store.commit([{ key: DESCRIPTOR_ROW, value: encodeState(signed) }]);
  }
  return descriptor;
}

/** The newer of a descriptor and the one in the store, which the node took up while it ran. */
export async function newestDescriptor(store: Store, signed: SignedDescriptor): Promise<SignedDescriptor> {
  const row = await store.get(DESCRIPTOR_ROW);
  const known = row && decodeState<SignedDescriptor>(row.value);
  if (known === undefined) return signed;
  return decodeDescriptor(known.descriptor).version > decodeDescriptor(signed.descriptor).version
    ? known
    : signed;
}
