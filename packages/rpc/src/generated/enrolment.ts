import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ConfirmRequest as _symmetra_enrolment_v1_ConfirmRequest, ConfirmRequest__Output as _symmetra_enrolment_v1_ConfirmRequest__Output } from './symmetra/enrolment/v1/ConfirmRequest.js';
import type { ConfirmResponse as _symmetra_enrolment_v1_ConfirmResponse, ConfirmResponse__Output as _symmetra_enrolment_v1_ConfirmResponse__Output } from './symmetra/enrolment/v1/ConfirmResponse.js';
import type { EnrolmentServiceClient as _symmetra_enrolment_v1_EnrolmentServiceClient, EnrolmentServiceDefinition as _symmetra_enrolment_v1_EnrolmentServiceDefinition } from './symmetra/enrolment/v1/EnrolmentService.js';
import type { OfferRequest as _symmetra_enrolment_v1_OfferRequest, OfferRequest__Output as _symmetra_enrolment_v1_OfferRequest__Output } from './symmetra/enrolment/v1/OfferRequest.js';
import type { OfferResponse as _symmetra_enrolment_v1_OfferResponse, OfferResponse__Output as _symmetra_enrolment_v1_OfferResponse__Output } from './symmetra/enrolment/v1/OfferResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  symmetra: {
    enrolment: {
      v1: {
        ConfirmRequest: MessageTypeDefinition<_symmetra_enrolment_v1_ConfirmRequest, _symmetra_enrolment_v1_ConfirmRequest__Output>
        ConfirmResponse: MessageTypeDefinition<_symmetra_enrolment_v1_ConfirmResponse, _symmetra_enrolment_v1_ConfirmResponse__Output>
        /**
         * Any node relays these calls to the node that they name; they are secure end to end.
         */
        EnrolmentService: SubtypeConstructor<typeof grpc.Client, _symmetra_enrolment_v1_EnrolmentServiceClient> & { service: _symmetra_enrolment_v1_EnrolmentServiceDefinition }
        OfferRequest: MessageTypeDefinition<_symmetra_enrolment_v1_OfferRequest, _symmetra_enrolment_v1_OfferRequest__Output>
        OfferResponse: MessageTypeDefinition<_symmetra_enrolment_v1_OfferResponse, _symmetra_enrolment_v1_OfferResponse__Output>
      }
    }
  }
}

