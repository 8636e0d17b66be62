export { decode, encode } from './codec.js';
export type { Message, MessageInput, MessageName } from './codec.js';
export { methodDescriptors } from './loader.js';
export type { MethodDescriptor, PlaintextNames } from './loader.js';
export { MAX_FRAME_BYTES, METHODS, REFLECTION_METHODS, isSealedMethod, methodPolicy } from './methods.js';
export type {
  Caller,
  MethodKind,
  MethodPolicy,
  MethodRate,
  PlaintextReply,
  PlaintextRequest,
  SealedMethod,
  SignedMethod,
} from './methods.js';
export { OPEN_CALLS } from './open-calls.js';
export type { OpenCall, OpenReply, OpenReplyInput, OpenRequest, OpenRequestInput } from './open-calls.js';
export { RpcServer, createServer } from './server.js';
export type { ServerOptions } from './server.js';
export type { CallInfo, Handlers } from './handlers.js';
export { encodeBroadcast, encodeGroupMessage } from './link-stream.js';
export type { LinkBounds, LinkEvent, LinkReply, LinkStream } from './link-stream.js';
export type { LinkCounts } from './link-service.js';
export type { AuditEntry, AuditHook } from './audit.js';
export type { RpcClock } from './clock.js';
export type { RpcLogger } from './logger.js';
export type { Rate } from './rate.js';
export type { ServingStatus } from './health.js';
export { NodeClient } from './client.js';
export type { ClientOptions } from './client.js';
export type { ClientLink, LinkCall } from './client-link.js';
export { publicCode } from './errors.js';
export { NoiseFeed } from './entropy/noise-feed.js';
export type { ExpectedSource, NoiseFeedOptions, UpstreamCredentials } from './entropy/noise-feed.js';
