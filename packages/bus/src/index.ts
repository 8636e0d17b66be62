export { INSTANCE_CHARS, MAX_PAYLOAD_BYTES } from './bus.js';
export type { Bus, BusHandler, RequestOptions } from './bus.js';
export { InProcessNetwork } from './in-process.js';
export type { BusClock, InProcessNetworkOptions } from './in-process.js';
export { decodeOutcome, encodeFailure, encodeReply } from './outcome.js';
export type { LogEntry, LogState, LogStream } from './log-stream.js';
export type { Wire, WireAddress } from './wire.js';
