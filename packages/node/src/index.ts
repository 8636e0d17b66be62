export { startNode } from './compose.js';
export type { NodePorts, RunningNode } from './compose.js';
export { startNetwork } from './network.js';
export type { NetworkOptions, RunningNetwork } from './network.js';
export { readNetworkFile } from './network-file.js';
export type { NetworkFile } from './network-file.js';
export { readSigningKey } from './signing-key-file.js';
export { describeIdentity, loadIdentity } from './identity/node-identity.js';
export type { NodeIdentity } from './identity/node-identity.js';
