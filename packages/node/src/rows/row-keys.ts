/*
 * The keys of a node's rows. What stands under them is sealed by the store; the keys are not secret.
 *
 *   identity                      the node's own keys
 *   descriptor                    the newest descriptor, signed by the root
 *   log/<number>                  control events, in order
 *   log-place                     how far the node has read the ordered log
 *   log-base                      the snapshot that the node began with, while the history before it is missing
 *   snapshot/<head>/<number>      the events of that snapshot
 *   fork/<number>                 an event whose number another event has: the node stays halted
 *   conflict/<number>             the first event that was brought for a number that another event has; it is evidence
 *   token/<token id>              what the node knows of an enrolment token
 *   claim/<token id>/<device id>  what confirms a device's claim on a token
 *   introduction/<node>/<device>  what a node passed on of a device that is introduced here
 *   introduced/<device id>        a device that k nodes introduced: a token of its own
 *   device/<device id>            a device's chain and standing
 *   key/<key id>                  a negotiation that the node approved
 *   share/<responder>/<key id>    a share that waits for its responder
 *   pair/<device>/<peer>          two devices that may hold a key together
 *   nonce/<nonce>                 an administrative request that was answered
 *   group/<group id>              a group: epoch in force, pending deal, who is out; the last word of one that ended
 *   group-deal/<group id>         who leaves and takes places by the pending deal
 *   group-roster/<group id>/<n>   the devices at the places of one page
 *   group-tree/<group id>/<page>  keys of the group's tree
 *   member/<device>/<group id>    a group that a device may be a member of; its roster decides
 *   presence/<device id>          where a device is attached; of a node of several processes only
 *   replica/<instance>            a process of this node, likewise
 *   arrival/<instance>            what a process has the others read to prove that they use one store, likewise
 *   seat/<work>                   which process does work that one alone can do, likewise
 */
export const IDENTITY_ROW = 'identity';
export const DESCRIPTOR_ROW = 'descriptor';
export const LOG_ROWS = 'log/';
export const LOG_PLACE_ROW = 'log-place';
export const LOG_BASE_ROW = 'log-base';
export const SNAPSHOT_ROWS = 'snapshot/';
export const FORK_ROWS = 'fork/';
export const CONFLICT_ROWS = 'conflict/';
export const TOKEN_ROWS = 'token/';
export const INTRODUCTION_ROWS = 'introduction/';
export const INTRODUCED_ROWS = 'introduced/';
export const DEVICE_ROWS = 'device/';
export const KEY_ROWS = 'key/';
export const SHARE_ROWS = 'share/';
export const PAIR_ROWS = 'pair/';
export const NONCE_ROWS = 'nonce/';
export const GROUP_ROWS = 'group/';
export const PRESENCE_ROWS = 'presence/';
export const REPLICA_ROWS = 'replica/';
export const ARRIVAL_ROWS = 'arrival/';
export const GROUP_SEAT_ROW = 'seat/groups';

const NUMBER_DIGITS = 12;
const PAGE_DIGITS = 5;

/** Ids as they stand in row keys and in maps: lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function logRow(number: number): string {
  return LOG_ROWS + String(number).padStart(NUMBER_DIGITS, '0');
}

/** The prefix of all events of the snapshot up to a number. */
export function snapshotRows(head: number): string {
  return `${SNAPSHOT_ROWS}${String(head).padStart(NUMBER_DIGITS, '0')}/`;
}

export function snapshotRow(head: number, number: number): string {
  return snapshotRows(head) + String(number).padStart(NUMBER_DIGITS, '0');
}

export function forkRow(number: number): string {
  return FORK_ROWS + String(number).padStart(NUMBER_DIGITS, '0');
}

export function conflictRow(number: number): string {
  return CONFLICT_ROWS + String(number).padStart(NUMBER_DIGITS, '0');
}

export function tokenRow(tokenId: Uint8Array): string {
  return TOKEN_ROWS + hexOf(tokenId);
}

export function claimRow(tokenId: Uint8Array, deviceId: Uint8Array): string {
  return `claim/${hexOf(tokenId)}/${hexOf(deviceId)}`;
}

/** The prefix of what a node passed on. */
export function introductionsFrom(nodeId: string): string {
  return `${INTRODUCTION_ROWS}${nodeId}/`;
}

export function introductionRow(nodeId: string, deviceHex: string): string {
  return introductionsFrom(nodeId) + deviceHex;
}

export function introducedRow(deviceId: Uint8Array): string {
  return INTRODUCED_ROWS + hexOf(deviceId);
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

export function groupRow(groupHex: string): string {
  return GROUP_ROWS + groupHex;
}

export function groupDealRow(groupHex: string): string {
  return `group-deal/${groupHex}`;
}

/** The prefix of all pages of a group's roster. */
export function rosterPagesOf(groupHex: string): string {
  return `group-roster/${groupHex}/`;
}

/** Pages are in the order of their places. */
export function rosterPageRow(groupHex: string, page: number): string {
  return rosterPagesOf(groupHex) + String(page).padStart(PAGE_DIGITS, '0');
}

/** The prefix of all pages of a group's tree. */
export function treePagesOf(groupHex: string): string {
  return `group-tree/${groupHex}/`;
}

export function treePageRow(groupHex: string, page: string): string {
  return treePagesOf(groupHex) + page;
}

/** The prefix of all groups that a device may be a member of. */
export function membershipsOf(deviceHex: string): string {
  return `member/${deviceHex}/`;
}

export function membershipRow(deviceHex: string, groupHex: string): string {
  return membershipsOf(deviceHex) + groupHex;
}

export function presenceRow(deviceHex: string): string {
  return PRESENCE_ROWS + deviceHex;
}

export function replicaRow(instance: string): string {
  return REPLICA_ROWS + instance;
}

export function arrivalRow(instance: string): string {
  return ARRIVAL_ROWS + instance;
}

/** The last part of a row's key. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
