export { logEntropy } from './entropy/entropy-log.js';
export { entropyMetrics } from './entropy/entropy-metrics.js';
export { openGenerator, openNoise, untilReady } from './entropy/open-generator.js';
export type { EntropyOptions } from './entropy/open-generator.js';
export { startNode } from './compose.js';
export type { NodePorts, RunningNode } from './compose.js';
export { newestDescriptor } from './control/descriptor-row.js';
export { startNetwork } from './network.js';
export type { NetworkOptions, RunningNetwork } from './network.js';
export { readNetworkFile } from './network-file.js';
export type { NetworkFile } from './network-file.js';
export { createSigningKey, readSigningKey } from './signing-key-file.js';
export { describeIdentity, loadIdentity } from './identity/node-identity.js';
export type { NodeIdentity } from './identity/node-identity.js';
export { checkNodeFiles } from './process/check-files.js';
export { startNodeProcess } from './process/node-process.js';
export type { NodeProcess, NodeProcessOptions } from './process/node-process.js';
export { backupNode, restoreNode } from './provision/backup.js';
export type { BackupSeal } from './provision/backup-file.js';
export { initNode } from './provision/init-node.js';
export type { InitOptions } from './provision/init-node.js';
export { changeNetwork, makeNetwork, networkFilesIn } from './provision/network-directory.js';
export type {
  ChangeOptions,
  MakeNetworkOptions,
  NatsPlace,
  NetworkChange,
} from './provision/network-directory.js';
export { readNodeDescription } from './provision/node-description.js';
export type { NodeDescription } from './provision/node-description.js';
