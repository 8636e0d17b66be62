export { INSTANCE_CHARS, MAX_PAYLOAD_BYTES } from './bus.js';
export type { Bus, BusHandler, RequestOptions } from './bus.js';
export { InProcessNetwork } from './in-process.js';
export type { BusClock, InProcessNetworkOptions } from './in-process.js';
export { InProcessLog } from './in-process-log.js';
export { decodeOutcome, encodeFailure, encodeReply } from './outcome.js';
export { LOG_PAUSE_MS, MAX_ENTRY_BYTES } from './log-stream.js';
export type { LogEntry, LogState, LogStream } from './log-stream.js';
export type { Wire, WireAddress } from './wire.js';
export type {
  LinkClock,
  LinkIdentity,
  LinkObserver,
  LinkedBusOptions,
  QkdKey,
  QkdSource,
} from './linked/options.js';
