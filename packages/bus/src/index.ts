export { INSTANCE_CHARS, MAX_PAYLOAD_BYTES } from './bus.js';
export type { Bus, BusHandler, RequestOptions } from './bus.js';
export { InProcessNetwork } from './in-process.js';
export type { BusClock, InProcessNetworkOptions } from './in-process.js';
export { InProcessLog } from './in-process-log.js';
export { decodeOutcome, encodeFailure, encodeReply } from './outcome.js';
export { LOG_PAUSE_MS, MAX_ENTRY_BYTES } from './log-stream.js';
export type { LogEntry, LogState, LogStream } from './log-stream.js';
export type { Hails } from './hails.js';
export type { Wire, WireAddress } from './wire.js';
export type {
  LinkClock,
  LinkIdentity,
  LinkObserver,
  LinkedBusOptions,
  QkdKey,
  QkdSource,
} from './linked/options.js';
export { connectNats } from './nats-connection.js';
export type { NatsConnection, NatsOptions, NatsStatus, NatsTls } from './nats-connection.js';
export { NkeySigner, createNkey } from './nats-key.js';
export type { Nkey } from './nats-key.js';
export { openNatsLog } from './nats-log.js';
export type { NatsLogOptions } from './nats-log.js';
export { NatsHails } from './nats-hails.js';
export { NatsWire } from './nats-wire.js';
export type { NatsWireOptions } from './nats-wire.js';
export { natsServerConfig } from './nats-server-config.js';
export type { NatsServerOptions, NatsServerTls } from './nats-server-config.js';
export { LinkedBus } from './linked/linked-bus.js';
export { qkdClient } from './linked/qkd-client.js';
export type { QkdClientOptions } from './linked/qkd-client.js';
