/*
 * The keys of a node's rows. What stands under them is sealed by the store; the keys are not secret.
 *
 *   identity                      the node's own keys
 *   descriptor                    the newest descriptor, signed by the root
 *   log/<number>                  control events, in order
 *   fork/<number>                 an event whose number another event has: the node stays halted
 *   token/<token id>              what the node knows of an enrolment token
 *   claim/<token id>/<device id>  what confirms a device's claim on a token
 *   device/<device id>            a device's chain and standing
 *   key/<key id>                  a negotiation that the node approved
 *   share/<responder>/<key id>    a share that waits for its responder
 *   pair/<device>/<peer>          two devices that may hold a key together
 *   nonce/<nonce>                 an administrative request that was answered
 */
export const IDENTITY_ROW = 'identity';
export const DESCRIPTOR_ROW = 'descriptor';
export const LOG_ROWS = 'log/';
export const FORK_ROWS = 'fork/';
export const TOKEN_ROWS = 'token/';
export const DEVICE_ROWS = 'device/';
export const KEY_ROWS = 'key/';
export const SHARE_ROWS = 'share/';
export const PAIR_ROWS = 'pair/';
export const NONCE_ROWS = 'nonce/';

const NUMBER_DIGITS = 12;

/** Ids as they stand in row keys and in maps: lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function logRow(number: number): string {
  return LOG_ROWS + String(number).padStart(NUMBER_DIGITS, '0');
}

export function forkRow(number: number): string {
  return FORK_ROWS + String(number).padStart(NUMBER_DIGITS, '0');
}

export function tokenRow(tokenId: Uint8Array): string {
  return TOKEN_ROWS + hexOf(tokenId);
}

export function claimRow(tokenId: Uint8Array, deviceId: Uint8Array): string {
  return `claim/${hexOf(tokenId)}/${hexOf(deviceId)}`;
}

export function deviceRow(deviceHex: string): string {
  return DEVICE_ROWS + deviceHex;
}

export function keyRow(keyHex: string): string {
  return KEY_ROWS + keyHex;
}

/** The prefix of all shares that wait for a responder. */
export function sharesOf(responderHex: string): string {
  return `${SHARE_ROWS}${responderHex}/`;
}

export function shareRow(responderHex: string, keyHex: string): string {
  return sharesOf(responderHex) + keyHex;
}

/** The prefix of all peers of a device. */
export function pairsOf(deviceHex: string): string {
  return `${PAIR_ROWS}${deviceHex}/`;
}

export function pairRow(deviceHex: string, peerHex: string): string {
  return pairsOf(deviceHex) + peerHex;
}

export function nonceRow(nonce: Uint8Array): string {
  return NONCE_ROWS + hexOf(nonce);
}

/** The last part of a row's key. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
