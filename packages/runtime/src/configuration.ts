/** The configurations, apart from the rest: their checker takes long to load, and most commands need none. */
export { parseUpConfig } from './config.js';
export type { UpConfig } from './config.js';
export { parseEntropyConfig, readEntropyConfig } from './entropy-config.js';
export type { EntropyConfig, EntropySourceConfig } from './entropy-config.js';
