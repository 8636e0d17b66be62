import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { EntropyServiceClient as _symmetra_entropy_v1_EntropyServiceClient, EntropyServiceDefinition as _symmetra_entropy_v1_EntropyServiceDefinition } from './symmetra/entropy/v1/EntropyService.js';
import type { NoiseBlock as _symmetra_entropy_v1_NoiseBlock, NoiseBlock__Output as _symmetra_entropy_v1_NoiseBlock__Output } from './symmetra/entropy/v1/NoiseBlock.js';
import type { SourceDescription as _symmetra_entropy_v1_SourceDescription, SourceDescription__Output as _symmetra_entropy_v1_SourceDescription__Output } from './symmetra/entropy/v1/SourceDescription.js';
import type { StreamNoiseRequest as _symmetra_entropy_v1_StreamNoiseRequest, StreamNoiseRequest__Output as _symmetra_entropy_v1_StreamNoiseRequest__Output } from './symmetra/entropy/v1/StreamNoiseRequest.js';
import type { StreamNoiseResponse as _symmetra_entropy_v1_StreamNoiseResponse, StreamNoiseResponse__Output as _symmetra_entropy_v1_StreamNoiseResponse__Output } from './symmetra/entropy/v1/StreamNoiseResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  symmetra: {
    entropy: {
      v1: {
        /**
         * Noise of one or several sources.
         */
        EntropyService: SubtypeConstructor<typeof grpc.Client, _symmetra_entropy_v1_EntropyServiceClient> & { service: _symmetra_entropy_v1_EntropyServiceDefinition }
        NoiseBlock: MessageTypeDefinition<_symmetra_entropy_v1_NoiseBlock, _symmetra_entropy_v1_NoiseBlock__Output>
        SourceDescription: MessageTypeDefinition<_symmetra_entropy_v1_SourceDescription, _symmetra_entropy_v1_SourceDescription__Output>
        StreamNoiseRequest: MessageTypeDefinition<_symmetra_entropy_v1_StreamNoiseRequest, _symmetra_entropy_v1_StreamNoiseRequest__Output>
        StreamNoiseResponse: MessageTypeDefinition<_symmetra_entropy_v1_StreamNoiseResponse, _symmetra_entropy_v1_StreamNoiseResponse__Output>
      }
    }
  }
}

