import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { GetDescriptorRequest as _symmetra_network_v1_GetDescriptorRequest, GetDescriptorRequest__Output as _symmetra_network_v1_GetDescriptorRequest__Output } from './symmetra/network/v1/GetDescriptorRequest.js';
import type { GetDescriptorResponse as _symmetra_network_v1_GetDescriptorResponse, GetDescriptorResponse__Output as _symmetra_network_v1_GetDescriptorResponse__Output } from './symmetra/network/v1/GetDescriptorResponse.js';
import type { NetworkServiceClient as _symmetra_network_v1_NetworkServiceClient, NetworkServiceDefinition as _symmetra_network_v1_NetworkServiceDefinition } from './symmetra/network/v1/NetworkService.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  symmetra: {
    network: {
      v1: {
        GetDescriptorRequest: MessageTypeDefinition<_symmetra_network_v1_GetDescriptorRequest, _symmetra_network_v1_GetDescriptorRequest__Output>
        GetDescriptorResponse: MessageTypeDefinition<_symmetra_network_v1_GetDescriptorResponse, _symmetra_network_v1_GetDescriptorResponse__Output>
        /**
         * Public facts of the network.
         */
        NetworkService: SubtypeConstructor<typeof grpc.Client, _symmetra_network_v1_NetworkServiceClient> & { service: _symmetra_network_v1_NetworkServiceDefinition }
      }
    }
  }
}

