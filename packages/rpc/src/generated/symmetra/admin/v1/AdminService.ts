// Original file: proto/symmetra/admin/v1/admin.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { SignedRequest as _symmetra_admin_v1_SignedRequest, SignedRequest__Output as _symmetra_admin_v1_SignedRequest__Output } from '../../../symmetra/admin/v1/SignedRequest.js';
import type { SignedResponse as _symmetra_admin_v1_SignedResponse, SignedResponse__Output as _symmetra_admin_v1_SignedResponse__Output } from '../../../symmetra/admin/v1/SignedResponse.js';

/**
 * Every call is signed by an administrator that the descriptor names; unsigned or replayed calls are refused.
 */
export interface AdminServiceClient extends grpc.Client {
  /**
   * One device.
   */
  GetDevice(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * One device.
   */
  getDevice(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Number and hash of the newest control event that the node has applied.
   */
  GetHead(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetHead(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetHead(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  GetHead(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Number and hash of the newest control event that the node has applied.
   */
  getHead(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getHead(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getHead(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  getHead(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The devices that the node knows.
   */
  ListDevices(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The devices that the node knows.
   */
  listDevices(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Control events from a number on.
   */
  ListEvents(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListEvents(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListEvents(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  ListEvents(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Control events from a number on.
   */
  listEvents(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listEvents(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listEvents(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  listEvents(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Appends a control event; the reply carries the receipts of the nodes that applied it.
   */
  Submit(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  Submit(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  Submit(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  Submit(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Appends a control event; the reply carries the receipts of the nodes that applied it.
   */
  submit(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  submit(argument: _symmetra_admin_v1_SignedRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  submit(argument: _symmetra_admin_v1_SignedRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  submit(argument: _symmetra_admin_v1_SignedRequest, callback: grpc.requestCallback<_symmetra_admin_v1_SignedResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Every call is signed by an administrator that the descriptor names; unsigned or replayed calls are refused.
 */
export interface AdminServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One device.
   */
  GetDevice: grpc.handleUnaryCall<_symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse>;
  
  /**
   * Number and hash of the newest control event that the node has applied.
   */
  GetHead: grpc.handleUnaryCall<_symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse>;
  
  /**
   * The devices that the node knows.
   */
  ListDevices: grpc.handleUnaryCall<_symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse>;
  
  /**
   * Control events from a number on.
   */
  ListEvents: grpc.handleUnaryCall<_symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse>;
  
  /**
   * Appends a control event; the reply carries the receipts of the nodes that applied it.
   */
  Submit: grpc.handleUnaryCall<_symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse>;
  
}

export interface AdminServiceDefinition extends grpc.ServiceDefinition {
  GetDevice: MethodDefinition<_symmetra_admin_v1_SignedRequest, _symmetra_admin_v1_SignedResponse, _symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse__Output>
  GetHead: MethodDefinition<_symmetra_admin_v1_SignedRequest, _symmetra_admin_v1_SignedResponse, _symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse__Output>
  ListDevices: MethodDefinition<_symmetra_admin_v1_SignedRequest, _symmetra_admin_v1_SignedResponse, _symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse__Output>
  ListEvents: MethodDefinition<_symmetra_admin_v1_SignedRequest, _symmetra_admin_v1_SignedResponse, _symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse__Output>
  Submit: MethodDefinition<_symmetra_admin_v1_SignedRequest, _symmetra_admin_v1_SignedResponse, _symmetra_admin_v1_SignedRequest__Output, _symmetra_admin_v1_SignedResponse__Output>
}
