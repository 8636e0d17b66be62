import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { DescriptorProto as _google_protobuf_DescriptorProto, DescriptorProto__Output as _google_protobuf_DescriptorProto__Output } from './google/protobuf/DescriptorProto.js';
import type { EnumDescriptorProto as _google_protobuf_EnumDescriptorProto, EnumDescriptorProto__Output as _google_protobuf_EnumDescriptorProto__Output } from './google/protobuf/EnumDescriptorProto.js';
import type { EnumOptions as _google_protobuf_EnumOptions, EnumOptions__Output as _google_protobuf_EnumOptions__Output } from './google/protobuf/EnumOptions.js';
import type { EnumValueDescriptorProto as _google_protobuf_EnumValueDescriptorProto, EnumValueDescriptorProto__Output as _google_protobuf_EnumValueDescriptorProto__Output } from './google/protobuf/EnumValueDescriptorProto.js';
import type { EnumValueOptions as _google_protobuf_EnumValueOptions, EnumValueOptions__Output as _google_protobuf_EnumValueOptions__Output } from './google/protobuf/EnumValueOptions.js';
import type { ExtensionRangeOptions as _google_protobuf_ExtensionRangeOptions, ExtensionRangeOptions__Output as _google_protobuf_ExtensionRangeOptions__Output } from './google/protobuf/ExtensionRangeOptions.js';
import type { FeatureSet as _google_protobuf_FeatureSet, FeatureSet__Output as _google_protobuf_FeatureSet__Output } from './google/protobuf/FeatureSet.js';
import type { FeatureSetDefaults as _google_protobuf_FeatureSetDefaults, FeatureSetDefaults__Output as _google_protobuf_FeatureSetDefaults__Output } from './google/protobuf/FeatureSetDefaults.js';
import type { FieldDescriptorProto as _google_protobuf_FieldDescriptorProto, FieldDescriptorProto__Output as _google_protobuf_FieldDescriptorProto__Output } from './google/protobuf/FieldDescriptorProto.js';
import type { FieldOptions as _google_protobuf_FieldOptions, FieldOptions__Output as _google_protobuf_FieldOptions__Output } from './google/protobuf/FieldOptions.js';
import type { FileDescriptorProto as _google_protobuf_FileDescriptorProto, FileDescriptorProto__Output as _google_protobuf_FileDescriptorProto__Output } from './google/protobuf/FileDescriptorProto.js';
import type { FileDescriptorSet as _google_protobuf_FileDescriptorSet, FileDescriptorSet__Output as _google_protobuf_FileDescriptorSet__Output } from './google/protobuf/FileDescriptorSet.js';
import type { FileOptions as _google_protobuf_FileOptions, FileOptions__Output as _google_protobuf_FileOptions__Output } from './google/protobuf/FileOptions.js';
import type { GeneratedCodeInfo as _google_protobuf_GeneratedCodeInfo, GeneratedCodeInfo__Output as _google_protobuf_GeneratedCodeInfo__Output } from './google/protobuf/GeneratedCodeInfo.js';
import type { MessageOptions as _google_protobuf_MessageOptions, MessageOptions__Output as _google_protobuf_MessageOptions__Output } from './google/protobuf/MessageOptions.js';
import type { MethodDescriptorProto as _google_protobuf_MethodDescriptorProto, MethodDescriptorProto__Output as _google_protobuf_MethodDescriptorProto__Output } from './google/protobuf/MethodDescriptorProto.js';
import type { MethodOptions as _google_protobuf_MethodOptions, MethodOptions__Output as _google_protobuf_MethodOptions__Output } from './google/protobuf/MethodOptions.js';
import type { OneofDescriptorProto as _google_protobuf_OneofDescriptorProto, OneofDescriptorProto__Output as _google_protobuf_OneofDescriptorProto__Output } from './google/protobuf/OneofDescriptorProto.js';
import type { OneofOptions as _google_protobuf_OneofOptions, OneofOptions__Output as _google_protobuf_OneofOptions__Output } from './google/protobuf/OneofOptions.js';
import type { ServiceDescriptorProto as _google_protobuf_ServiceDescriptorProto, ServiceDescriptorProto__Output as _google_protobuf_ServiceDescriptorProto__Output } from './google/protobuf/ServiceDescriptorProto.js';
import type { ServiceOptions as _google_protobuf_ServiceOptions, ServiceOptions__Output as _google_protobuf_ServiceOptions__Output } from './google/protobuf/ServiceOptions.js';
import type { SourceCodeInfo as _google_protobuf_SourceCodeInfo, SourceCodeInfo__Output as _google_protobuf_SourceCodeInfo__Output } from './google/protobuf/SourceCodeInfo.js';
import type { UninterpretedOption as _google_protobuf_UninterpretedOption, UninterpretedOption__Output as _google_protobuf_UninterpretedOption__Output } from './google/protobuf/UninterpretedOption.js';
import type { ConfirmRequest as _symmetra_enrolment_v1_ConfirmRequest, ConfirmRequest__Output as _symmetra_enrolment_v1_ConfirmRequest__Output } from './symmetra/enrolment/v1/ConfirmRequest.js';
import type { ConfirmResponse as _symmetra_enrolment_v1_ConfirmResponse, ConfirmResponse__Output as _symmetra_enrolment_v1_ConfirmResponse__Output } from './symmetra/enrolment/v1/ConfirmResponse.js';
import type { EnrolmentServiceClient as _symmetra_enrolment_v1_EnrolmentServiceClient, EnrolmentServiceDefinition as _symmetra_enrolment_v1_EnrolmentServiceDefinition } from './symmetra/enrolment/v1/EnrolmentService.js';
import type { IntroduceRequest as _symmetra_enrolment_v1_IntroduceRequest, IntroduceRequest__Output as _symmetra_enrolment_v1_IntroduceRequest__Output } from './symmetra/enrolment/v1/IntroduceRequest.js';
import type { IntroduceResponse as _symmetra_enrolment_v1_IntroduceResponse, IntroduceResponse__Output as _symmetra_enrolment_v1_IntroduceResponse__Output } from './symmetra/enrolment/v1/IntroduceResponse.js';
import type { OfferRequest as _symmetra_enrolment_v1_OfferRequest, OfferRequest__Output as _symmetra_enrolment_v1_OfferRequest__Output } from './symmetra/enrolment/v1/OfferRequest.js';
import type { OfferResponse as _symmetra_enrolment_v1_OfferResponse, OfferResponse__Output as _symmetra_enrolment_v1_OfferResponse__Output } from './symmetra/enrolment/v1/OfferResponse.js';
import type { PlaintextTypes as _symmetra_sealed_v1_PlaintextTypes, PlaintextTypes__Output as _symmetra_sealed_v1_PlaintextTypes__Output } from './symmetra/sealed/v1/PlaintextTypes.js';
import type { Refusal as _symmetra_sealed_v1_Refusal, Refusal__Output as _symmetra_sealed_v1_Refusal__Output } from './symmetra/sealed/v1/Refusal.js';
import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from './symmetra/sealed/v1/Sealed.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      DescriptorProto: MessageTypeDefinition<_google_protobuf_DescriptorProto, _google_protobuf_DescriptorProto__Output>
      Edition: EnumTypeDefinition
      EnumDescriptorProto: MessageTypeDefinition<_google_protobuf_EnumDescriptorProto, _google_protobuf_EnumDescriptorProto__Output>
      EnumOptions: MessageTypeDefinition<_google_protobuf_EnumOptions, _google_protobuf_EnumOptions__Output>
      EnumValueDescriptorProto: MessageTypeDefinition<_google_protobuf_EnumValueDescriptorProto, _google_protobuf_EnumValueDescriptorProto__Output>
      EnumValueOptions: MessageTypeDefinition<_google_protobuf_EnumValueOptions, _google_protobuf_EnumValueOptions__Output>
      ExtensionRangeOptions: MessageTypeDefinition<_google_protobuf_ExtensionRangeOptions, _google_protobuf_ExtensionRangeOptions__Output>
      FeatureSet: MessageTypeDefinition<_google_protobuf_FeatureSet, _google_protobuf_FeatureSet__Output>
      FeatureSetDefaults: MessageTypeDefinition<_google_protobuf_FeatureSetDefaults, _google_protobuf_FeatureSetDefaults__Output>
      FieldDescriptorProto: MessageTypeDefinition<_google_protobuf_FieldDescriptorProto, _google_protobuf_FieldDescriptorProto__Output>
      FieldOptions: MessageTypeDefinition<_google_protobuf_FieldOptions, _google_protobuf_FieldOptions__Output>
      FileDescriptorProto: MessageTypeDefinition<_google_protobuf_FileDescriptorProto, _google_protobuf_FileDescriptorProto__Output>
      FileDescriptorSet: MessageTypeDefinition<_google_protobuf_FileDescriptorSet, _google_protobuf_FileDescriptorSet__Output>
      FileOptions: MessageTypeDefinition<_google_protobuf_FileOptions, _google_protobuf_FileOptions__Output>
      GeneratedCodeInfo: MessageTypeDefinition<_google_protobuf_GeneratedCodeInfo, _google_protobuf_GeneratedCodeInfo__Output>
      MessageOptions: MessageTypeDefinition<_google_protobuf_MessageOptions, _google_protobuf_MessageOptions__Output>
      MethodDescriptorProto: MessageTypeDefinition<_google_protobuf_MethodDescriptorProto, _google_protobuf_MethodDescriptorProto__Output>
      MethodOptions: MessageTypeDefinition<_google_protobuf_MethodOptions, _google_protobuf_MethodOptions__Output>
      OneofDescriptorProto: MessageTypeDefinition<_google_protobuf_OneofDescriptorProto, _google_protobuf_OneofDescriptorProto__Output>
      OneofOptions: MessageTypeDefinition<_google_protobuf_OneofOptions, _google_protobuf_OneofOptions__Output>
      ServiceDescriptorProto: MessageTypeDefinition<_google_protobuf_ServiceDescriptorProto, _google_protobuf_ServiceDescriptorProto__Output>
      ServiceOptions: MessageTypeDefinition<_google_protobuf_ServiceOptions, _google_protobuf_ServiceOptions__Output>
      SourceCodeInfo: MessageTypeDefinition<_google_protobuf_SourceCodeInfo, _google_protobuf_SourceCodeInfo__Output>
      SymbolVisibility: EnumTypeDefinition
      UninterpretedOption: MessageTypeDefinition<_google_protobuf_UninterpretedOption, _google_protobuf_UninterpretedOption__Output>
    }
  }
  symmetra: {
    enrolment: {
      v1: {
        ConfirmRequest: MessageTypeDefinition<_symmetra_enrolment_v1_ConfirmRequest, _symmetra_enrolment_v1_ConfirmRequest__Output>
        ConfirmResponse: MessageTypeDefinition<_symmetra_enrolment_v1_ConfirmResponse, _symmetra_enrolment_v1_ConfirmResponse__Output>
        /**
         * Any node relays these calls to the node that they name; they are secure end to end.
         */
        EnrolmentService: SubtypeConstructor<typeof grpc.Client, _symmetra_enrolment_v1_EnrolmentServiceClient> & { service: _symmetra_enrolment_v1_EnrolmentServiceDefinition }
        IntroduceRequest: MessageTypeDefinition<_symmetra_enrolment_v1_IntroduceRequest, _symmetra_enrolment_v1_IntroduceRequest__Output>
        IntroduceResponse: MessageTypeDefinition<_symmetra_enrolment_v1_IntroduceResponse, _symmetra_enrolment_v1_IntroduceResponse__Output>
        OfferRequest: MessageTypeDefinition<_symmetra_enrolment_v1_OfferRequest, _symmetra_enrolment_v1_OfferRequest__Output>
        OfferResponse: MessageTypeDefinition<_symmetra_enrolment_v1_OfferResponse, _symmetra_enrolment_v1_OfferResponse__Output>
      }
    }
    sealed: {
      v1: {
        PlaintextTypes: MessageTypeDefinition<_symmetra_sealed_v1_PlaintextTypes, _symmetra_sealed_v1_PlaintextTypes__Output>
        Refusal: MessageTypeDefinition<_symmetra_sealed_v1_Refusal, _symmetra_sealed_v1_Refusal__Output>
        Sealed: MessageTypeDefinition<_symmetra_sealed_v1_Sealed, _symmetra_sealed_v1_Sealed__Output>
      }
    }
  }
}

