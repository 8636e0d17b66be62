// Original file: proto/symmetra/group/v1/group.proto


export interface LeaveResponse {
}

export interface LeaveResponse__Output {
}
