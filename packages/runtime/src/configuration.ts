/** The configurations, apart from the rest: their checker takes long to load, and most commands need none. */
export { parseUpConfig } from './config.js';
export type { UpConfig } from './config.js';
export { parseEntropyConfig, readEntropyConfig } from './entropy-config.js';
export type { EntropyConfig, EntropySourceConfig } from './entropy-config.js';
export { fullExample, minimalExample } from './node-example.js';
export { effectiveConfig, parseNodeConfig, readNodeConfig } from './node-config.js';
export type { Environment } from './node-config.js';
export type { NodeConfig } from './node-schema.js';
