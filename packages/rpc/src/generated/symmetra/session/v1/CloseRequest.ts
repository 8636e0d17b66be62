// Original file: proto/symmetra/session/v1/session.proto


export interface CloseRequest {
}

export interface CloseRequest__Output {
}
