// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface AcknowledgeResponse {
}

export interface AcknowledgeResponse__Output {
}
