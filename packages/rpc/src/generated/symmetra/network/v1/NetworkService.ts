// Original file: proto/symmetra/network/v1/network.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetDescriptorRequest as _symmetra_network_v1_GetDescriptorRequest, GetDescriptorRequest__Output as _symmetra_network_v1_GetDescriptorRequest__Output } from '../../../symmetra/network/v1/GetDescriptorRequest.js';
import type { GetDescriptorResponse as _symmetra_network_v1_GetDescriptorResponse, GetDescriptorResponse__Output as _symmetra_network_v1_GetDescriptorResponse__Output } from '../../../symmetra/network/v1/GetDescriptorResponse.js';
import type { PutDescriptorRequest as _symmetra_network_v1_PutDescriptorRequest, PutDescriptorRequest__Output as _symmetra_network_v1_PutDescriptorRequest__Output } from '../../../symmetra/network/v1/PutDescriptorRequest.js';
import type { PutDescriptorResponse as _symmetra_network_v1_PutDescriptorResponse, PutDescriptorResponse__Output as _symmetra_network_v1_PutDescriptorResponse__Output } from '../../../symmetra/network/v1/PutDescriptorResponse.js';

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
  
  /**
   * Has the node take up a newer descriptor (CTL-2). Anyone may bring it: the root's signature decides.
   */
  PutDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  PutDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  PutDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  PutDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Has the node take up a newer descriptor (CTL-2). Anyone may bring it: the root's signature decides.
   */
  putDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  putDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  putDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  putDescriptor(argument: _symmetra_network_v1_PutDescriptorRequest, callback: grpc.requestCallback<_symmetra_network_v1_PutDescriptorResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Public facts of the network.
 */
export interface NetworkServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Returns the newest descriptor (CTL-1) and policy (CTL-5) that the node holds.
   */
  GetDescriptor: grpc.handleUnaryCall<_symmetra_network_v1_GetDescriptorRequest__Output, _symmetra_network_v1_GetDescriptorResponse>;
  
  /**
   * Has the node take up a newer descriptor (CTL-2). Anyone may bring it: the root's signature decides.
   */
  PutDescriptor: grpc.handleUnaryCall<_symmetra_network_v1_PutDescriptorRequest__Output, _symmetra_network_v1_PutDescriptorResponse>;
  
}

export interface NetworkServiceDefinition extends grpc.ServiceDefinition {
  GetDescriptor: MethodDefinition<_symmetra_network_v1_GetDescriptorRequest, _symmetra_network_v1_GetDescriptorResponse, _symmetra_network_v1_GetDescriptorRequest__Output, _symmetra_network_v1_GetDescriptorResponse__Output>
  PutDescriptor: MethodDefinition<_symmetra_network_v1_PutDescriptorRequest, _symmetra_network_v1_PutDescriptorResponse, _symmetra_network_v1_PutDescriptorRequest__Output, _symmetra_network_v1_PutDescriptorResponse__Output>
}
