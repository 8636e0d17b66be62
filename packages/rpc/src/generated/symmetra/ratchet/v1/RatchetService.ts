// Original file: proto/symmetra/ratchet/v1/ratchet.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CommitRequest as _symmetra_ratchet_v1_CommitRequest, CommitRequest__Output as _symmetra_ratchet_v1_CommitRequest__Output } from '../../../symmetra/ratchet/v1/CommitRequest.js';
import type { CommitResponse as _symmetra_ratchet_v1_CommitResponse, CommitResponse__Output as _symmetra_ratchet_v1_CommitResponse__Output } from '../../../symmetra/ratchet/v1/CommitResponse.js';
import type { ProveRequest as _symmetra_ratchet_v1_ProveRequest, ProveRequest__Output as _symmetra_ratchet_v1_ProveRequest__Output } from '../../../symmetra/ratchet/v1/ProveRequest.js';
import type { ProveResponse as _symmetra_ratchet_v1_ProveResponse, ProveResponse__Output as _symmetra_ratchet_v1_ProveResponse__Output } from '../../../symmetra/ratchet/v1/ProveResponse.js';
import type { StepRequest as _symmetra_ratchet_v1_StepRequest, StepRequest__Output as _symmetra_ratchet_v1_StepRequest__Output } from '../../../symmetra/ratchet/v1/StepRequest.js';
import type { StepResponse as _symmetra_ratchet_v1_StepResponse, StepResponse__Output as _symmetra_ratchet_v1_StepResponse__Output } from '../../../symmetra/ratchet/v1/StepResponse.js';

/**
 * Any node relays these calls to the node that they name; they are secure end to end.
 */
export interface RatchetServiceClient extends grpc.Client {
  /**
   * ATK-5 to ATK-7: R3, answered by R4.
   */
  Commit(argument: _symmetra_ratchet_v1_CommitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  Commit(argument: _symmetra_ratchet_v1_CommitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  Commit(argument: _symmetra_ratchet_v1_CommitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  Commit(argument: _symmetra_ratchet_v1_CommitRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  /**
   * ATK-5 to ATK-7: R3, answered by R4.
   */
  commit(argument: _symmetra_ratchet_v1_CommitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  commit(argument: _symmetra_ratchet_v1_CommitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  commit(argument: _symmetra_ratchet_v1_CommitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  commit(argument: _symmetra_ratchet_v1_CommitRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_CommitResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * ATK-9: the answer to a challenge, by which a device shows which state it holds.
   */
  Prove(argument: _symmetra_ratchet_v1_ProveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  Prove(argument: _symmetra_ratchet_v1_ProveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  Prove(argument: _symmetra_ratchet_v1_ProveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  Prove(argument: _symmetra_ratchet_v1_ProveRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  /**
   * ATK-9: the answer to a challenge, by which a device shows which state it holds.
   */
  prove(argument: _symmetra_ratchet_v1_ProveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  prove(argument: _symmetra_ratchet_v1_ProveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  prove(argument: _symmetra_ratchet_v1_ProveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  prove(argument: _symmetra_ratchet_v1_ProveRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_ProveResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * ATK-2 to ATK-4: R1, answered by R2 or by a challenge.
   */
  Step(argument: _symmetra_ratchet_v1_StepRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  Step(argument: _symmetra_ratchet_v1_StepRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  Step(argument: _symmetra_ratchet_v1_StepRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  Step(argument: _symmetra_ratchet_v1_StepRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  /**
   * ATK-2 to ATK-4: R1, answered by R2 or by a challenge.
   */
  step(argument: _symmetra_ratchet_v1_StepRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  step(argument: _symmetra_ratchet_v1_StepRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  step(argument: _symmetra_ratchet_v1_StepRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  step(argument: _symmetra_ratchet_v1_StepRequest, callback: grpc.requestCallback<_symmetra_ratchet_v1_StepResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Any node relays these calls to the node that they name; they are secure end to end.
 */
export interface RatchetServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * ATK-5 to ATK-7: R3, answered by R4.
   */
  Commit: grpc.handleUnaryCall<_symmetra_ratchet_v1_CommitRequest__Output, _symmetra_ratchet_v1_CommitResponse>;
  
  /**
   * ATK-9: the answer to a challenge, by which a device shows which state it holds.
   */
  Prove: grpc.handleUnaryCall<_symmetra_ratchet_v1_ProveRequest__Output, _symmetra_ratchet_v1_ProveResponse>;
  
  /**
   * ATK-2 to ATK-4: R1, answered by R2 or by a challenge.
   */
  Step: grpc.handleUnaryCall<_symmetra_ratchet_v1_StepRequest__Output, _symmetra_ratchet_v1_StepResponse>;
  
}

export interface RatchetServiceDefinition extends grpc.ServiceDefinition {
  Commit: MethodDefinition<_symmetra_ratchet_v1_CommitRequest, _symmetra_ratchet_v1_CommitResponse, _symmetra_ratchet_v1_CommitRequest__Output, _symmetra_ratchet_v1_CommitResponse__Output>
  Prove: MethodDefinition<_symmetra_ratchet_v1_ProveRequest, _symmetra_ratchet_v1_ProveResponse, _symmetra_ratchet_v1_ProveRequest__Output, _symmetra_ratchet_v1_ProveResponse__Output>
  Step: MethodDefinition<_symmetra_ratchet_v1_StepRequest, _symmetra_ratchet_v1_StepResponse, _symmetra_ratchet_v1_StepRequest__Output, _symmetra_ratchet_v1_StepResponse__Output>
}
