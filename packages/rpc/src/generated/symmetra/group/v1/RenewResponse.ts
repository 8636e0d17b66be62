// Original file: proto/symmetra/group/v1/group.proto


export interface RenewResponse {
}

export interface RenewResponse__Output {
}
