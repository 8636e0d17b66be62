// Original file: proto/symmetra/session/v1/session.proto


export interface CloseResponse {
}

export interface CloseResponse__Output {
}
