// Original file: proto/symmetra/link/v1/link.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ConnectRequest as _symmetra_link_v1_ConnectRequest, ConnectRequest__Output as _symmetra_link_v1_ConnectRequest__Output } from '../../../symmetra/link/v1/ConnectRequest.js';
import type { ConnectResponse as _symmetra_link_v1_ConnectResponse, ConnectResponse__Output as _symmetra_link_v1_ConnectResponse__Output } from '../../../symmetra/link/v1/ConnectResponse.js';

/**
 * One bidirectional stream per device; its first call is SessionService/Attach at the home node.
 */
export interface LinkServiceClient extends grpc.Client {
  /**
   * Carries any number of sealed calls at once, and the events of every node.
   */
  Connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectResponse__Output>;
  Connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectResponse__Output>;
  /**
   * Carries any number of sealed calls at once, and the events of every node.
   */
  connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectResponse__Output>;
  connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectResponse__Output>;
  
}

/**
 * One bidirectional stream per device; its first call is SessionService/Attach at the home node.
 */
export interface LinkServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Carries any number of sealed calls at once, and the events of every node.
   */
  Connect: grpc.handleBidiStreamingCall<_symmetra_link_v1_ConnectRequest__Output, _symmetra_link_v1_ConnectResponse>;
  
}

export interface LinkServiceDefinition extends grpc.ServiceDefinition {
  Connect: MethodDefinition<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectResponse, _symmetra_link_v1_ConnectRequest__Output, _symmetra_link_v1_ConnectResponse__Output>
}
