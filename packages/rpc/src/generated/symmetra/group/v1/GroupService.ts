// Original file: proto/symmetra/group/v1/group.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';

/**
 * Each call runs in the session of the device with one node.
 */
export interface GroupServiceClient extends grpc.Client {
  /**
   * GRP-9: the member holds the key of an epoch.
   */
  Confirm(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-9: the member holds the key of an epoch.
   */
  confirm(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-3, GRP-4: the dealer's header, this node's share and the changes; the node approves or refuses.
   */
  Deal(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Deal(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Deal(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Deal(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-3, GRP-4: the dealer's header, this node's share and the changes; the node approves or refuses.
   */
  deal(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  deal(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  deal(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  deal(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-2: a member reads who stands where, page by page.
   */
  GetRoster(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-2: a member reads who stands where, page by page.
   */
  getRoster(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-10: the device leaves the group.
   */
  Leave(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Leave(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Leave(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Leave(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-10: the device leaves the group.
   */
  leave(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  leave(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  leave(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  leave(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-10: a member whose uses are over asks for another epoch.
   */
  Renew(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-10: a member whose uses are over asks for another epoch.
   */
  renew(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  renew(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  renew(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  renew(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-12: has the home node pass a sealed group message to the members that are attached.
   */
  Send(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Send(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Send(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Send(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-12: has the home node pass a sealed group message to the members that are attached.
   */
  send(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  send(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  send(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  send(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * GRP-3: brings a part of the device ids that the coming deal adds.
   */
  Stage(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Stage(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Stage(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Stage(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * GRP-3: brings a part of the device ids that the coming deal adds.
   */
  stage(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  stage(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  stage(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  stage(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Each call runs in the session of the device with one node.
 */
export interface GroupServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * GRP-9: the member holds the key of an epoch.
   */
  Confirm: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-3, GRP-4: the dealer's header, this node's share and the changes; the node approves or refuses.
   */
  Deal: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-2: a member reads who stands where, page by page.
   */
  GetRoster: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-10: the device leaves the group.
   */
  Leave: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-10: a member whose uses are over asks for another epoch.
   */
  Renew: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-12: has the home node pass a sealed group message to the members that are attached.
   */
  Send: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * GRP-3: brings a part of the device ids that the coming deal adds.
   */
  Stage: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
}

export interface GroupServiceDefinition extends grpc.ServiceDefinition {
  Confirm: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Deal: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  GetRoster: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Leave: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Renew: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Send: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Stage: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
}
