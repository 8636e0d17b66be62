import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { CommitRequest as _symmetra_ratchet_v1_CommitRequest, CommitRequest__Output as _symmetra_ratchet_v1_CommitRequest__Output } from './symmetra/ratchet/v1/CommitRequest.js';
import type { CommitResponse as _symmetra_ratchet_v1_CommitResponse, CommitResponse__Output as _symmetra_ratchet_v1_CommitResponse__Output } from './symmetra/ratchet/v1/CommitResponse.js';
import type { ProveRequest as _symmetra_ratchet_v1_ProveRequest, ProveRequest__Output as _symmetra_ratchet_v1_ProveRequest__Output } from './symmetra/ratchet/v1/ProveRequest.js';
import type { ProveResponse as _symmetra_ratchet_v1_ProveResponse, ProveResponse__Output as _symmetra_ratchet_v1_ProveResponse__Output } from './symmetra/ratchet/v1/ProveResponse.js';
import type { RatchetServiceClient as _symmetra_ratchet_v1_RatchetServiceClient, RatchetServiceDefinition as _symmetra_ratchet_v1_RatchetServiceDefinition } from './symmetra/ratchet/v1/RatchetService.js';
import type { StepRequest as _symmetra_ratchet_v1_StepRequest, StepRequest__Output as _symmetra_ratchet_v1_StepRequest__Output } from './symmetra/ratchet/v1/StepRequest.js';
import type { StepResponse as _symmetra_ratchet_v1_StepResponse, StepResponse__Output as _symmetra_ratchet_v1_StepResponse__Output } from './symmetra/ratchet/v1/StepResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  symmetra: {
    ratchet: {
      v1: {
        CommitRequest: MessageTypeDefinition<_symmetra_ratchet_v1_CommitRequest, _symmetra_ratchet_v1_CommitRequest__Output>
        CommitResponse: MessageTypeDefinition<_symmetra_ratchet_v1_CommitResponse, _symmetra_ratchet_v1_CommitResponse__Output>
        ProveRequest: MessageTypeDefinition<_symmetra_ratchet_v1_ProveRequest, _symmetra_ratchet_v1_ProveRequest__Output>
        ProveResponse: MessageTypeDefinition<_symmetra_ratchet_v1_ProveResponse, _symmetra_ratchet_v1_ProveResponse__Output>
        /**
         * Any node relays these calls to the node that they name; they are secure end to end.
         */
        RatchetService: SubtypeConstructor<typeof grpc.Client, _symmetra_ratchet_v1_RatchetServiceClient> & { service: _symmetra_ratchet_v1_RatchetServiceDefinition }
        StepRequest: MessageTypeDefinition<_symmetra_ratchet_v1_StepRequest, _symmetra_ratchet_v1_StepRequest__Output>
        StepResponse: MessageTypeDefinition<_symmetra_ratchet_v1_StepResponse, _symmetra_ratchet_v1_StepResponse__Output>
      }
    }
  }
}

