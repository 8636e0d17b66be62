export { MAX_PAYLOAD_BYTES } from './bus.js';
export type { Bus, BusHandler } from './bus.js';
export { InProcessNetwork } from './in-process.js';
export type { BusClock, InProcessNetworkOptions } from './in-process.js';
export { decodeOutcome, encodeFailure, encodeReply } from './outcome.js';
