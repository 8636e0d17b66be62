// Original file: proto/symmetra/network/v1/network.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetDescriptorRequest as _symmetra_network_v1_GetDescriptorRequest, GetDescriptorRequest__Output as _symmetra_network_v1_GetDescriptorRequest__Output } from '../../../symmetra/network/v1/GetDescriptorRequest.js';
import type { GetDescriptorResponse as _symmetra_network_v1_GetDescriptorResponse, GetDescriptorResponse__Output as _symmetra_network_v1_GetDescriptorResponse__Output } from '../../../symmetra/network/v1/GetDescriptorResponse.js';

/**
 * Public facts of the network.
 */
export interface NetworkServiceClient extends grpc.Client {
  /**
   * Returns the newest descriptor (CTL-1) and policy (CTL-5) that the node holds.
   */
  GetDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  GetDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  GetDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  GetDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Returns the newest descriptor (CTL-1) and policy (CTL-5) that the node holds.
   */
  getDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  getDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  getDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  getDescriptor(argument: _symmetra_network_v1_GetDescriptorRequest, callback: grpc.requestCallback<_symmetra_network_v1_GetDescriptorResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Public facts of the network.
 */
export interface NetworkServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Returns the newest descriptor (CTL-1) and policy (CTL-5) that the node holds.
   */
  GetDescriptor: grpc.handleUnaryCall<_symmetra_network_v1_GetDescriptorRequest__Output, _symmetra_network_v1_GetDescriptorResponse>;
  
}

export interface NetworkServiceDefinition extends grpc.ServiceDefinition {
  GetDescriptor: MethodDefinition<_symmetra_network_v1_GetDescriptorRequest, _symmetra_network_v1_GetDescriptorResponse, _symmetra_network_v1_GetDescriptorRequest__Output, _symmetra_network_v1_GetDescriptorResponse__Output>
}
