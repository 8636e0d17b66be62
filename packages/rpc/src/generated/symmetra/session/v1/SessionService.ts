// Original file: proto/symmetra/session/v1/session.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { OpenRequest as _symmetra_session_v1_OpenRequest, OpenRequest__Output as _symmetra_session_v1_OpenRequest__Output } from '../../../symmetra/session/v1/OpenRequest.js';
import type { OpenResponse as _symmetra_session_v1_OpenResponse, OpenResponse__Output as _symmetra_session_v1_OpenResponse__Output } from '../../../symmetra/session/v1/OpenResponse.js';
import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';

/**
 * Opening is relayed by any node to the node that it names; the sealed calls run inside a session.
 */
export interface SessionServiceClient extends grpc.Client {
  /**
   * SES-7: the device states its home node, its addresses and the last event that it saw.
   */
  Attach(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Attach(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Attach(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Attach(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * SES-7: the device states its home node, its addresses and the last event that it saw.
   */
  attach(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  attach(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  attach(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  attach(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * SES-8: ends the session; its keys are erased.
   */
  Close(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Close(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Close(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Close(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * SES-1 to SES-4: opens session c of the current epoch.
   */
  Open(argument: _symmetra_session_v1_OpenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  Open(argument: _symmetra_session_v1_OpenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  Open(argument: _symmetra_session_v1_OpenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  Open(argument: _symmetra_session_v1_OpenRequest, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  /**
   * SES-1 to SES-4: opens session c of the current epoch.
   */
  open(argument: _symmetra_session_v1_OpenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  open(argument: _symmetra_session_v1_OpenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  open(argument: _symmetra_session_v1_OpenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  open(argument: _symmetra_session_v1_OpenRequest, callback: grpc.requestCallback<_symmetra_session_v1_OpenResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Opening is relayed by any node to the node that it names; the sealed calls run inside a session.
 */
export interface SessionServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * SES-7: the device states its home node, its addresses and the last event that it saw.
   */
  Attach: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * SES-8: ends the session; its keys are erased.
   */
  Close: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * SES-1 to SES-4: opens session c of the current epoch.
   */
  Open: grpc.handleUnaryCall<_symmetra_session_v1_OpenRequest__Output, _symmetra_session_v1_OpenResponse>;
  
}

export interface SessionServiceDefinition extends grpc.ServiceDefinition {
  Attach: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Close: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Open: MethodDefinition<_symmetra_session_v1_OpenRequest, _symmetra_session_v1_OpenResponse, _symmetra_session_v1_OpenRequest__Output, _symmetra_session_v1_OpenResponse__Output>
}
