// Original file: proto/symmetra/enrolment/v1/enrolment.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ConfirmRequest as _symmetra_enrolment_v1_ConfirmRequest, ConfirmRequest__Output as _symmetra_enrolment_v1_ConfirmRequest__Output } from '../../../symmetra/enrolment/v1/ConfirmRequest.js';
import type { ConfirmResponse as _symmetra_enrolment_v1_ConfirmResponse, ConfirmResponse__Output as _symmetra_enrolment_v1_ConfirmResponse__Output } from '../../../symmetra/enrolment/v1/ConfirmResponse.js';
import type { OfferRequest as _symmetra_enrolment_v1_OfferRequest, OfferRequest__Output as _symmetra_enrolment_v1_OfferRequest__Output } from '../../../symmetra/enrolment/v1/OfferRequest.js';
import type { OfferResponse as _symmetra_enrolment_v1_OfferResponse, OfferResponse__Output as _symmetra_enrolment_v1_OfferResponse__Output } from '../../../symmetra/enrolment/v1/OfferResponse.js';
import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';

/**
 * Any node relays these calls to the node that they name; they are secure end to end.
 */
export interface EnrolmentServiceClient extends grpc.Client {
  /**
   * ENR-5 to ENR-7: the device's confirmation, the node's acknowledgement.
   */
  Confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  Confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  /**
   * ENR-5 to ENR-7: the device's confirmation, the node's acknowledgement.
   */
  confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  confirm(argument: _symmetra_enrolment_v1_ConfirmRequest, callback: grpc.requestCallback<_symmetra_enrolment_v1_ConfirmResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * ENR-9, ENR-10: has this node introduce the device to another node, which the descriptor names newly.
   */
  Introduce(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Introduce(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Introduce(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  Introduce(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  /**
   * ENR-9, ENR-10: has this node introduce the device to another node, which the descriptor names newly.
   */
  introduce(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  introduce(argument: _symmetra_sealed_v1_Sealed, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  introduce(argument: _symmetra_sealed_v1_Sealed, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  introduce(argument: _symmetra_sealed_v1_Sealed, callback: grpc.requestCallback<_symmetra_sealed_v1_Sealed__Output>): grpc.ClientUnaryCall;
  
  /**
   * ENR-2 to ENR-4: the device's offer, the node's answer.
   */
  Offer(argument: _symmetra_enrolment_v1_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  Offer(argument: _symmetra_enrolment_v1_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  Offer(argument: _symmetra_enrolment_v1_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  Offer(argument: _symmetra_enrolment_v1_OfferRequest, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  /**
   * ENR-2 to ENR-4: the device's offer, the node's answer.
   */
  offer(argument: _symmetra_enrolment_v1_OfferRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  offer(argument: _symmetra_enrolment_v1_OfferRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  offer(argument: _symmetra_enrolment_v1_OfferRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  offer(argument: _symmetra_enrolment_v1_OfferRequest, callback: grpc.requestCallback<_symmetra_enrolment_v1_OfferResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Any node relays these calls to the node that they name; they are secure end to end.
 */
export interface EnrolmentServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * ENR-5 to ENR-7: the device's confirmation, the node's acknowledgement.
   */
  Confirm: grpc.handleUnaryCall<_symmetra_enrolment_v1_ConfirmRequest__Output, _symmetra_enrolment_v1_ConfirmResponse>;
  
  /**
   * ENR-9, ENR-10: has this node introduce the device to another node, which the descriptor names newly.
   */
  Introduce: grpc.handleUnaryCall<_symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed>;
  
  /**
   * ENR-2 to ENR-4: the device's offer, the node's answer.
   */
  Offer: grpc.handleUnaryCall<_symmetra_enrolment_v1_OfferRequest__Output, _symmetra_enrolment_v1_OfferResponse>;
  
}

export interface EnrolmentServiceDefinition extends grpc.ServiceDefinition {
  Confirm: MethodDefinition<_symmetra_enrolment_v1_ConfirmRequest, _symmetra_enrolment_v1_ConfirmResponse, _symmetra_enrolment_v1_ConfirmRequest__Output, _symmetra_enrolment_v1_ConfirmResponse__Output>
  Introduce: MethodDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output, _symmetra_sealed_v1_Sealed__Output>
  Offer: MethodDefinition<_symmetra_enrolment_v1_OfferRequest, _symmetra_enrolment_v1_OfferResponse, _symmetra_enrolment_v1_OfferRequest__Output, _symmetra_enrolment_v1_OfferResponse__Output>
}
