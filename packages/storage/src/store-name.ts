import { EMPTY, expand, suites, toHex, utf8 } from '@symmetra/crypto';
import type { MasterKey } from './sealed-store.js';

const NAME_BYTES = 8;
const NO_NETWORK = new Uint8Array(16);
const SUITE = suites.get(1);

/**
 * Names the store of a node where nodes of several networks keep theirs, for nodes of two networks may have the same id:
 *
 *     symmetra:<node>:<hex of expand(suite 1, master key, "store name", initiator := node, 8 bytes)>
 *
 * The processes of a node share its master key and so the name; another node, of whatever network, has another key. The
 * network itself is not known yet when a node is made. The name tells nothing of the key.
 */
export function storeName(masterKey: MasterKey, node: string): string {
  const name = expand(
    SUITE,
    masterKey.bytes,
    'storeName',
    { networkId: NO_NETWORK, initiator: utf8(node), responder: EMPTY, epoch: EMPTY, transcriptHash: EMPTY },
    NAME_BYTES,
  );
  return `symmetra:${node}:${toHex(name)}`;
}
