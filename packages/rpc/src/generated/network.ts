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
import type { Broadcast as _symmetra_group_v1_Broadcast, Broadcast__Output as _symmetra_group_v1_Broadcast__Output } from './symmetra/group/v1/Broadcast.js';
import type { ConfirmRequest as _symmetra_group_v1_ConfirmRequest, ConfirmRequest__Output as _symmetra_group_v1_ConfirmRequest__Output } from './symmetra/group/v1/ConfirmRequest.js';
import type { ConfirmResponse as _symmetra_group_v1_ConfirmResponse, ConfirmResponse__Output as _symmetra_group_v1_ConfirmResponse__Output } from './symmetra/group/v1/ConfirmResponse.js';
import type { DealRequest as _symmetra_group_v1_DealRequest, DealRequest__Output as _symmetra_group_v1_DealRequest__Output } from './symmetra/group/v1/DealRequest.js';
import type { DealResponse as _symmetra_group_v1_DealResponse, DealResponse__Output as _symmetra_group_v1_DealResponse__Output } from './symmetra/group/v1/DealResponse.js';
import type { GetRosterRequest as _symmetra_group_v1_GetRosterRequest, GetRosterRequest__Output as _symmetra_group_v1_GetRosterRequest__Output } from './symmetra/group/v1/GetRosterRequest.js';
import type { GetRosterResponse as _symmetra_group_v1_GetRosterResponse, GetRosterResponse__Output as _symmetra_group_v1_GetRosterResponse__Output } from './symmetra/group/v1/GetRosterResponse.js';
import type { GroupServiceClient as _symmetra_group_v1_GroupServiceClient, GroupServiceDefinition as _symmetra_group_v1_GroupServiceDefinition } from './symmetra/group/v1/GroupService.js';
import type { LeaveRequest as _symmetra_group_v1_LeaveRequest, LeaveRequest__Output as _symmetra_group_v1_LeaveRequest__Output } from './symmetra/group/v1/LeaveRequest.js';
import type { LeaveResponse as _symmetra_group_v1_LeaveResponse, LeaveResponse__Output as _symmetra_group_v1_LeaveResponse__Output } from './symmetra/group/v1/LeaveResponse.js';
import type { RenewRequest as _symmetra_group_v1_RenewRequest, RenewRequest__Output as _symmetra_group_v1_RenewRequest__Output } from './symmetra/group/v1/RenewRequest.js';
import type { RenewResponse as _symmetra_group_v1_RenewResponse, RenewResponse__Output as _symmetra_group_v1_RenewResponse__Output } from './symmetra/group/v1/RenewResponse.js';
import type { RosterEntry as _symmetra_group_v1_RosterEntry, RosterEntry__Output as _symmetra_group_v1_RosterEntry__Output } from './symmetra/group/v1/RosterEntry.js';
import type { SendRequest as _symmetra_group_v1_SendRequest, SendRequest__Output as _symmetra_group_v1_SendRequest__Output } from './symmetra/group/v1/SendRequest.js';
import type { SendResponse as _symmetra_group_v1_SendResponse, SendResponse__Output as _symmetra_group_v1_SendResponse__Output } from './symmetra/group/v1/SendResponse.js';
import type { StageRequest as _symmetra_group_v1_StageRequest, StageRequest__Output as _symmetra_group_v1_StageRequest__Output } from './symmetra/group/v1/StageRequest.js';
import type { StageResponse as _symmetra_group_v1_StageResponse, StageResponse__Output as _symmetra_group_v1_StageResponse__Output } from './symmetra/group/v1/StageResponse.js';
import type { Welcome as _symmetra_group_v1_Welcome, Welcome__Output as _symmetra_group_v1_Welcome__Output } from './symmetra/group/v1/Welcome.js';
import type { Call as _symmetra_link_v1_Call, Call__Output as _symmetra_link_v1_Call__Output } from './symmetra/link/v1/Call.js';
import type { ConnectRequest as _symmetra_link_v1_ConnectRequest, ConnectRequest__Output as _symmetra_link_v1_ConnectRequest__Output } from './symmetra/link/v1/ConnectRequest.js';
import type { ConnectResponse as _symmetra_link_v1_ConnectResponse, ConnectResponse__Output as _symmetra_link_v1_ConnectResponse__Output } from './symmetra/link/v1/ConnectResponse.js';
import type { ControlNotice as _symmetra_link_v1_ControlNotice, ControlNotice__Output as _symmetra_link_v1_ControlNotice__Output } from './symmetra/link/v1/ControlNotice.js';
import type { ControlSignature as _symmetra_link_v1_ControlSignature, ControlSignature__Output as _symmetra_link_v1_ControlSignature__Output } from './symmetra/link/v1/ControlSignature.js';
import type { DeviceEvent as _symmetra_link_v1_DeviceEvent, DeviceEvent__Output as _symmetra_link_v1_DeviceEvent__Output } from './symmetra/link/v1/DeviceEvent.js';
import type { Event as _symmetra_link_v1_Event, Event__Output as _symmetra_link_v1_Event__Output } from './symmetra/link/v1/Event.js';
import type { LinkServiceClient as _symmetra_link_v1_LinkServiceClient, LinkServiceDefinition as _symmetra_link_v1_LinkServiceDefinition } from './symmetra/link/v1/LinkService.js';
import type { Reply as _symmetra_link_v1_Reply, Reply__Output as _symmetra_link_v1_Reply__Output } from './symmetra/link/v1/Reply.js';
import type { GetDescriptorRequest as _symmetra_network_v1_GetDescriptorRequest, GetDescriptorRequest__Output as _symmetra_network_v1_GetDescriptorRequest__Output } from './symmetra/network/v1/GetDescriptorRequest.js';
import type { GetDescriptorResponse as _symmetra_network_v1_GetDescriptorResponse, GetDescriptorResponse__Output as _symmetra_network_v1_GetDescriptorResponse__Output } from './symmetra/network/v1/GetDescriptorResponse.js';
import type { NetworkServiceClient as _symmetra_network_v1_NetworkServiceClient, NetworkServiceDefinition as _symmetra_network_v1_NetworkServiceDefinition } from './symmetra/network/v1/NetworkService.js';
import type { PutDescriptorRequest as _symmetra_network_v1_PutDescriptorRequest, PutDescriptorRequest__Output as _symmetra_network_v1_PutDescriptorRequest__Output } from './symmetra/network/v1/PutDescriptorRequest.js';
import type { PutDescriptorResponse as _symmetra_network_v1_PutDescriptorResponse, PutDescriptorResponse__Output as _symmetra_network_v1_PutDescriptorResponse__Output } from './symmetra/network/v1/PutDescriptorResponse.js';
import type { AcknowledgeRequest as _symmetra_pairwise_v1_AcknowledgeRequest, AcknowledgeRequest__Output as _symmetra_pairwise_v1_AcknowledgeRequest__Output } from './symmetra/pairwise/v1/AcknowledgeRequest.js';
import type { AcknowledgeResponse as _symmetra_pairwise_v1_AcknowledgeResponse, AcknowledgeResponse__Output as _symmetra_pairwise_v1_AcknowledgeResponse__Output } from './symmetra/pairwise/v1/AcknowledgeResponse.js';
import type { Delivery as _symmetra_pairwise_v1_Delivery, Delivery__Output as _symmetra_pairwise_v1_Delivery__Output } from './symmetra/pairwise/v1/Delivery.js';
import type { Limits as _symmetra_pairwise_v1_Limits, Limits__Output as _symmetra_pairwise_v1_Limits__Output } from './symmetra/pairwise/v1/Limits.js';
import type { NegotiateRequest as _symmetra_pairwise_v1_NegotiateRequest, NegotiateRequest__Output as _symmetra_pairwise_v1_NegotiateRequest__Output } from './symmetra/pairwise/v1/NegotiateRequest.js';
import type { NegotiateResponse as _symmetra_pairwise_v1_NegotiateResponse, NegotiateResponse__Output as _symmetra_pairwise_v1_NegotiateResponse__Output } from './symmetra/pairwise/v1/NegotiateResponse.js';
import type { PairwiseServiceClient as _symmetra_pairwise_v1_PairwiseServiceClient, PairwiseServiceDefinition as _symmetra_pairwise_v1_PairwiseServiceDefinition } from './symmetra/pairwise/v1/PairwiseService.js';
import type { PeerMessage as _symmetra_pairwise_v1_PeerMessage, PeerMessage__Output as _symmetra_pairwise_v1_PeerMessage__Output } from './symmetra/pairwise/v1/PeerMessage.js';
import type { Presence as _symmetra_pairwise_v1_Presence, Presence__Output as _symmetra_pairwise_v1_Presence__Output } from './symmetra/pairwise/v1/Presence.js';
import type { RelayRequest as _symmetra_pairwise_v1_RelayRequest, RelayRequest__Output as _symmetra_pairwise_v1_RelayRequest__Output } from './symmetra/pairwise/v1/RelayRequest.js';
import type { RelayResponse as _symmetra_pairwise_v1_RelayResponse, RelayResponse__Output as _symmetra_pairwise_v1_RelayResponse__Output } from './symmetra/pairwise/v1/RelayResponse.js';
import type { ReportRequest as _symmetra_pairwise_v1_ReportRequest, ReportRequest__Output as _symmetra_pairwise_v1_ReportRequest__Output } from './symmetra/pairwise/v1/ReportRequest.js';
import type { ReportResponse as _symmetra_pairwise_v1_ReportResponse, ReportResponse__Output as _symmetra_pairwise_v1_ReportResponse__Output } from './symmetra/pairwise/v1/ReportResponse.js';
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
    group: {
      v1: {
        Broadcast: MessageTypeDefinition<_symmetra_group_v1_Broadcast, _symmetra_group_v1_Broadcast__Output>
        ConfirmRequest: MessageTypeDefinition<_symmetra_group_v1_ConfirmRequest, _symmetra_group_v1_ConfirmRequest__Output>
        ConfirmResponse: MessageTypeDefinition<_symmetra_group_v1_ConfirmResponse, _symmetra_group_v1_ConfirmResponse__Output>
        DealRequest: MessageTypeDefinition<_symmetra_group_v1_DealRequest, _symmetra_group_v1_DealRequest__Output>
        DealResponse: MessageTypeDefinition<_symmetra_group_v1_DealResponse, _symmetra_group_v1_DealResponse__Output>
        GetRosterRequest: MessageTypeDefinition<_symmetra_group_v1_GetRosterRequest, _symmetra_group_v1_GetRosterRequest__Output>
        GetRosterResponse: MessageTypeDefinition<_symmetra_group_v1_GetRosterResponse, _symmetra_group_v1_GetRosterResponse__Output>
        /**
         * Each call runs in the session of the device with one node.
         */
        GroupService: SubtypeConstructor<typeof grpc.Client, _symmetra_group_v1_GroupServiceClient> & { service: _symmetra_group_v1_GroupServiceDefinition }
        LeaveRequest: MessageTypeDefinition<_symmetra_group_v1_LeaveRequest, _symmetra_group_v1_LeaveRequest__Output>
        LeaveResponse: MessageTypeDefinition<_symmetra_group_v1_LeaveResponse, _symmetra_group_v1_LeaveResponse__Output>
        RenewRequest: MessageTypeDefinition<_symmetra_group_v1_RenewRequest, _symmetra_group_v1_RenewRequest__Output>
        RenewResponse: MessageTypeDefinition<_symmetra_group_v1_RenewResponse, _symmetra_group_v1_RenewResponse__Output>
        RosterEntry: MessageTypeDefinition<_symmetra_group_v1_RosterEntry, _symmetra_group_v1_RosterEntry__Output>
        SendRequest: MessageTypeDefinition<_symmetra_group_v1_SendRequest, _symmetra_group_v1_SendRequest__Output>
        SendResponse: MessageTypeDefinition<_symmetra_group_v1_SendResponse, _symmetra_group_v1_SendResponse__Output>
        StageRequest: MessageTypeDefinition<_symmetra_group_v1_StageRequest, _symmetra_group_v1_StageRequest__Output>
        StageResponse: MessageTypeDefinition<_symmetra_group_v1_StageResponse, _symmetra_group_v1_StageResponse__Output>
        Welcome: MessageTypeDefinition<_symmetra_group_v1_Welcome, _symmetra_group_v1_Welcome__Output>
      }
    }
    link: {
      v1: {
        Call: MessageTypeDefinition<_symmetra_link_v1_Call, _symmetra_link_v1_Call__Output>
        ConnectRequest: MessageTypeDefinition<_symmetra_link_v1_ConnectRequest, _symmetra_link_v1_ConnectRequest__Output>
        ConnectResponse: MessageTypeDefinition<_symmetra_link_v1_ConnectResponse, _symmetra_link_v1_ConnectResponse__Output>
        ControlNotice: MessageTypeDefinition<_symmetra_link_v1_ControlNotice, _symmetra_link_v1_ControlNotice__Output>
        ControlSignature: MessageTypeDefinition<_symmetra_link_v1_ControlSignature, _symmetra_link_v1_ControlSignature__Output>
        DeviceEvent: MessageTypeDefinition<_symmetra_link_v1_DeviceEvent, _symmetra_link_v1_DeviceEvent__Output>
        Event: MessageTypeDefinition<_symmetra_link_v1_Event, _symmetra_link_v1_Event__Output>
        /**
         * One bidirectional stream per device; its first call is SessionService/Attach at the home node.
         */
        LinkService: SubtypeConstructor<typeof grpc.Client, _symmetra_link_v1_LinkServiceClient> & { service: _symmetra_link_v1_LinkServiceDefinition }
        Reply: MessageTypeDefinition<_symmetra_link_v1_Reply, _symmetra_link_v1_Reply__Output>
      }
    }
    network: {
      v1: {
        GetDescriptorRequest: MessageTypeDefinition<_symmetra_network_v1_GetDescriptorRequest, _symmetra_network_v1_GetDescriptorRequest__Output>
        GetDescriptorResponse: MessageTypeDefinition<_symmetra_network_v1_GetDescriptorResponse, _symmetra_network_v1_GetDescriptorResponse__Output>
        /**
         * Public facts of the network.
         */
        NetworkService: SubtypeConstructor<typeof grpc.Client, _symmetra_network_v1_NetworkServiceClient> & { service: _symmetra_network_v1_NetworkServiceDefinition }
        PutDescriptorRequest: MessageTypeDefinition<_symmetra_network_v1_PutDescriptorRequest, _symmetra_network_v1_PutDescriptorRequest__Output>
        PutDescriptorResponse: MessageTypeDefinition<_symmetra_network_v1_PutDescriptorResponse, _symmetra_network_v1_PutDescriptorResponse__Output>
      }
    }
    pairwise: {
      v1: {
        AcknowledgeRequest: MessageTypeDefinition<_symmetra_pairwise_v1_AcknowledgeRequest, _symmetra_pairwise_v1_AcknowledgeRequest__Output>
        AcknowledgeResponse: MessageTypeDefinition<_symmetra_pairwise_v1_AcknowledgeResponse, _symmetra_pairwise_v1_AcknowledgeResponse__Output>
        Delivery: MessageTypeDefinition<_symmetra_pairwise_v1_Delivery, _symmetra_pairwise_v1_Delivery__Output>
        Limits: MessageTypeDefinition<_symmetra_pairwise_v1_Limits, _symmetra_pairwise_v1_Limits__Output>
        NegotiateRequest: MessageTypeDefinition<_symmetra_pairwise_v1_NegotiateRequest, _symmetra_pairwise_v1_NegotiateRequest__Output>
        NegotiateResponse: MessageTypeDefinition<_symmetra_pairwise_v1_NegotiateResponse, _symmetra_pairwise_v1_NegotiateResponse__Output>
        /**
         * Each call runs in the session of the device with one node.
         */
        PairwiseService: SubtypeConstructor<typeof grpc.Client, _symmetra_pairwise_v1_PairwiseServiceClient> & { service: _symmetra_pairwise_v1_PairwiseServiceDefinition }
        PeerMessage: MessageTypeDefinition<_symmetra_pairwise_v1_PeerMessage, _symmetra_pairwise_v1_PeerMessage__Output>
        Presence: MessageTypeDefinition<_symmetra_pairwise_v1_Presence, _symmetra_pairwise_v1_Presence__Output>
        RelayRequest: MessageTypeDefinition<_symmetra_pairwise_v1_RelayRequest, _symmetra_pairwise_v1_RelayRequest__Output>
        RelayResponse: MessageTypeDefinition<_symmetra_pairwise_v1_RelayResponse, _symmetra_pairwise_v1_RelayResponse__Output>
        ReportRequest: MessageTypeDefinition<_symmetra_pairwise_v1_ReportRequest, _symmetra_pairwise_v1_ReportRequest__Output>
        ReportResponse: MessageTypeDefinition<_symmetra_pairwise_v1_ReportResponse, _symmetra_pairwise_v1_ReportResponse__Output>
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

