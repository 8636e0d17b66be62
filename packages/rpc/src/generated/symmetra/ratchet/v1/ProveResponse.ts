// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface ProveResponse {
}

export interface ProveResponse__Output {
}
