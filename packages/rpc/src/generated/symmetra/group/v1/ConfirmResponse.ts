// Original file: proto/symmetra/group/v1/group.proto


export interface ConfirmResponse {
}

export interface ConfirmResponse__Output {
}
