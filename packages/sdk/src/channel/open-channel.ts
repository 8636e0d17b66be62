import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { codeOf } from '../failure.js';
import { peerOf } from '../keys/key-record.js';
import type { KeyRecord } from '../keys/key-record.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Negotiations } from '../pairwise/negotiations.js';
import type { Channels } from './channels.js';
import type { SecureChannel } from './secure-channel.js';

const PURPOSE = 'channel';
/** What a fresh key may put right: its receipts say where the peer is now. */
const STALE_KEY = new Set(['PEER_UNREACHABLE', 'CHANNEL_REFUSED']);

/** How a channel is opened. */
export interface ChannelOptions {
  /** The key to use; by default the newest with the peer, or a new one. */
  readonly keyId?: string;
  /** host:port; by default where the nodes say that the peer is. */
  readonly address?: string;
  /** Milliseconds to wait for the peer when a key must be agreed on first; default 30,000. */
  readonly wait?: number;
}

/** What opening a channel takes. */
export interface OpenChannelParts {
  readonly keys: KeyStore;
  readonly channels: Channels;
  readonly negotiations: Negotiations;
}

/**
 * Opens a channel to a peer: under the key that is given, or the newest that both hold, or else a new one.
 * @throws PEER_UNREACHABLE, CHANNEL_REFUSED, PEER_SILENT, KEY_UNKNOWN, KEY_EXPIRED, KEY_USED_UP, and as negotiating does
 */
export async function openChannel(
  { keys, channels, negotiations }: OpenChannelParts,
  peer: Uint8Array,
  { keyId, address, wait }: ChannelOptions,
): Promise<SecureChannel> {
  const open = async (record: KeyRecord): Promise<SecureChannel> =>
    channels.open(record, address === undefined ? record.addresses : [address]);
  if (keyId !== undefined) return open(keyWith(keys, peer, keyId));
  const held = keys.newestUsable(peer);
  if (held !== undefined) {
    try {
      return await open(held);
    } catch (error) {
      if (!STALE_KEY.has(codeOf(error))) throw error;
    }
  }
  const key = await negotiations.negotiate(peer, { purpose: PURPOSE, ...(wait !== undefined && { wait }) });
  if (key.state !== 'pending') return open(keys.usable(key.keyId));
  throw new SymmetraError('PEER_SILENT', 'the peer did not answer in time', { keyId: key.keyId });
}

function keyWith(keys: KeyStore, peer: Uint8Array, keyId: string): KeyRecord {
  const record = keys.usable(keyId);
  if (equalConstantTime(peerOf(record), peer)) return record;
  throw new SymmetraError('KEY_UNKNOWN', 'the key is with another peer', { keyId });
}
