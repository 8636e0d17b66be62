// Original file: proto/symmetra/pairwise/v1/pairwise.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';

/**
 * Each call runs in the session of the device with one node.
 */
export interface PairwiseServiceClient extends grpc.Client {
  /**
   * PAIR-6: the responder has stored the key, or refuses it; the node erases its share.
   */
  Acknowledge(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Acknowledge(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * PAIR-6: the responder has stored the key, or refuses it; the node erases its share.
   */
  acknowledge(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  acknowledge(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * PAIR-1 to PAIR-3: the initiator's header and this node's share; the node approves with a receipt or refuses.
   */
  Negotiate(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Negotiate(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Negotiate(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Negotiate(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * PAIR-1 to PAIR-3: the initiator's header and this node's share; the node approves with a receipt or refuses.
   */
  negotiate(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  negotiate(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  negotiate(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  negotiate(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * PAIR-10: carries a message to a peer through the home nodes; asked of the device's home node only.
   */
  Relay(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Relay(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Relay(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Relay(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * PAIR-10: carries a message to a peer through the home nodes; asked of the device's home node only.
   */
  relay(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  relay(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  relay(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  relay(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * PAIR-11: evidence against a node and a dealer, for people; it changes nothing by itself.
   */
  Report(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Report(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Report(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Report(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * PAIR-11: evidence against a node and a dealer, for people; it changes nothing by itself.
   */
  report(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  report(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  report(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  report(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Each call runs in the session of the device with one node.
 */
export interface PairwiseServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * PAIR-6: the responder has stored the key, or refuses it; the node erases its share.
   */
  Acknowledge: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * PAIR-1 to PAIR-3: the initiator's header and this node's share; the node approves with a receipt or refuses.
   */
  Negotiate: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * PAIR-10: carries a message to a peer through the home nodes; asked of the device's home node only.
   */
  Relay: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * PAIR-11: evidence against a node and a dealer, for people; it changes nothing by itself.
   */
  Report: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
}

export interface PairwiseServiceDefinition extends grpc.ServiceDefinition {
  Acknowledge: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Negotiate: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Relay: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Report: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
}
