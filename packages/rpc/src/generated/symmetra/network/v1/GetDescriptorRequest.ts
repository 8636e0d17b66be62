// Original file: proto/symmetra/network/v1/network.proto


export interface GetDescriptorRequest {
}

export interface GetDescriptorRequest__Output {
}
